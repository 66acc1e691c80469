"""Measure peers against xor-sweep: best variant first, then interleaved pairs.

Shared machines drift: a rate means little by itself. So xor-sweep and a peer train
in turns, and the result is the ratio within each pair: its median and range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from sweep.bench.bench_host import Host
from sweep.bench.case import Array, Case
from sweep.bench.peers import MissingError

# Losses agree if they are this close, relative or absolute, or both not finite.
TOLERANCE = {"float64": (1e-9, 1e-12), "float32": (1e-3, 1e-4)}
# Some networks at the edge of divergence amplify rounding without bound.
MOST_AGREE = 0.999
MAX_NETWORKS = 2**21


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    repeats: int  # pairs of measurements
    # Intended duration of each measurement, of a peer and of xor-sweep, and at least three quarters of it unless
    # ``MAX_NETWORKS`` take less: a CPU that has been idle needs a tenth of a second to reach full speed
    seconds: float
    trial_seconds: float  # intended duration of the trial of a variant


FULL = Effort(repeats=9, seconds=2.0, trial_seconds=0.25)
QUICK = Effort(repeats=5, seconds=0.4, trial_seconds=0.1)


class Side(NamedTuple):
    """One of the two sides that are measured in turns."""

    host: Host
    case: Case
    variant: int = 1


@dataclass(frozen=True)
class Comparison:
    """One peer on one case against xor-sweep."""

    case: Case
    peer: str
    title: str
    variant: str
    n_networks: int  # networks of one measurement of the peer
    # Network-steps a second of the peer and of xor-sweep in each pair
    rates: tuple[float, ...]
    own_rates: tuple[float, ...]
    agreement: float  # share of networks whose final losses agree
    same_bits: bool

    @property
    def ratios(self) -> tuple[float, ...]:
        """How many times faster xor-sweep was, pair by pair."""
        return tuple(own / rate for own, rate in zip(self.own_rates, self.rates, strict=True))

    @property
    def agrees(self) -> bool:
        """Whether enough losses agree."""
        return self.agreement >= (1.0 if self.same_bits else MOST_AGREE)

    def summary(self) -> dict[str, Any]:
        """Return one row for tables and files."""
        return {
            **asdict(self.case),
            "hidden": self.case.size,
            "peer": self.peer,
            "title": self.title,
            "variant": self.variant,
            "n_networks": self.n_networks,
            "rates": self.rates,
            "own_rates": self.own_rates,
            "rate": median(self.rates),
            "own_rate": median(self.own_rates),
            "ratio": median(self.ratios),
            "ratio_low": min(self.ratios),
            "ratio_high": max(self.ratios),
            "agreement": self.agreement,
            "agrees": self.agrees,
        }


def compare(own: Host, peer: Host, case: Case, effort: Effort, say: Callable[[str], None]) -> Comparison:
    """Find the peer's best variant, then measure it and xor-sweep in turns; ``say`` is called with what happens.

    MissingError if the peer cannot work on this machine, UnsupportedError if it cannot train this case.
    """
    kind = peer.hello(case)
    side = Side(peer, case, best_variant(peer, case, kind["variants"], effort, say))
    own_rates, rates = interleave((Side(own, case), side), effort, say)
    return Comparison(
        case,
        peer.name,
        kind["title"],
        kind["variants"][str(side.variant)],
        peer.enough[case, side.variant, effort.seconds][0],
        rates,
        own_rates,
        agreement(own.losses(), peer.losses(), case.dtype, kind["same_bits"]),
        kind["same_bits"],
    )


def agreement(own: Array, other: Array, dtype: str, same_bits: bool) -> float:
    """Return the share of networks, among those that both trained, whose losses agree.

    A loss that is not finite stands for divergence, whatever its value.
    """
    count = min(len(own), len(other))
    own, other = own[:count], other[:count]
    relative, absolute = (0.0, 0.0) if same_bits else TOLERANCE[dtype]
    near = np.isclose(own, other, rtol=relative, atol=absolute)
    return float(np.mean(near | (~np.isfinite(own) & ~np.isfinite(other))))


def interleave(
    sides: tuple[Side, Side], effort: Effort, say: Callable[[str], None]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Measure both sides in turns, alternating which goes first; return network-steps per second of each."""
    wanted = [_enough(*side, effort.seconds)[0] for side in sides]
    rates: tuple[list[float], list[float]] = ([], [])
    for repeat in range(effort.repeats):
        say(f"pair {repeat + 1} of {effort.repeats}")
        for k in (0, 1) if repeat % 2 else (1, 0):
            host, case, variant = sides[k]
            seconds, n_networks = host.train(case, variant, wanted[k])
            rates[k].append(n_networks * case.steps / seconds)
    return tuple(rates[0]), tuple(rates[1])


def best_variant(peer: Host, case: Case, variants: dict[str, str], effort: Effort, say: Callable[[str], None]) -> int:
    """Try every variant, and return the fastest."""
    if len(variants) == 1:
        return int(next(iter(variants)))
    rates: dict[int, float] = {}
    for variant, description in variants.items():
        say(f"trying {description}")
        try:
            _, rates[int(variant)] = _enough(peer, case, int(variant), effort.trial_seconds)
        except MissingError:
            if not rates:
                raise
            say(f"{description} failed")
    return max(rates, key=lambda variant: rates[variant])


def _enough(host: Host, case: Case, variant: int, seconds: float) -> tuple[int, float]:
    """Return how many networks take about ``seconds``, and the rate of training them; measured once for each host.

    A number that took so long is trained again: its kernel may have been compiled just then.
    """
    key = (case, variant, seconds)
    wanted = host.fewest(case)
    while key not in host.enough:
        took, n_networks = host.train(case, variant, wanted)
        if took >= 0.75 * seconds:
            took = min(took, host.train(case, variant, n_networks)[0])
        if took >= 0.75 * seconds or n_networks >= MAX_NETWORKS:
            host.enough[key] = n_networks, n_networks * case.steps / took
        wanted = min(MAX_NETWORKS, max(int(n_networks * min(16.0, seconds / took)), n_networks + 1))
    return host.enough[key]

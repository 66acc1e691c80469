"""Compare xor-sweep with another side in interleaved pairs: ``python -m sweep.bench.pairs --case xor --peer jax-vmap``.

The other side is one of three:

``--peer NAME``
    A peer on the same case, at its best variant.
``--against PATH``
    ``sweep.run`` of another checkout on the same case; then ``sweep.run`` is measured on this side too.
``--versus CASE``
    xor-sweep itself on another case: the cost of a step of one case in steps of the other.

Both sides stay in their processes and take turns. The result is the ratio within each
pair. ``NUMBA_CPU_NAME=haswell`` compiles the kernels and the C++ for that CPU, without
the features of the host, and limits the libraries of other peers to its instructions.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from sweep.bench.bench_host import Checkout, Host
from sweep.bench.case import CASES, Case
from sweep.bench.measurement import Effort, Side, agreement, best_variant, interleave
from sweep.bench.operation_counts import step_operations
from sweep.bench.peers import OWN, MissingError, UnsupportedError
from sweep.bench.runner import PEERS, STEPS
from sweep.system.host import available_threads, machine_facts

HERE = Path(__file__).parents[2]


class Pairs(NamedTuple):
    """The result of a comparison in pairs."""

    sides: tuple[str, str]  # titles of both sides, xor-sweep first
    cases: tuple[Case, Case]  # the cases that they trained
    rates: tuple[tuple[float, ...], tuple[float, ...]]  # network-steps per second of both, pair by pair
    agreement: float | None  # share of networks whose losses agree, None where the sides trained different cases
    # Time of a square root and a division per parameter of the first case, in steps of the second, None where the
    # first case needs none
    roots: float | None = None

    def summary(self) -> dict[str, Any]:
        """Return what is printed as plain values."""
        steps = [own / other for own, other in zip(*self.rates, strict=True)]
        counts = [step_operations(case, nominal=True).simple for case in self.cases]
        work = [ratio * counts[0] / counts[1] for ratio in steps]
        return {
            "sides": self.sides,
            "cases": [f"{case.title}, hidden {case.size}, {case.steps} steps" for case in self.cases],
            "steps_per_second": [median(rates) for rates in self.rates],
            "networks_per_second": [
                median(rates) / case.steps for rates, case in zip(self.rates, self.cases, strict=True)
            ],
            "nominal_operations_per_second": [
                median(rates) * count for rates, count in zip(self.rates, counts, strict=True)
            ],
            "ratio": [median(steps), min(steps), max(steps)],
            "cost_of_a_step": 1 / median(steps),
            "ratio_of_operations": [median(work), min(work), max(work)],
            "agreement": self.agreement,
            "roots_in_steps": self.roots,
        }


def measure_peer(case: Case, name: str, effort: Effort, threads: int, folder: Path) -> Pairs:
    """Measure xor-sweep and a peer."""
    with Host(OWN, threads, folder) as own, Host(name, threads, folder) as peer:
        kind = peer.hello(case)
        variant = best_variant(peer, case, kind["variants"], effort, _say)
        rates = interleave((Side(own, case), Side(peer, case, variant)), effort, _say)
        share = agreement(own.losses(), peer.losses(), case.dtype, kind["same_bits"])
        described = kind["variants"][str(variant)]
    return Pairs((OWN, ", ".join(filter(None, (kind["title"], described)))), (case, case), rates, share)


def measure_against(case: Case, root: Path, effort: Effort, threads: int, folder: Path) -> Pairs:
    """Measure ``sweep.run`` here and in another checkout, which should give the same bits."""
    with Checkout("here", HERE, threads, folder) as own, Checkout("there", root, threads, folder) as other:
        rates = interleave((Side(own, case), Side(other, case)), effort, _say)
        share = agreement(own.losses(), other.losses(), case.dtype, same_bits=True)
    return Pairs(("sweep.run here", "sweep.run there"), (case, case), rates, share)


def measure_versus(case: Case, other: Case, effort: Effort, threads: int, folder: Path) -> Pairs:
    """Measure xor-sweep on two cases."""
    with Host(OWN, threads, folder) as own:
        rates = interleave((Side(own, case), Side(own, other)), effort, _say)
    roots = None
    if step_operations(case).square_roots:
        from sweep.bench.roof import root_rate

        roots = case.n_parameters / root_rate(case.dtype, threads) * median(rates[1])
    return Pairs((case.name, other.name), (case, other), rates, None, roots)


def print_pairs(pairs: Pairs) -> None:
    """Print rates, ratios and whether losses agree."""
    row = pairs.summary()
    for k, side in enumerate(pairs.sides):
        print(f"{side}: {row['cases'][k]}")
        print(
            f"    {row['steps_per_second'][k] / 1e6:,.4g} M steps/s, {row['networks_per_second'][k]:,.4g} networks/s, "
            f"{row['nominal_operations_per_second'][k] / 1e9:,.4g} G nominal operations/s"
        )
    names = {"steps per second": "ratio"}
    if pairs.cases[0] != pairs.cases[1]:
        names["nominal operations per second"] = "ratio_of_operations"
        print(f"    a step takes {row['cost_of_a_step']:.4g} times as long")
    for name, key in names.items():
        middle, low, high = row[key]
        print(
            f"    {name}: {middle:.4g} times ({low:.4g} to {high:.4g}; median and range of {len(pairs.rates[0])} pairs)"
        )
    if pairs.roots is not None:
        print(f"    a square root and a division per parameter take {pairs.roots:.4g} steps of {pairs.sides[1]}")
    if pairs.agreement is not None:
        print(f"    losses of {pairs.agreement:.2%} of the networks agree")


def _say(what: str) -> None:
    print(f"\r{what:60}", end="", file=sys.stderr, flush=True)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sweep.bench.pairs", description=__doc__.splitlines()[0])
    parser.add_argument("--case", choices=CASES, nargs="+", required=True)
    other = parser.add_mutually_exclusive_group(required=True)
    other.add_argument("--peer", choices=PEERS)
    other.add_argument("--against", type=Path, metavar="PATH")
    other.add_argument("--versus", choices=CASES)
    parser.add_argument("--hidden", type=int, help="hidden units of both cases, in place of those of the cases")
    parser.add_argument("--steps", type=int, help="steps of both cases, in place of those of the cases")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="duration of each measurement")
    parser.add_argument("--threads", type=int, default=available_threads())
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if min(options.pairs, options.threads, options.hidden or 1, options.steps or 1) < 1 or options.seconds <= 0:
        parser.error("--pairs, --threads, --hidden, --steps and --seconds must be above 0")
    if options.against and not (options.against / "sweep" / "__init__.py").exists():
        parser.error(f"--against: must be a checkout with the package sweep, got {str(options.against)!r}")
    return options


def main(arguments: list[str] | None = None) -> None:
    """Run the comparisons of the command line, case by case."""
    options = _options(arguments)
    if os.environ.get("NUMBA_CPU_NAME"):
        os.environ.setdefault("NUMBA_CPU_FEATURES", "")
    from kernels.numba.target import cpu_name, register_bytes

    def chosen(name: str) -> Case:
        case = CASES[name]
        steps = options.steps or STEPS.get(options.peer, case.steps)
        return replace(case, hidden=options.hidden or case.hidden, steps=steps)

    facts = {
        "cpu": machine_facts()["cpu"],
        "code": f"{cpu_name()}, registers of {register_bytes()} bytes",
        "threads": options.threads,
    }
    if not options.json:
        print("; ".join(f"{name}: {value}" for name, value in facts.items()))
    effort = Effort(options.pairs, options.seconds, min(0.25, options.seconds))
    for name in options.case:
        with tempfile.TemporaryDirectory(prefix="xor-sweep-bench-") as folder:
            shared = effort, options.threads, Path(folder)
            try:
                if options.peer:
                    pairs = measure_peer(chosen(name), options.peer, *shared)
                elif options.against:
                    pairs = measure_against(chosen(name), options.against.resolve(), *shared)
                else:
                    pairs = measure_versus(chosen(name), chosen(options.versus), *shared)
            except (MissingError, UnsupportedError) as error:
                sys.exit(f"{name}: not measured: {error}")
            _say("\r")
        if options.json:
            print(json.dumps(facts | pairs.summary()))
        else:
            print_pairs(pairs)


if __name__ == "__main__":
    main()

"""The variants worth measuring for a class of networks, and the fastest of them.

No result depends on the variant, so whichever is chosen is right. Candidates take turns, so that whatever else the
machine does slows all of them down alike, and are compared by the processor time of one call to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median
from typing import NamedTuple, TypeAlias

from kernels.recipe import Recipe
from kernels.tuning import Tuning
from kernels.variant import Variant
from kernels.vocabulary import ACTIVATIONS, OUTPUTS

# Rows of so many registers, each with so many packets in turns: more would spill with 32 registers.
_ROWS_AND_TURNS = ((1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (4, 1))
# Loops over up to so many hidden units are worth unrolling, and patterns of so many numbers worth being constants.
_MOST_UNROLLED, _MOST_CONSTANTS = 8, 384
_BLOCKS = (2, 4, 8, 16)

# A candidate must be this much faster than the first guess.
LEAST_GAIN = 1.03
# Rounds in which each candidate is called once: in all, and those after which candidates leave that are slower than the
# fastest by this factor.
_ROUNDS, _HEATS, _LOSES = 21, (3, 7), 0.95


# Compiles the kernel of a tuning in its first call, and returns steps per second of processor time.
Timer: TypeAlias = Callable[[Tuning], float]


class Measured(NamedTuple):
    """The fastest tuning, and its speed as a multiple of that of the first guess."""

    tuning: Tuning
    gain: float
    n_candidates: int


def fastest(guess: Tuning, variant_of: Callable[[Tuning], Variant], recipe: Recipe, speed: Timer) -> Measured:
    """Measure the candidates in two stages: rows and packets, then further choices with the fastest of these.

    Any tuning must beat ``guess`` by :data:`LEAST_GAIN`. Those with the same ``variant_of`` are measured once;
    ``speed`` times a tuning.
    """
    best, gain = guess, 1.0
    candidates: set[Variant] = set()
    for stage in (_rows_and_turns, _further):
        seen = {variant_of(guess): guess, variant_of(best): best}
        for tuning in stage(best, variant_of(best), recipe):
            seen.setdefault(variant_of(tuning), tuning)
        candidates |= seen.keys()
        best, gain = race(list(dict.fromkeys(seen.values())), speed)
    if gain >= LEAST_GAIN:  # the fastest of many was lucky too, so it is measured again
        best, gain = race([guess, best], speed)
    return Measured(*((best, gain) if gain >= LEAST_GAIN else (guess, 1.0)), len(candidates))


def race(tunings: list[Tuning], speed: Timer) -> tuple[Tuning, float]:
    """Return the fastest tuning, and the median of its speed as a multiple of that of the first one."""
    guess = tunings[0]
    for tuning in tunings:
        speed(tuning)  # compiled, and its memory is warm
    speeds: dict[Tuning, list[float]] = {tuning: [] for tuning in tunings}
    for number in range(1, _ROUNDS + 1):
        for tuning, measured in speeds.items():
            measured.append(speed(tuning))
        ratios = {tuning: _ratio(measured, speeds[guess]) for tuning, measured in speeds.items()}
        if number in _HEATS:
            least = _LOSES * max(ratios.values())
            speeds = {tuning: speeds[tuning] for tuning in ratios if tuning == guess or ratios[tuning] >= least}
    best = max(ratios, key=ratios.__getitem__)
    return best, ratios[best]


def _ratio(speeds: list[float], others: list[float]) -> float:
    return median(speed / other for speed, other in zip(speeds, others, strict=True))


def _rows_and_turns(tuning: Tuning, variant: Variant, recipe: Recipe) -> Iterator[Tuning]:
    """Yield rows of one or more registers, and packets in turns where patterns are constants.

    A row of two registers with one packet is that packet with two vectors side by side in each operation.
    """
    for registers, turns in _ROWS_AND_TURNS:
        yield tuning._replace(row_bytes=registers * tuning.register_bytes, turns=turns)


def _further(tuning: Tuning, variant: Variant, recipe: Recipe) -> Iterator[Tuning]:
    """Yield what may be faster with the same rows and packets."""
    if variant.table:
        yield tuning._replace(unrolled_units=0 if variant.hidden else _MOST_UNROLLED)
        yield tuning._replace(constant_limit=0)
        yield tuning._replace(integers=not tuning.integers)
    else:
        yield tuning._replace(constant_limit=_MOST_CONSTANTS)
    for block in _BLOCKS if variant.window > variant.most_at_once else ():
        yield tuning._replace(block_patterns=block)
    functions = ACTIVATIONS[recipe.architecture.activation], OUTPUTS[recipe.architecture.output]
    if any(function.elementary for function in functions):
        rows = variant.function_rows
        for changed in (rows // 2, rows * 2):
            if changed:
                yield tuning._replace(function_rows=changed)

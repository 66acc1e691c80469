"""Samples: points of several options, drawn at random or from a Sobol sequence.

Drawn numbers are integers over a power of two. Values follow from them in integers and decimals, so no digit depends
on the processor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import Any

from sweep.errors import StudyError, shown, unknown
from sweep.study.axes.grid import Axis
from sweep.study.axes.swept_values import Reading, read_options, unknown_together, values_of_option
from sweep.study.options.option_tables import takes_integers
from sweep.study.reading.faults import Faults
from sweep.study.reading.value_forms import Scalar, bounds_of, log_value
from sweep.system.plain_values import is_integer

# Most points of an axis of several options: the canonical form lists them.
MAX_POINTS = 100_000
# Points are drawn until enough distinct ones are found, with at most this many draws for each.
_TRIES = 100

METHODS = ("sobol", "random")
# Keys of a table of samples that are not options.
KEYS = ("method", "count", "seed")

# A number from 0 to below 1, as a numerator and the exponent of 2 in its denominator.
_Unit = tuple[int, int]
_Draw = Callable[[_Unit], Scalar]


def read_sample(key: str, table: Any, reading: Reading) -> Axis:
    """Return the distinct points of a table of ``[[samples]]``; ``key`` is its dotted key."""
    if not isinstance(table, Mapping):
        raise ValueError(f"must be a table (in Python a dict), got {shown(table)}")
    faults = Faults()
    method, count, seed = (table.get(name, default) for name, default in zip(KEYS, ("sobol", None, 0), strict=True))
    if method not in METHODS:
        faults.add(f"{key}.method: {unknown('method', method, METHODS)}")
    if count is None:
        faults.add(f"{key}.count: is missing; set the number of points to draw, from 1 to {MAX_POINTS:,}")
    elif not is_integer(count) or not 1 <= count <= MAX_POINTS:
        faults.add(f"{key}.count: must be an integer from 1 to {MAX_POINTS:,}, got {shown(count)}")
    if not is_integer(seed) or not 0 <= seed < 2**32:
        faults.add(f"{key}.seed: must be an integer from 0 to {2**32 - 1}, got {shown(seed)}")
    draws: dict[str, _Draw] = {}
    with faults.of(key):
        options = {inner: spec for inner, spec in table.items() if inner not in KEYS}
        unknown_here = partial(unknown_together, reading.tables, KEYS)
        draws = read_options(key, options, reading.tables, partial(_draw_of, reading), unknown_here)
    if not draws and not faults:
        faults.add(f"{key}: names no option; add ranges, as in learning_rate = {{ geomspace = [0.01, 1.0] }}")
    faults.check()
    return _distinct_points(key, draws, method, count, seed)


def _distinct_points(
    key: str, draws: Mapping[str, _Draw], method: str, count: int, seed: int
) -> dict[str, tuple[Scalar, ...]]:
    """Return the requested number of distinct points, in the order of their first draw."""
    units = (_sobol if method == "sobol" else _random)(len(draws), count, seed)
    found: dict[tuple[Scalar, ...], None] = {}
    for row in islice(units, _TRIES * (count + 10)):
        found[tuple(draw(unit) for draw, unit in zip(draws.values(), row, strict=True))] = None
        if len(found) == count:
            return dict(zip(draws, zip(*found, strict=True), strict=True))
    raise StudyError(
        f"{key}.count: must be at most the number of distinct points, got {count}, but only {len(found)} were "
        "found; lower it, or sweep the options in [parameters], where all of their combinations are cells"
    )


def _random(n_options: int, count: int, seed: int) -> Iterator[list[_Unit]]:
    """Yield rows of ``numpy.random.default_rng(seed).random()``, from the documented stream of integers."""
    from numpy.random import PCG64

    stream = PCG64(seed)
    while True:
        for row in stream.random_raw((count, n_options)).tolist():
            yield [(integer >> 11, 53) for integer in row]


def _sobol(n_options: int, count: int, seed: int) -> Iterator[list[_Unit]]:
    """Yield the points of a scrambled Sobol sequence, multiples of 2^-30."""
    import numpy as np
    from scipy.stats import qmc

    engine = qmc.Sobol(n_options, scramble=True, bits=30, seed=np.random.default_rng(seed))
    block = 1 << (count - 1).bit_length()
    while True:
        for row in (engine.random(block) * 2.0**30).astype(np.int64).tolist():
            yield [(integer, 30) for integer in row]


def _draw_of(reading: Reading, key: str, spec: Any, name: str) -> _Draw:
    """Return the function from a number between 0 and 1 to a value of an option."""
    integer = takes_integers(reading.tables.options[name].type)
    bounds = bounds_of(spec, integer)
    if bounds is None:
        values = values_of_option(reading, key, spec, name)
        return lambda unit: values[unit[0] * len(values) >> unit[1]]
    low, high = bounds.low, bounds.high
    values_of_option(reading, key, [low, high] if low != high else [low], name)  # raises an error if one is not allowed
    if bounds.scale == "log" and integer:  # rounded numbers from low - 0.5 to high + 0.5
        return lambda unit: min(
            max(round(log_value(low - 0.5, high + 0.5, unit[0], 2 ** unit[1])), int(low)), int(high)
        )
    if bounds.scale == "log":
        return lambda unit: log_value(float(low), float(high), unit[0], 2 ** unit[1])
    if integer:
        return lambda unit: int(low) + (unit[0] * int(high - low + 1) >> unit[1])
    span = Fraction(high) - Fraction(low)
    return lambda unit: float(Fraction(low) + span * unit[0] / 2 ** unit[1])

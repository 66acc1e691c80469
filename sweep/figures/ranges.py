"""Ranges of values: an option of a drawn sample has another value in each cell, too many to be drawn one by one."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

from sweep.figures.channels import is_logarithmic, is_number
from sweep.study.content import StudyContent
from sweep.study.grid import Grid
from sweep.study.parameters import Scalar
from sweep.study.selection import Values

# Most values of an option of an axis of several options that are drawn one by one.
MOST_SINGLE = 40
# Most ranges of an option, and the points of an axis that a range has on average.
_MOST_RANGES, _POINTS_EACH = 24, 4


def is_dense(study: StudyContent, name: str, entries: Sequence[Scalar]) -> bool:
    """Return whether an option of an axis of several options has too many values to be drawn one by one."""
    return len(entries) > MOST_SINGLE and is_number(entries[0]) and not any(set(axis) == {name} for axis in study.axes)


def in_ranges(
    study: StudyContent, values: Values, shown: Sequence[str]
) -> tuple[Grid | None, dict[str, tuple[Scalar, ...]]]:
    """Put the values of the shcustom components of samples into ranges.

    Parameters
    ----------
    study
        The study.
    values
        The selected values of each swept parameter.
    shown
        Parameters that a figure shows.

    Returns
    -------
    grid
        That of the study, in which the values of a range are its middle; None if there are no ranges.
    ranges : dict
        The middles of the ranges of each such option, evenly spaced, or evenly in their logarithms.
    """
    dense = [name for name in shown if name in values and is_dense(study, name, values[name])]
    if not dense:
        return None, {}
    ranges: dict[str, tuple[Scalar, ...]] = {}
    axes = []
    for axis in study.axes:
        own = [name for name in dense if name in axis]
        changed = dict(axis)
        for name in own:
            n_ranges = int((len(values[name]) / _POINTS_EACH) ** (1 / len(own)))
            middles, changed[name] = _middles(values[name], axis[name], min(max(n_ranges, 2), _MOST_RANGES))
            ranges[name] = middles
        axes.append(changed)
    grid = study.grid
    return Grid(axes, grid.fixed, study.data.n_patterns, grid.n_seeds), ranges


def _middles(
    values: Sequence[Scalar], of_points: Sequence[Scalar], n_ranges: int
) -> tuple[tuple[Scalar, ...], tuple[Scalar, ...]]:
    """Return the middles of equal ranges of values, and the middle of the range of each point."""
    is_log = is_logarithmic(values)
    there = [log(float(value)) if is_log else float(value) for value in values]
    low, width = min(there), (max(there) - min(there)) / n_ranges
    numbers = [low + width * (k + 0.5) for k in range(n_ranges)]
    middles = tuple(map(exp, numbers)) if is_log else tuple(numbers)
    places = {value: min(int((each - low) / width), n_ranges - 1) for value, each in zip(values, there, strict=True)}
    return middles, tuple(middles[places.get(value, 0)] for value in of_points)

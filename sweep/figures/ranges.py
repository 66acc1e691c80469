"""Ranges of values. An option of a sample has a different value in each cell: too many to draw one by one."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

from sweep.figures.channels import is_logarithmic, is_number
from sweep.study.axes.grid import Grid
from sweep.study.content import StudyContent
from sweep.study.reading.value_forms import Scalar
from sweep.study.selection import Values

# Options that vary together with others are drawn one by one up to this many values.
MOST_SINGLE = 40
# Most ranges of an option, and the average number of points in a range.
_MOST_RANGES, _POINTS_EACH = 24, 4


def is_dense(study: StudyContent, name: str, entries: Sequence[Scalar]) -> bool:
    """Return whether an option that varies together with others has too many values to draw one by one."""
    return len(entries) > MOST_SINGLE and is_number(entries[0]) and not any(set(axis) == {name} for axis in study.axes)


def in_ranges(
    study: StudyContent, values: Values, shown: Sequence[str]
) -> tuple[Grid | None, dict[str, tuple[Scalar, ...]]]:
    """Group the values of the shown options of samples into ranges, with linear or logarithmic spacing.

    Return the grid of the study with each value replaced by the center of its range, or None if there are no ranges,
    and the centers of the ranges of each such option.
    """
    dense = [name for name in shown if name in values and is_dense(study, name, values[name])]
    if not dense:
        return None, {}
    ranges: dict[str, tuple[Scalar, ...]] = {}
    axes = []
    for axis in study.axes:
        names = [name for name in dense if name in axis]
        changed = dict(axis)
        for name in names:
            n_ranges = int((len(values[name]) / _POINTS_EACH) ** (1 / len(names)))
            ranges[name], changed[name] = _centers(values[name], axis[name], min(max(n_ranges, 2), _MOST_RANGES))
        axes.append(changed)
    grid = study.grid
    return Grid(axes, grid.fixed, study.data.n_patterns, grid.n_seeds), ranges


def _centers(
    values: Sequence[Scalar], of_points: Sequence[Scalar], n_ranges: int
) -> tuple[tuple[Scalar, ...], tuple[Scalar, ...]]:
    """Return the centers of equal ranges of values, and the center of the range of each point."""
    is_log = is_logarithmic(values)
    places = [log(float(value)) if is_log else float(value) for value in values]
    low, width = min(places), (max(places) - min(places)) / n_ranges
    numbers = [low + width * (k + 0.5) for k in range(n_ranges)]
    centers = tuple(map(exp, numbers)) if is_log else tuple(numbers)
    ranges = {value: min(int((place - low) / width), n_ranges - 1) for value, place in zip(values, places, strict=True)}
    return centers, tuple(centers[ranges.get(value, 0)] for value in of_points)

"""Statistics of cells that figures can draw, and their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.errors import SweepError
from sweep.figures.channels import is_logarithmic
from sweep.results.answers import check_has_criterion, column_of, default_statistic
from sweep.results.bare_cells import bare_cells
from sweep.results.estimate import pairs_seeds
from sweep.results.pooled_cells import cells_with, pool_cells, summarized
from sweep.results.result import Result
from sweep.statistics.of_cells import every, measure_of
from sweep.statistics.statistic import Statistic
from sweep.study.axes.grid import Grid
from sweep.study.content import StudyContent
from sweep.study.reading.value_forms import Scalar
from sweep.study.selection import At, Values, cells_at, values_at
from sweep.system.formatting import list_text
from sweep.system.plain_values import is_number

# Options that vary together with others are drawn one by one up to this many values.
MOST_SINGLE = 40
# Most ranges of an option, and the average number of points in a range.
_MOST_RANGES, _POINTS_EACH = 24, 4


def in_ranges(
    study: StudyContent, values: Values, shown: Sequence[str]
) -> tuple[Grid | None, dict[str, tuple[Scalar, ...]]]:
    """Group the values of the shown options of samples into ranges, with linear or logarithmic spacing.

    Return the grid of the study with each value replaced by the center of its range, or None if there are no ranges,
    and the centers of the ranges of each such option.
    """
    many = [name for name in shown if len(values.get(name, ())) > MOST_SINGLE and is_number(values[name][0])]
    dense = [name for name in many if not any(set(axis) == {name} for axis in study.axes)]
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


# Reason why cells have no rows, in partial results.
UNTRAINED = "no run is trained yet"
# Larger losses are not drawn.
_LARGEST = 1e100


def drawable() -> dict[str, Statistic]:
    """Return the statistics of cells that can be drawn, first those by which cells are compared."""
    in_order = sorted(every().items(), key=lambda item: not item[1].compared)
    return {name: each for name, each in in_order if name not in ("n_runs", "finite_rate")}


class Selected(NamedTuple):
    """A statistic of cells, selected for drawing."""

    table: pd.DataFrame  # a row for each combination of values of the shown parameters
    values: dict[str, tuple[Scalar, ...]]  # the selected values of each swept parameter
    statistic: str  # a name of :func:`drawable`
    # The centers of the ranges of each option with pooled values
    ranges: Mapping[str, tuple[Scalar, ...]] = MappingProxyType({})

    def along(self, name: str) -> tuple[Scalar, ...]:
        """Return the values of a parameter in the table: selected values, or centers of ranges."""
        return self.ranges.get(name, self.values[name])

    @property
    def notes(self) -> list[str]:
        """Notes on ranges for the title."""
        names = list_text([name.replace("_", " ") for name in self.ranges])
        sizes = list_text([str(n) for n in dict.fromkeys(map(len, self.ranges.values()))])
        return [f"cells pooled in {sizes} ranges of {names}"] if names else []

    @property
    def description(self) -> Statistic:
        """Label, band and unit of the statistic."""
        return every()[self.statistic]

    @property
    def nothing(self) -> str:
        """Sentence on why no cell has a value."""
        return f"nothing to draw: in every cell {self.description.missing or UNTRAINED}"

    @property
    def is_count(self) -> bool:
        """Whether the statistic is a number of runs."""
        return self.description.kind == "count"

    @property
    def is_rate(self) -> bool:
        """Whether the statistic is a share of runs, so that its scale is from 0 to 100 %; of patterns it fits them."""
        return self.description.percent and not self.description.measure


def statistic_of(result: Result, value: str | None) -> str:
    """Return the name of :func:`drawable` for a name; by default the rate, or the final loss without a criterion."""
    statistic = column_of(value, drawable()) if value else default_statistic(result)
    if every()[statistic].needs_criterion:
        check_has_criterion(result.study)
    return statistic


def select(
    result: Result, value: str | None, at: At | None, shown: Sequence[str] | None = None, *, bare: bool = False
) -> Selected:
    """Return a statistic of the selected cells, pooled over the parameters that are not shown; all are by default.

    Intervals are those of answers: replicates that no name selects are random effects, as seeds are. A ``bare`` table
    may lack intervals and other statistics.
    """
    statistic = statistic_of(result, value)
    fault = pooling_fault(result, statistic, at, shown)
    if fault:
        raise SweepError(fault)
    values = values_at(result.study, at)
    runs = result.naming([*(values if shown is None else shown), *(at or ())])
    own = {name: entries for name, entries in values.items() if name in runs.study.parameters}
    grid, ranges = in_ranges(runs.study, own, shown or ())
    as_they_are = not (_hidden(own, shown) or ranges)
    stored = isinstance(result, Result) and runs is result  # not the pooled runs of replicates
    cells = bare_cells(result, statistic) if bare and as_they_are and stored else None
    if cells is None:
        cells = cells_with(runs, statistic)
    if as_they_are:
        return Selected(cells_at(cells, {name: own[name] for name in at or () if name in own}), values, statistic)
    table = pool_cells(runs, list(shown or ()), cells_at(cells, own), summarized(runs, statistic), grid)
    return Selected(table.reset_index(drop=True), values, statistic, ranges)


def pooling_fault(result: Result, statistic: str, at: At | None, shown: Sequence[str] | None) -> str | None:
    """Return why a statistic cannot be pooled over the parameters that are not shown, or None if it can."""
    values = values_at(result.study, at)
    pooled = [*_hidden(values, shown), *in_ranges(result.study, values, shown or ())[1]]
    if not pooled or can_be_pooled(result, statistic):
        return None
    names = list_text(pooled)
    why = f"there are too many rows of runs to pool {statistic} over all values of {names}"
    if not result.has_parts:
        why = f"a result that was published with its cells only cannot be pooled over all values of {names}"
    return f"{why}; pick one value of each with --at NAME=VALUE"


def _hidden(values: Values, shown: Sequence[str] | None) -> list[str]:
    """Return the parameters with several values that are not shown."""
    return [name for name, entries in values.items() if len(entries) > 1 and name not in (shown or values)]


def can_be_pooled(result: Result, statistic: str) -> bool:
    """Return whether a statistic can be pooled over cells. A measure needs counts, or rows that are not too many."""
    if not result.has_parts:
        return False
    return not measure_of(statistic) or pairs_seeds(result) or not result.keeps_runs


def drawn_values(cells: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Return the drawn values of a column, (cells,): rates in percent, NaN if missing, infinite or too large."""
    statistic = every().get(name) or every()[name.rpartition("_")[0]]  # of which the column is an end
    column = cells[name].to_numpy(dtype=np.float64, na_value=np.nan)
    too_large = np.isinf(column) | ((statistic.kind == "value") & (np.abs(column) > _LARGEST))
    column = np.where(too_large, np.nan, column)
    return 100 * column if statistic.percent else column


def by_rank(selected: Selected) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the cells with the statistic, from the worst to the best, and those without it."""
    has = np.isfinite(drawn_values(selected.table, selected.statistic))
    upward = selected.description.more_is_better
    ranked = selected.table[has].sort_values(selected.statistic, ascending=upward, kind="stable")
    return ranked, selected.table[~has]


def some_of(cells: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return at most ``most`` rows, evenly spaced from the first to the last."""
    if len(cells) <= most:
        return cells
    return cells.iloc[np.linspace(0, len(cells) - 1, most).round().astype(int)]

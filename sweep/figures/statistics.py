"""Statistics of cells that can be drawn, with their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sweep.errors import SweepError
from sweep.figures.ranges import in_ranges
from sweep.results.answers import check_has_criterion, column_of, default_statistic
from sweep.results.pooled_cells import pairs_seeds, summarize_over
from sweep.results.result import Result
from sweep.statistics.measures import counts_outputs, measure_of, more_is_better
from sweep.statistics.ranking import RANKED_BY
from sweep.study.network_measures import QUANTITIES
from sweep.study.parameters import Scalar
from sweep.study.selection import At, cells_at, values_at
from sweep.system.formatting import list_text

if TYPE_CHECKING:
    import pandas as pd


class Statistic(NamedTuple):
    """A column of cells that can be drawn.

    Attributes
    ----------
    label
        Label of the axis.
    band
        Columns of the lower and upper end of its band.
    bands
        Meaning of the bands, for the title.
    missing
        Reason why a cell has no value.
    percent
        Whether it is a share, drawn in percent.
    """

    label: str
    band: tuple[str, str] | None = None
    bands: str = ""
    missing: str = ""
    percent: bool = False


_NEVER = "no run converged"
# Reason why cells have no rows, in partial results.
UNTRAINED = "no run is trained yet"
# Larger losses are not drawn.
_LARGEST = 1e100
# How many runs have diverged where a quartile is infinite, by whether they have the lowest values.
_MOST = {
    (quarter, lowest): f"more than {part}"
    for lowest, parts in (
        (False, ("three quarters", "half", "a quarter")),
        (True, ("a quarter", "half", "three quarters")),
    )
    for quarter, part in zip(("q25", "q50", "q75"), parts, strict=True)
}

STATISTICS = {
    "convergence_rate": Statistic(
        "runs converged, %",
        ("convergence_rate_low", "convergence_rate_high"),
        ", 95 % intervals",
        percent=True,
    ),
    "steps_q50": Statistic(
        "median steps to converge",
        ("steps_q25", "steps_q75"),
        ", bands from 25 % to 75 % of all runs",
        "fewer than half of all runs converged",
    ),
    "steps_q25": Statistic(
        "steps by which 25 % of all runs converged",
        ("steps_q25_low", "steps_q25_high"),
        ", 95 % intervals",
        "fewer than a quarter of all runs converged",
    ),
    "steps_q75": Statistic(
        "steps by which 75 % of all runs converged",
        ("steps_q75_low", "steps_q75_high"),
        ", 95 % intervals",
        "fewer than three quarters of all runs converged",
    ),
    "expected_steps": Statistic(
        "steps of all runs per converged run",
        ("expected_steps_low", "expected_steps_high"),
        ", 95 % intervals",
        _NEVER,
    ),
    "restricted_mean_steps": Statistic(
        "mean steps to converge, the most that a run may take if not",
        ("restricted_mean_steps_low", "restricted_mean_steps_high"),
        ", 95 % intervals",
    ),
    "restart_steps": Statistic("steps after which a restart pays", missing=_NEVER),
    "restarted_steps": Statistic(
        "steps per success with the best restarts",
        ("restarted_steps_low", "restarted_steps_high"),
        ", 95 % intervals",
        _NEVER,
    ),
    **{
        f"{measure}_{quarter}": Statistic(
            f"{which} {words}",
            (f"{measure}_{quarter}_low", f"{measure}_{quarter}_high"),
            ", 95 % intervals",
            f"{_MOST[quarter, more_is_better(measure)]} of all runs diverged or have one above 1e100",
        )
        for measure, words in (
            ("final_loss", "final loss"),
            ("max_error", "largest error of a run"),
            ("test_loss", "loss with the test patterns"),
            *QUANTITIES.items(),
        )
        for quarter, which in (("q50", "median"), ("q25", "lower quartile of the"), ("q75", "upper quartile of the"))
    },
    **{
        f"{measure}_mean": Statistic(
            f"mean of outputs that are right{words}",
            (f"{measure}_mean_low", f"{measure}_mean_high"),
            ", 95 % intervals",
        )
        for measure, words in (("n_correct", ""), ("n_test_correct", " with the test patterns"))
    },
    "n_converged": Statistic("runs converged"),
    "n_diverged": Statistic("runs diverged"),
    "n_stalled": Statistic("runs stalled"),
    "n_exhausted": Statistic("runs exhausted"),
    "n_plateau": Statistic("runs that ended on a plateau"),
}


class Selected(NamedTuple):
    """A statistic of cells, selected for drawing.

    Attributes
    ----------
    table : DataFrame
        A row for each combination of the values of the parameters to be shown.
    values
        The selected values of each swept parameter.
    statistic
        A key of :data:`STATISTICS`.
    ranges
        The middle of each range of the words whose values are pooled in ranges.
    """

    table: pd.DataFrame
    values: dict[str, tuple[Scalar, ...]]
    statistic: str
    ranges: Mapping[str, tuple[Scalar, ...]] = MappingProxyType({})

    def along(self, name: str) -> tuple[Scalar, ...]:
        """Return the values of a parameter in the table: its selected ones, or the middles of ranges."""
        return self.ranges.get(name, self.values[name])

    @property
    def notes(self) -> list[str]:
        """Lines of the title on ranges."""
        names = list_text([name.replace("_", " ") for name in self.ranges])
        sizes = list_text([str(n) for n in dict.fromkeys(map(len, self.ranges.values()))])
        return [f"cells pooled in {sizes} ranges of {names}"] if names else []

    @property
    def words(self) -> Statistic:
        """Labels of the statistic."""
        return STATISTICS[self.statistic]

    @property
    def nothing(self) -> str:
        """Sentence that says why no cell has a value."""
        return nothing_of(self.statistic)

    @property
    def is_count(self) -> bool:
        """Whether the statistic is a number of runs."""
        return is_count(self.statistic)

    @property
    def less_is_better(self) -> bool:
        """Whether the best cell has the lowest value."""
        return RANKED_BY.get(self.statistic, self.statistic != "n_converged")

    @property
    def is_loss(self) -> bool:
        """Whether the statistic is of losses or errors, which may have any size."""
        return is_loss(self.statistic)


def is_count(statistic: str) -> bool:
    """Return whether a statistic is a number of runs."""
    return statistic.startswith("n_") and not measure_of(statistic)


def counts_from_zero(statistic: str) -> bool:
    """Return whether a statistic is a number of runs, or of outputs: zero is part of its scale."""
    return is_count(statistic) or counts_outputs(measure_of(statistic) or "")


def nothing_of(statistic: str) -> str:
    """Return a sentence that says why no cell has a value of a statistic."""
    return f"nothing to draw: in every cell {STATISTICS[statistic].missing or UNTRAINED}"


def is_loss(statistic: str) -> bool:
    """Return whether a statistic is of losses, errors or quantities of networks, which may have any size."""
    measure = measure_of(statistic)
    return measure is not None and not counts_outputs(measure)


def statistic_of(result: Result, value: str | None) -> str:
    """Return the key of :data:`STATISTICS` that a name means; by default the rate or the final loss.

    Raises
    ------
    SweepError
        If the name is unknown, or the statistic is of convergence and there is no criterion.
    """
    statistic = column_of(value, STATISTICS) if value else default_statistic(result.study)
    if not measure_of(statistic):
        check_has_criterion(result.study)
    return statistic


def select(result: Result, value: str | None, at: At | None, shown: Sequence[str] | None = None) -> Selected:
    """Return a statistic of the cells with some values of parameters, pooled over the parameters that are not shown.

    Parameters
    ----------
    result
        Complete or partial.
    value
        As for :func:`statistic_of`.
    at
        Only these values of some parameters, as in :func:`sweep.study.selection.values_at`.
    shown
        Parameters to show; all by default.

    Returns
    -------
    Selected
        A row for each combination of the values of the shown parameters.

    Raises
    ------
    SweepError
        If the statistic or a value is unknown, there is no criterion, or a measure would need more rows of runs
        than are read for pooling.
    """
    statistic = statistic_of(result, value)
    measure = measure_of(statistic)
    every = result.measured_cells(measure) if measure else result.cells
    values = values_at(result.study, at)
    hidden = [name for name, entries in values.items() if len(entries) > 1 and name not in (shown or values)]
    grid, ranges = in_ranges(result.study, values, shown or ())
    if not (hidden or ranges):
        return Selected(cells_at(every, values), values, statistic)
    if not is_told_together(result, statistic):
        raise SweepError(
            f"this statistic pooled over all values of {list_text([*hidden, *ranges])} needs rows of runs, and these "
            "are too many to be read for it; pick one value of each with --at NAME=VALUE"
        )
    table = summarize_over(result, list(shown or ()), cells_at(every, values), measure, grid)
    return Selected(table, values, statistic, ranges)


def is_told_together(result: Result, statistic: str) -> bool:
    """Return whether a statistic can be pooled over cells; a measure needs rows that can be read, or counts."""
    return not measure_of(statistic) or pairs_seeds(result) or not result.keeps_runs


def bands_text(cells: pd.DataFrame, name: str) -> str:
    """Return the meaning of the bands of a statistic; empty if no cell has one, as for pooled cells without rows."""
    words = STATISTICS[name]
    return words.bands if words.band and cells[list(words.band)].notna().any(axis=None) else ""


def drawn_values(cells: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Return a column as it is drawn, (cells,): rates in percent, NaN if missing, infinite or a loss above 1e100."""
    column = cells[name].to_numpy(dtype=np.float64, na_value=np.nan)
    column = np.where(np.isinf(column) | (is_loss(name) & (np.abs(column) > _LARGEST)), np.nan, column)
    return 100 * column if name.startswith("convergence_rate") else column

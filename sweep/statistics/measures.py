"""Measures of runs at their end, by group: quantiles and means with their 95 % intervals.

A *measure* is a column of the runs. Infinite losses and errors, such as those of diverged runs, are larger than all
others, infinite margins smaller. NaN counts as infinite.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sweep.errors import SweepError
from sweep.statistics.clusters import Clusters
from sweep.statistics.estimates import MeanCorrect
from sweep.statistics.intervals import Array, quantile_ranks, wilson_interval
from sweep.study.cell_columns import recorded_quantities
from sweep.study.model import Study
from sweep.study.network_measures import NETWORK_MEASURES, QUANTITIES

# Measures and their names in sentences. Measures that begin with n_ count outputs.
MEASURES = {
    "final_loss": "final loss",
    "max_error": "largest error",
    "n_correct": "correct outputs",
    "test_loss": "loss with the test patterns",
    "n_test_correct": "correct outputs with the test patterns",
    **QUANTITIES,
}


def counts_outputs(measure: str) -> bool:
    """Return whether a measure is a number of correct outputs."""
    return measure.startswith("n_")


def more_is_better(measure: str) -> bool:
    """Return whether cells are ranked from the highest value of a measure."""
    return counts_outputs(measure) or (measure in QUANTITIES and NETWORK_MEASURES[measure].more_is_better)


def is_signed(measure: str) -> bool:
    """Return whether a measure may be negative."""
    return measure in QUANTITIES and NETWORK_MEASURES[measure].signed


def least(measure: str) -> float:
    """Return the lower bound of the values of a measure."""
    return -np.inf if is_signed(measure) else 0.0


# The statistic by which each measure is reported and ranked.
STATISTIC_OF = {name: f"{name}_mean" if counts_outputs(name) else f"{name}_q50" for name in MEASURES}

QUARTERS = {"q25": (1, 4), "q50": (1, 2), "q75": (3, 4)}
_ENDS = ("", "_low", "_high")


def measure_of(statistic: str) -> str | None:
    """Return the measure of a statistic, or None if it belongs to no measure."""
    return next((name for name in STATISTIC_OF if statistic.startswith(f"{name}_")), None)


def measures_of(study: Study) -> list[str]:
    """Return the measures of final networks that a study has."""
    recorded = recorded_quantities(study)
    return [
        name
        for name in STATISTIC_OF
        if (name in recorded if name in QUANTITIES else study.data.n_tests or "test" not in name)
    ]


def check_measure(study: Study, measure: str) -> None:
    """Check that a study has a measure.

    Raises
    ------
    SweepError
        If it does not record the measure, or the measure is one of test patterns and it has none.
    """
    if measure in QUANTITIES and measure not in recorded_quantities(study):
        raise SweepError(f"the study does not record {measure}; run it with --set record.measures={measure}")
    if measure not in measures_of(study):
        raise SweepError(
            f"the study has no test patterns, so its runs have no {measure}; hold some out: --set train_count=12"
        )


def most_correct(study: Study, measure: str) -> int:
    """Return the number of outputs that a measure counts, over all its patterns; 0 for other measures."""
    if not counts_outputs(measure):
        return 0
    return study.n_outputs if measure == "n_correct" else study.data.n_tests * study.n_evaluated


def measure_columns(measure: str) -> list[str]:
    """Return the names of the statistics of a measure."""
    if counts_outputs(measure):
        return [f"{measure}_mean{end}" for end in _ENDS]
    return [
        f"{name}{end}" for name in (*(f"{measure}_{quarter}" for quarter in QUARTERS), "finite_rate") for end in _ENDS
    ]


def quartile_columns(measure: str) -> list[str]:
    """Return the names of the quartiles of a measure and of their intervals."""
    return [f"{measure}_{quarter}{end}" for quarter in QUARTERS for end in _ENDS]


def as_measured(values: Array, measure: str) -> Array:
    """Return values of a measure as numbers that can be ordered; NaN becomes the worst value."""
    values = values.astype(np.float64)
    return np.where(np.isnan(values), -np.inf if more_is_better(measure) else np.inf, values)


def measure_statistics(
    measure: str, group: Array, values: Array, n: Array | None = None, most: int = 0
) -> pd.DataFrame:
    """Return the statistics of a measure by group, for independent runs.

    Parameters
    ----------
    measure
        A key of :data:`STATISTIC_OF`.
    group, values : (rows,)
        The group of each row, and its value from :func:`as_measured`.
    n : (rows,) of int
        Number of runs with this value; by default one each.
    most
        Number of outputs of a run over all patterns, for measures that count correct outputs.

    Returns
    -------
    DataFrame
        By group. For losses, errors and quantities of networks the quantiles ``_q25``, ``_q50`` and ``_q75``, and
        ``finite_rate``, the share of finite values. For correct outputs ``_mean``. Each has an interval in columns that
        end in ``_low`` and ``_high``.

    Notes
    -----
    The quantile q of N runs is the value of run ceil(q N) in ascending order. The ends of its interval are the values
    of two other runs (:func:`~sweep.statistics.intervals.quantile_ranks`), or the least possible value and infinity if
    even the first or the last run is no bound. The share has Wilson's interval, the mean that of
    :class:`~sweep.statistics.estimates.MeanCorrect`. Losses have no mean, since unseen runs may be so far off that no
    interval of the mean holds.
    """
    n = np.ones(len(values), np.int64) if n is None else n
    order = np.lexsort((values, group))
    group, values, n = group[order], values[order], n[order]
    numbers, starts = np.unique(group, return_index=True)
    if counts_outputs(measure):
        mean = MeanCorrect(Clusters.of_runs(starts, values, n), most)
        columns = dict(zip(measure_columns(measure), (mean.value, *mean.ends()), strict=True))
    else:
        columns = {**_quantiles(measure, values, n, starts), **_finite_rate(values, n, starts)}
    return pd.DataFrame(columns, pd.Index(numbers, name="group"))[measure_columns(measure)]


def values_at_ranks(values: Array, n: Array, starts: Array, ranks: Array, lowest: float = 0.0) -> Array:
    """Return the value at a rank in the ascending order of each group.

    Parameters
    ----------
    values, n : (rows,)
        Values, sorted by group and then ascending, and the number of runs with each.
    starts : (n_groups,)
        The first row of each group.
    ranks : (n_groups,)
        Ranks, counted from 1.
    lowest
        The lower bound of values.

    Returns
    -------
    values : (n_groups,)
        The value of the run at each rank; ``lowest`` for ranks below 1, infinity for ranks beyond the last run.
    """
    so_far = np.cumsum(n)
    before = so_far[starts] - n[starts]
    n_runs = np.add.reduceat(n, starts)
    found = values[np.searchsorted(so_far, before + np.clip(ranks, 1, n_runs))]
    return np.where(ranks < 1, lowest, np.where(ranks > n_runs, np.inf, found))


def quantile_interval(
    values: Array, n: Array, part: tuple[int, int], level: float, lowest: float = 0.0
) -> tuple[float, float]:
    """Return the interval of a quantile of one group, with confidence 1 - ``level``.

    Parameters
    ----------
    values, n : (rows,)
        Values in ascending order, and the number of runs with each.
    part
        Probability of the quantile, as numerator and denominator.
    level
        One minus the confidence.
    lowest
        The lower bound of values.

    Returns
    -------
    low, high : float
        Ends of the interval, in the unit of the values; ``lowest`` or infinity where no run bounds it.
    """
    ranks = np.array(quantile_ranks(int(n.sum()), part[0] / part[1], level), np.int64)
    start = np.zeros(1, np.int64)
    low, high = (float(values_at_ranks(values, n, start, ranks[[end]], lowest)[0]) for end in (0, 1))
    return low, high


def _quantiles(measure: str, values: Array, n: Array, starts: Array) -> dict[str, Array]:
    """Return quantiles with their intervals."""
    sizes, place = np.unique(np.add.reduceat(n, starts), return_inverse=True)
    columns = {}
    for quarter, (part, whole) in QUARTERS.items():
        bounds = np.array([quantile_ranks(size, part / whole) for size in sizes.tolist()])[place]
        points = -(-sizes * part // whole)[place]
        for end, ranks in zip(_ENDS, (points, *bounds.T), strict=True):
            columns[f"{measure}_{quarter}{end}"] = values_at_ranks(values, n, starts, ranks, least(measure))
    return columns


def _finite_rate(values: Array, n: Array, starts: Array) -> dict[str, Array]:
    """Return the share of finite values with its interval."""
    n_runs, n_finite = np.add.reduceat(n, starts), np.add.reduceat(n * np.isfinite(values), starts)
    ends = wilson_interval(n_finite, n_runs)
    return dict(zip((f"finite_rate{end}" for end in _ENDS), (n_finite / n_runs, *ends), strict=True))

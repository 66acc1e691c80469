"""Measures of runs at their end, by group: quantiles and means with their 95 % intervals.

A *measure* is a column of the runs. Infinite losses and errors, such as those of diverged runs, are larger than all
others, and infinite margins lower. So are those that are not a number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sweep.errors import SweepError
from sweep.statistics.intervals import Array, product_interval, quantile_ranks, student_quantile, wilson_interval
from sweep.study.cell_columns import recorded_quantities
from sweep.study.model import Study
from sweep.study.network_measures import NETWORK_MEASURES, QUANTITIES

# Measures, and what they are called in sentences. Those that begin with n_ count outputs.
MEASURES = {
    "final_loss": "final loss",
    "max_error": "largest error",
    "n_correct": "correct outputs",
    "test_loss": "loss with the test patterns",
    "n_test_correct": "correct outputs with the test patterns",
    **QUANTITIES,
}


def counts_outputs(measure: str) -> bool:
    """Return whether a measure is a number of outputs, of which more are better."""
    return measure.startswith("n_")


def more_is_better(measure: str) -> bool:
    """Return whether cells are ranked from the highest value of a measure."""
    return counts_outputs(measure) or (measure in QUANTITIES and NETWORK_MEASURES[measure].more_is_better)


def is_signed(measure: str) -> bool:
    """Return whether a measure may be negative."""
    return measure in QUANTITIES and NETWORK_MEASURES[measure].signed


def least(measure: str) -> float:
    """Return what no value of a measure is below."""
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
        If it does not record the measure, or has no test patterns, and the measure is of them.
    """
    if measure in QUANTITIES and measure not in recorded_quantities(study):
        raise SweepError(
            f"the study does not record {measure}, so its runs have none; a study with --set record.measures={measure} "
            "does"
        )
    if measure not in measures_of(study):
        raise SweepError(
            f"the study has no test patterns, so its runs have no {measure}; set some apart, as in --set train_count=12"
        )


def most_correct(study: Study, measure: str) -> int:
    """Return how many outputs of a network can be right, with the patterns of a measure."""
    return study.n_outputs if measure == "n_correct" else study.data.n_tests * study.n_judged


def measure_columns(measure: str) -> list[str]:
    """Return the names of the statistics of a measure."""
    if counts_outputs(measure):
        return [f"{measure}_mean{end}" for end in _ENDS]
    names = [f"{measure}_{quarter}" for quarter in QUARTERS]
    names += ["finite_rate"] if is_signed(measure) else [f"{measure}_geometric_mean", "finite_rate"]
    return [f"{name}{end}" for name in names for end in _ENDS]


def quartile_columns(measure: str) -> list[str]:
    """Return the names of the quartiles of a measure and of their intervals."""
    return [f"{measure}_{quarter}{end}" for quarter in QUARTERS for end in _ENDS]


def as_measured(values: Array, measure: str) -> Array:
    """Return values of a measure as numbers that can be ordered: NaN becomes the worst."""
    values = values.astype(np.float64)
    return np.where(np.isnan(values), -np.inf if more_is_better(measure) else np.inf, values)


def measure_statistics(measure: str, group: Array, values: Array, n: Array | None = None) -> pd.DataFrame:
    """Return the statistics of a measure by group, for independent runs.

    Parameters
    ----------
    measure
        A key of :data:`STATISTIC_OF`.
    group, values : (rows,)
        The number of each row's group, and its value as of :func:`as_measured`.
    n : (rows,) of int
        Number of runs that have the value; by default one each.

    Returns
    -------
    DataFrame
        By group. For losses, errors and quantities of networks the quantiles ``_q25``, ``_q50`` and ``_q75``;
        ``_geometric_mean`` of finite values (0 if one is 0, missing if there are none, no column if values may be
        negative); ``finite_rate``, the share of finite values. For correct outputs ``_mean``. Each has an interval in
        columns that end in ``_low`` and ``_high``.

    Notes
    -----
    The quantile q of N runs is the value of run ceil(q N) in ascending order. Its interval lies between two other runs
    (:func:`~sweep.statistics.intervals.quantile_ranks`): from the least possible value, 0 or minus infinity, where not
    even the first run is a lower bound, to infinity where not even the last is an upper bound. The share has Wilson's
    interval. The geometric mean has Student's interval of the logarithms, missing where the mean is 0 or there is one
    run; with fewer than about 20 runs, few of which differ much from the others, it covers less than its nominal level.
    The mean combines Wilson's interval for the share of runs with any correct outputs (diverged runs have none) and
    Student's for the mean of these, with the squares of one more run that has one more correct output added
    (:func:`~sweep.statistics.intervals.product_interval`).
    """
    n = np.ones(len(values), np.int64) if n is None else n
    order = np.lexsort((values, group))
    group, values, n = group[order], values[order], n[order]
    numbers, starts = np.unique(group, return_index=True)
    if counts_outputs(measure):
        columns = _mean(measure, values, n, starts)
    else:
        columns = {**_quantiles(measure, values, n, starts), **_geometric_mean(measure, values, n, starts)}
    return pd.DataFrame(columns, pd.Index(numbers, name="group"))[measure_columns(measure)]


def values_at_ranks(values: Array, n: Array, starts: Array, ranks: Array, lowest: float = 0.0) -> Array:
    """Return the value at a given rank in each group's ascending order.

    Parameters
    ----------
    values, n : (rows,)
        Values, sorted by group and then ascending, and the number of runs that have each.
    starts : (n_groups,)
        The first row of each group.
    ranks : (n_groups,)
        Ranks, counted from 1.
    lowest
        What no value is below.

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
        Values in ascending order, and the number of runs that have each.
    part
        Probability of the quantile, as numerator and denominator.
    level
        One less the confidence.
    lowest
        What no value is below.

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


def _geometric_mean(measure: str, values: Array, n: Array, starts: Array) -> dict[str, Array]:
    """Return the geometric mean of finite values and their share, with intervals."""
    finite = np.isfinite(values)
    n_runs, n_finite = np.add.reduceat(n, starts), np.add.reduceat(n * finite, starts)
    has_zero = np.add.reduceat(values == 0, starts) > 0
    logarithms = np.log(np.where(finite & (values > 0), values, 1.0))
    mean, spread = _moments(logarithms, n * finite, starts, 0.0)
    known = (n_finite > 0) & ~has_zero
    rates = (n_finite / n_runs, *wilson_interval(n_finite, n_runs))
    with np.errstate(over="ignore"):
        middle, *ends = (np.where(known, np.exp(each), np.nan) for each in (mean, mean - spread, mean + spread))
    means = [np.where(has_zero, 0.0, middle), *ends]
    return {
        f"{name}{end}": column
        for name, columns in ((f"{measure}_geometric_mean", means), ("finite_rate", rates))
        for end, column in zip(_ENDS, columns, strict=True)
    }


def _mean(measure: str, values: Array, n: Array, starts: Array) -> dict[str, Array]:
    """Return the mean with its interval: the share of runs with any correct output times the mean of these."""
    some = values > 0
    n_runs, n_some = np.add.reduceat(n, starts), np.add.reduceat(n * some, starts)
    rate = n_some / n_runs
    each, spread = _moments(values, n * some, starts, 1.0)
    low, high = product_interval((rate, *wilson_interval(n_some, n_runs)), (each, each - spread, each + spread))
    columns = (np.add.reduceat(n * values, starts) / n_runs, np.maximum(low, 0.0), high)
    return dict(zip(measure_columns(measure), columns, strict=True))


def _moments(values: Array, n: Array, starts: Array, more: float) -> tuple[Any, Any]:
    """Return means and half widths of their intervals, missing for one run. ``more`` is added to the sum of squares."""
    sizes = np.add.reduceat(n, starts)
    mean = np.add.reduceat(n * values, starts) / np.maximum(sizes, 1)
    rests = values - np.repeat(mean, np.diff(np.append(starts, len(values))))
    squares = np.add.reduceat(n * rests**2, starts) + more
    error = np.sqrt(squares / np.maximum(sizes - 1, 1) / np.maximum(sizes, 1))
    return mean, student_quantile(sizes) * error

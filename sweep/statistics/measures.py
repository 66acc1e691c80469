"""What was measured of runs when they ended, by group: quantiles and means with their 95 % intervals.

A *measure* is a column of the runs. Losses and errors that are infinite, as those of runs that diverged, are larger
than all others; so are those that are no number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sweep.statistics.intervals import Array, product_interval, quantile_ranks, student_quantile, wilson_interval

# What each measure is told and ranked by.
STATISTIC_OF = {"final_loss": "final_loss_q50", "max_error": "max_error_q50", "n_correct": "n_correct_mean"}

QUARTERS = {"q25": (1, 4), "q50": (1, 2), "q75": (3, 4)}
_ENDS = ("", "_low", "_high")


def measure_of(statistic: str) -> str | None:
    """Return the measure that a statistic is of, or None if it is of no measure."""
    return next((name for name in STATISTIC_OF if statistic.startswith(f"{name}_")), None)


def measure_columns(measure: str) -> list[str]:
    """Return the names of the statistics of a measure."""
    if measure == "n_correct":
        return [f"n_correct_mean{end}" for end in _ENDS]
    names = [*(f"{measure}_{quarter}" for quarter in QUARTERS), f"{measure}_geometric_mean", "finite_rate"]
    return [f"{name}{end}" for name in names for end in _ENDS]


def as_measured(values: Array) -> Array:
    """Return values of a measure as numbers that can be ordered: what is no number is infinite."""
    values = values.astype(np.float64)
    return np.where(np.isnan(values), np.inf, values)


def measure_statistics(measure: str, group: Array, values: Array, n: Array | None = None) -> pd.DataFrame:
    """Return the statistics of a measure of groups of runs, which are independent.

    Parameters
    ----------
    measure
        A key of :data:`STATISTIC_OF`.
    group, values : (rows,)
        The number of the group of each row, and its value as of :func:`as_measured`.
    n : (rows,) of int
        Runs that have it; by default one each.

    Returns
    -------
    DataFrame
        By group. Of losses and errors ``_q25``, ``_q50`` and ``_q75``; ``_geometric_mean`` of those that are finite, 0
        if one of them is, missing if none is; and ``finite_rate``, the share that is finite. Of outputs that are right
        ``n_correct_mean``. Each has an interval in columns that end in ``_low`` and ``_high``.

    Notes
    -----
    The quantile q of N runs is the value of run ceil(q N) in their order, and its interval lies between two others
    (:func:`~sweep.statistics.intervals.quantile_ranks`): from 0 where not even the first run is a lower bound, to
    infinity where not even the last is an upper one. That of the share is Wilson's. That of the geometric mean is
    Student's of the logarithms, missing where it is 0 or of one run; of fewer than some 20 runs, few of which are far
    from the others, it covers less than it says. That of the mean is made of Wilson's for the share of runs that have
    any, as those that diverged have none, and of Student's for the mean of these, with as much added to the squares as
    one run that has one more (:func:`~sweep.statistics.intervals.product_interval`).
    """
    n = np.ones(len(values), np.int64) if n is None else n
    order = np.lexsort((values, group))
    group, values, n = group[order], values[order], n[order]
    numbers, starts = np.unique(group, return_index=True)
    if measure == "n_correct":
        columns = _mean(values, n, starts)
    else:
        columns = {**_quantiles(measure, values, n, starts), **_geometric_mean(measure, values, n, starts)}
    return pd.DataFrame(columns, pd.Index(numbers, name="group"))


def values_at_ranks(values: Array, n: Array, starts: Array, ranks: Array) -> Array:
    """Return the value of the run of each group that has a rank in its order, from 1 on; 0 before, infinity behind.

    Parameters
    ----------
    values, n : (rows,)
        By group, and in the order of values; and how many runs have each.
    starts : (n_groups,)
        The first row of each group.
    ranks : (n_groups,)
    """
    so_far = np.cumsum(n)
    before = so_far[starts] - n[starts]
    n_runs = np.add.reduceat(n, starts)
    found = values[np.searchsorted(so_far, before + np.clip(ranks, 1, n_runs))]
    return np.where(ranks < 1, 0.0, np.where(ranks > n_runs, np.inf, found))


def quantile_interval(values: Array, n: Array, part: tuple[int, int], level: float) -> tuple[float, float]:
    """Return the interval of a quantile of one group, which holds it with 1 less ``level``.

    Parameters
    ----------
    values, n : (rows,)
        In the order of values, and how many runs have each.
    part
        Of the runs, as numerator and denominator.
    level
    """
    ranks = np.array(quantile_ranks(int(n.sum()), part[0] / part[1], level), np.int64)
    low, high = (float(values_at_ranks(values, n, np.zeros(1, np.int64), ranks[[end]])[0]) for end in (0, 1))
    return low, high


def _quantiles(measure: str, values: Array, n: Array, starts: Array) -> dict[str, Array]:
    """Return quantiles with their intervals."""
    sizes, place = np.unique(np.add.reduceat(n, starts), return_inverse=True)
    columns = {}
    for quarter, (part, whole) in QUARTERS.items():
        bounds = np.array([quantile_ranks(size, part / whole) for size in sizes.tolist()])[place]
        points = -(-sizes * part // whole)[place]
        for end, ranks in zip(_ENDS, (points, *bounds.T), strict=True):
            columns[f"{measure}_{quarter}{end}"] = values_at_ranks(values, n, starts, ranks)
    return columns


def _geometric_mean(measure: str, values: Array, n: Array, starts: Array) -> dict[str, Array]:
    """Return the geometric mean of values that are finite and their share, with their intervals."""
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


def _mean(values: Array, n: Array, starts: Array) -> dict[str, Array]:
    """Return the mean with its interval: the share of runs that have any times the mean of these."""
    some = values > 0
    n_runs, n_some = np.add.reduceat(n, starts), np.add.reduceat(n * some, starts)
    rate = n_some / n_runs
    each, spread = _moments(values, n * some, starts, 1.0)
    low, high = product_interval((rate, *wilson_interval(n_some, n_runs)), (each, each - spread, each + spread))
    columns = (np.add.reduceat(n * values, starts) / n_runs, np.maximum(low, 0.0), high)
    return dict(zip(measure_columns("n_correct"), columns, strict=True))


def _moments(values: Array, n: Array, starts: Array, more: float) -> tuple[Any, Any]:
    """Return means, and by how much their intervals reach beyond; missing for one run. ``more`` adds to the squares."""
    sizes = np.add.reduceat(n, starts)
    mean = np.add.reduceat(n * values, starts) / np.maximum(sizes, 1)
    rests = values - np.repeat(mean, np.diff(np.append(starts, len(values))))
    squares = np.add.reduceat(n * rests**2, starts) + more
    error = np.sqrt(squares / np.maximum(sizes - 1, 1) / np.maximum(sizes, 1))
    return mean, student_quantile(sizes) * error

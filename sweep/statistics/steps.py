"""Statistics of steps: quantiles, restricted mean (RMST), and expected running time with restarts (ERT).

All functions take *ends* (:func:`ends_by_group`) and return values by group.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sweep.statistics.clusters import Clusters
from sweep.statistics.estimates import ExpectedSteps, RestrictedMean
from sweep.statistics.intervals import Array, quantile_ranks
from sweep.statistics.tally import with_equal_cells

QUANTILES = {"steps_q25": (1, 4), "steps_q50": (1, 2), "steps_q75": (3, 4)}


def ends_by_group(tally: pd.DataFrame, group: Array, most_steps: Array) -> pd.DataFrame:
    """Return a tally sorted by group and steps.

    Parameters
    ----------
    tally
        Counts of runs by cell, status and steps.
    group, most_steps : (rows,)
        For each row its group, such as the cell, and the step limit of its runs.

    Returns
    -------
    DataFrame
        The tally in this order, with columns ``group`` and ``most_steps``.
    """
    order = np.argsort(group.astype(np.int64) * 2**31 + tally["steps"].to_numpy(), kind="stable")
    return tally.assign(group=group, most_steps=most_steps).iloc[order]


def steps_quantiles(ends: pd.DataFrame) -> pd.DataFrame:
    """Return quantiles of the steps to converge, each with its 95 % interval.

    Returns
    -------
    DataFrame
        By group, columns ``steps_q25``, ``steps_q50`` and ``steps_q75`` with ``_low`` and ``_high``, in steps. Values
        that are not reached are missing. A lower end below the first run is 0.

    Notes
    -----
    Runs that do not converge count as longer than all others. The ends of the interval are the steps of two runs
    (:func:`~sweep.statistics.intervals.quantile_ranks`).
    """
    return steps_at_ranks(ends, _ranks(ends.groupby("group")["n"].sum()))


def steps_at_ranks(ends: pd.DataFrame, ranks: Mapping[str, pd.Series[int]]) -> pd.DataFrame:
    """Return the steps of the runs at some ranks in ascending order. Runs that do not converge come last.

    Parameters
    ----------
    ends
        A table from :func:`ends_by_group`.
    ranks
        Ranks from 1 by group, for each column. The steps at rank 0 are 0.

    Returns
    -------
    DataFrame
        By group, a column for each key of ``ranks``; missing if fewer runs converged.
    """
    n_runs = ends.groupby("group")["n"].sum()
    converged = ends[ends["status"] == "converged"]
    n_converged = converged.groupby("group")["n"].sum().reindex(n_runs.index, fill_value=0)
    so_far, before = converged["n"].cumsum().to_numpy(), n_converged.cumsum() - n_converged
    steps = np.append(converged["steps"].to_numpy(), 0)  # one more for ranks beyond the last run
    columns = {}
    for name, of_groups in ranks.items():
        places = np.searchsorted(so_far, before + of_groups)
        reached = pd.Series(steps[places], n_runs.index, dtype="Int64").where(of_groups <= n_converged)
        columns[name] = reached.mask(of_groups == 0, 0)
    return pd.DataFrame(columns)


def _ranks(n_runs: pd.Series[int]) -> dict[str, pd.Series[int]]:
    """Return the rank of each column of quantiles, by group."""
    ranks: dict[str, dict[int, int]] = {f"{name}{end}": {} for name in QUANTILES for end in ("", "_low", "_high")}
    for name, (part, whole) in QUANTILES.items():
        for n in n_runs.unique().tolist():  # mostly one
            low, high = quantile_ranks(n, part / whole)
            for column, rank in ((name, -(-n * part // whole)), (f"{name}_low", low), (f"{name}_high", high)):
                ranks[column][n] = rank
    return {column: n_runs.map(of_runs) for column, of_runs in ranks.items()}


def mean_steps(ends: pd.DataFrame) -> pd.DataFrame:
    """Return the restricted mean of steps (RMST) and the expected running time (ERT), for independent runs.

    Parameters
    ----------
    ends
        A table from :func:`ends_by_group`.

    Returns
    -------
    DataFrame
        By group: ``restricted_mean_steps``, in which runs that do not converge count with their limit, its standard
        error ``restricted_mean_steps_error`` (missing for one run), and ``expected_steps``, the steps of all runs per
        converged run (infinite if none converged). Columns ``_low`` and ``_high`` are 95 % intervals
        (:mod:`sweep.statistics.estimates`).
    """
    group = ends["group"].to_numpy()
    restricted = RestrictedMean(_clusters(ends, saved=True), ends["most_steps"].to_numpy(np.int64))
    return pd.DataFrame(
        columns_of_steps(restricted, expected_steps(ends)), pd.Index(group[_starts(ends)], name="group")
    )


def expected_steps(ends: pd.DataFrame) -> ExpectedSteps:
    """Return the expected running time (ERT) by group, for independent runs."""
    return ExpectedSteps(_clusters(ends))


def _starts(ends: pd.DataFrame) -> Array:
    """Return the first row of each group."""
    return np.flatnonzero(np.diff(ends["group"].to_numpy(), prepend=-1))


def _clusters(ends: pd.DataFrame, *, saved: bool = False) -> Clusters:
    """Return single runs as clusters, with their steps or with the steps that they save of their limits."""
    starts, converged = _starts(ends), (ends["status"] == "converged").to_numpy()
    steps, most_steps = ends["steps"].to_numpy(np.int64), ends["most_steps"].to_numpy(np.int64)
    most = np.maximum.reduceat(most_steps, starts) if len(starts) else starts
    of_converged = np.where(converged, most_steps - steps if saved else steps, 0)
    once, of_others = np.ones(len(ends), np.int64), np.where(converged, 0, steps)
    return Clusters(starts, once, converged, of_converged, of_others, most, ends["n"].to_numpy())


def columns_of_steps(restricted: RestrictedMean, expected: ExpectedSteps) -> dict[str, Array]:
    """Return the columns of both estimates: their values, intervals, and the standard error of the restricted mean."""
    columns = {"restricted_mean_steps": restricted.value, "restricted_mean_steps_error": restricted.error}
    columns |= dict(zip(("restricted_mean_steps_low", "restricted_mean_steps_high"), restricted.ends(), strict=True))
    columns["expected_steps"] = expected.value
    return columns | dict(zip(("expected_steps_low", "expected_steps_high"), expected.ends(), strict=True))


def steps_of_equal_cells(ends: pd.DataFrame) -> pd.DataFrame:
    """Return statistics of steps with equal weights for cells, whatever their numbers of runs.

    Parameters
    ----------
    ends
        A table from :func:`ends_by_group`, with a column ``cell``.

    Returns
    -------
    DataFrame
        By group, quantiles, restricted mean and expected steps, without intervals.
    """
    group, steps, weight = ends["group"], ends["steps"], with_equal_cells(ends)["weight"]
    succeeds = ends["status"] == "converged"
    converged = weight.where(succeeds, 0.0)
    parts = {"all": weight, "converged": converged, "took": weight * steps}
    parts["needed"] = weight * steps.where(succeeds, ends["most_steps"])
    sums = pd.DataFrame(parts).groupby(group).sum()
    columns = {}
    so_far = converged.groupby(group).cumsum()
    for name, (part, whole) in QUANTILES.items():
        reached = succeeds & (so_far > part / whole * group.map(sums["all"]) - 1e-9)  # sums of fractions are not exact
        columns[name] = steps[reached].groupby(group[reached]).first().reindex(sums.index).astype("Int64")
    return pd.DataFrame(columns).assign(
        restricted_mean_steps=sums["needed"] / sums["all"],
        expected_steps=(sums["took"] / sums["converged"]).where(sums["converged"] > 0, np.inf),
    )

"""Statistics of steps: quantiles, restricted mean (RMST), and expected running time with restarts (ERT).

All functions use *ends*, see :func:`ends_by_group`, and return values by group.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sweep.statistics.intervals import Array, Z, product_interval, quantile_ranks, saved_interval, wilson_interval
from sweep.statistics.tally import with_equal_cells

QUANTILES = {"steps_q25": (1, 4), "steps_q50": (1, 2), "steps_q75": (3, 4)}


def ends_by_group(tally: pd.DataFrame, group: Array, most_steps: Array) -> pd.DataFrame:
    """Return a tally sorted by group and steps.

    Parameters
    ----------
    tally
        Counts of runs by cell, status and steps.
    group, most_steps : (rows,)
        For each row the number of its group, such as the cell, and the limit of steps of its runs.

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
        By group, columns ``steps_q50`` and so on, ``steps_q50_low`` and ``steps_q50_high``, in steps. A value is
        missing where fewer runs converged. A lower end below the first run is 0.

    Notes
    -----
    Runs that do not converge count as longer than all others. The interval lies between two runs in ascending order,
    see :func:`~sweep.statistics.intervals.quantile_ranks`.
    """
    return steps_at_ranks(ends, _ranks(ends.groupby("group")["n"].sum()))


def steps_at_ranks(ends: pd.DataFrame, ranks: Mapping[str, pd.Series[int]]) -> pd.DataFrame:
    """Return the steps of the runs at given ranks in ascending order; runs that do not converge come last.

    Parameters
    ----------
    ends
        As of :func:`ends_by_group`.
    ranks
        For each column the rank from 1, by group. The steps at rank 0 are 0.

    Returns
    -------
    DataFrame
        By group, a column for each key of ``ranks``; missing where fewer runs converged.
    """
    n_runs = ends.groupby("group")["n"].sum()
    converged = ends[ends["status"] == "converged"]
    n_converged = converged.groupby("group")["n"].sum().reindex(n_runs.index, fill_value=0)
    so_far, before = converged["n"].cumsum().to_numpy(), n_converged.cumsum() - n_converged
    steps = np.append(converged["steps"].to_numpy(), 0)  # one more, for ranks beyond the last run
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


def restricted_means(ends: pd.DataFrame) -> pd.DataFrame:
    """Return the restricted mean of the steps to converge: runs that do not converge count with their limit.

    Parameters
    ----------
    ends
        As of :func:`ends_by_group`.

    Returns
    -------
    DataFrame
        By group: ``restricted_mean_steps`` (restricted mean survival time, RMST), ``restricted_mean_steps_error``, its
        standard error (missing for one run), and ``restricted_mean_steps_low`` and ``restricted_mean_steps_high``, its
        95 % interval.

    Notes
    -----
    The mean is the limit less the share of runs that converge times the mean steps that these save of it. The interval
    combines Wilson's for the share and Student's for the mean (:func:`~sweep.statistics.intervals.product_interval`),
    so it is valid also where nearly all runs or hardly any converge, and no run unlike the others was seen.
    """
    group, n = ends["group"], ends["n"]
    converged = n.where(ends["status"] == "converged", 0)
    saved = ends["most_steps"] - ends["steps"].where(converged > 0, ends["most_steps"])
    columns = {"n": n, "converged": converged, "most": n * ends["most_steps"], "saved": n * saved}
    sums = pd.DataFrame(columns).groupby(group).sum()
    mean, each = (sums["most"] - sums["saved"]) / sums["n"], sums["saved"] / sums["converged"].clip(lower=1)
    rests = {"mean": ends["most_steps"] - saved - group.map(mean), "each": saved - group.map(each)}
    squares = (
        pd.DataFrame({"mean": n * rests["mean"] ** 2, "each": converged * rests["each"] ** 2}).groupby(group).sum()
    )
    error = ((squares["mean"] / (sums["n"] - 1) / sums["n"]) ** 0.5).where(sums["n"] > 1)
    successes, n_runs = sums["converged"].to_numpy(), sums["n"].to_numpy()
    of_each = np.sqrt(squares["each"].to_numpy() / np.maximum(successes - 1, 1) / np.maximum(successes, 1))
    low, high = product_interval(
        (successes / n_runs, *wilson_interval(successes, n_runs)),
        saved_interval(each.to_numpy(), of_each, successes, ends["most_steps"].groupby(group).max().to_numpy()),
    )
    whole = sums["most"] / sums["n"]
    return pd.DataFrame(
        {
            "restricted_mean_steps": mean,
            "restricted_mean_steps_error": error,
            "restricted_mean_steps_low": whole - high,
            "restricted_mean_steps_high": whole - low,
        }
    )


def expected_steps(ends: pd.DataFrame) -> pd.DataFrame:
    """Return the expected running time (ERT): steps until a success if each failed run is followed by another.

    Returns
    -------
    DataFrame
        By group: ``expected_steps``, the steps of all runs per converged run (infinite if none converged), and
        ``expected_steps_low`` and ``expected_steps_high``, its 95 % interval (missing if none converged, or for one
        run).

    Notes
    -----
    A ratio of two means. The interval is symmetric in the logarithm, with the standard error of the delta method.
    """
    n, converged = ends["n"], (ends["status"] == "converged").astype(np.int64)
    sums = pd.DataFrame({"n": n, "steps": n * ends["steps"], "converged": n * converged}).groupby(ends["group"]).sum()
    succeeds = sums["converged"] > 0
    ratio = (sums["steps"] / sums["converged"]).where(succeeds, np.inf)
    rest = ends["steps"] - converged * ends["group"].map(ratio.where(succeeds, 0.0))
    squares = (n * rest**2).groupby(ends["group"]).sum()
    error = (sums["n"] * squares / (sums["n"] - 1)) ** 0.5 / sums["converged"].where(succeeds)
    factor = np.exp(Z * (error / ratio.where(ratio > 0, 1.0)).where(sums["n"] > 1))
    return pd.DataFrame(
        {"expected_steps": ratio, "expected_steps_low": ratio / factor, "expected_steps_high": ratio * factor}
    )


def steps_of_equal_cells(ends: pd.DataFrame) -> pd.DataFrame:
    """Return statistics of steps in which all cells have equal weight, whatever their numbers of runs.

    Parameters
    ----------
    ends
        As of :func:`ends_by_group`, with a column ``cell``.

    Returns
    -------
    DataFrame
        By group, quantiles, the restricted mean and expected steps, as of the functions above; without intervals.
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

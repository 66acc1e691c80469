"""How many steps it takes: quantiles, means, and what a success costs where runs are restarted.

All functions take *ends*: a tally with the number of its ``group`` in each row, such as that of the cell,
and return values by group.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from sweep.statistics.intervals import Z, quantile_ranks

QUANTILES = {"steps_q25": (1, 4), "steps_q50": (1, 2), "steps_q75": (3, 4)}


def steps_quantiles(ends: pd.DataFrame) -> pd.DataFrame:
    """Return by which steps so many of all runs converged, each with its 95 % interval.

    Returns
    -------
    DataFrame
        Columns ``steps_q50`` and so on, ``steps_q50_low`` and ``steps_q50_high``, by group; missing where so many never
        converged. A lower end below the first run is 0.

    Notes
    -----
    Runs that do not converge count as longer than all others. The interval lies between two runs in their order,
    see :func:`~sweep.statistics.intervals.quantile_ranks`.
    """
    n_runs = ends.groupby("group")["n"].sum()
    columns = {}
    for name, (part, whole) in QUANTILES.items():
        columns[name] = _steps_of(ends, n_runs.map(_rank_of(part, whole)))
        columns[f"{name}_low"] = _steps_of(ends, n_runs.map(_low_rank_of(part, whole)))
        columns[f"{name}_high"] = _steps_of(ends, n_runs.map(_high_rank_of(part, whole)))
    return pd.DataFrame(columns)


def _rank_of(part: int, whole: int) -> Callable[[int], int]:
    """Return how many runs of n are the share part / whole, rounded up."""
    return lambda n: -(-n * part // whole)


def _low_rank_of(part: int, whole: int) -> Callable[[int], int]:
    return lambda n: quantile_ranks(n, part / whole)[0]


def _high_rank_of(part: int, whole: int) -> Callable[[int], int]:
    return lambda n: quantile_ranks(n, part / whole)[1]


def _steps_of(ends: pd.DataFrame, rank: pd.Series[int]) -> pd.Series[int]:
    """Return after how many steps the run of a rank converged, by group; 0 for rank 0."""
    converged = ends[ends["status"] == "converged"].sort_values(["group", "steps"])
    by_then = converged.groupby("group")["n"].cumsum()
    reached = converged["steps"].where(by_then >= converged["group"].map(rank))
    steps = reached.groupby(converged["group"]).min().reindex(rank.index).astype("Int64")
    return steps.mask(rank == 0, 0)


def restricted_means(ends: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over all runs of the steps to converge, the most that they may take if they do not.

    Parameters
    ----------
    ends
        With a column ``most_steps``.

    Returns
    -------
    DataFrame
        ``restricted_mean_steps`` and ``restricted_mean_steps_error``, its standard error (missing for one run).
    """
    steps = ends["steps"].where(ends["status"] == "converged", ends["most_steps"])
    sums = pd.DataFrame({"n": ends["n"], "steps": ends["n"] * steps}).groupby(ends["group"]).sum()
    mean = sums["steps"] / sums["n"]
    squares = (ends["n"] * (steps - ends["group"].map(mean)) ** 2).groupby(ends["group"]).sum()
    error = ((squares / (sums["n"] - 1) / sums["n"]) ** 0.5).where(sums["n"] > 1)
    return pd.DataFrame({"restricted_mean_steps": mean, "restricted_mean_steps_error": error})


def expected_steps(ends: pd.DataFrame) -> pd.DataFrame:
    """Return the steps that a success takes where each run that does not converge is followed by another one.

    Returns
    -------
    DataFrame
        ``expected_steps``, the steps of all runs for each that converged (infinite if none did), and
        ``expected_steps_low`` and ``expected_steps_high``, their 95 % interval (missing if none did, or of one run).

    Notes
    -----
    A ratio of two means; the interval is symmetric in its logarithm, with the standard error of the delta method.
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


def best_restarts(ends: pd.DataFrame) -> pd.DataFrame:
    """Return after how many steps to give a run up and begin another, so that a success takes the fewest steps.

    Returns
    -------
    DataFrame
        ``restart_steps``, the first of the best limits (missing if no run converged), and ``restarted_steps``, the
        steps that a success then takes (infinite if none did).

    Notes
    -----
    With a limit c a run costs min(steps, c) and succeeds if it converges by c, so a success takes the sum of the one
    for each of the other. Only steps at which a run converged can be best.
    """
    ends = ends.sort_values(["group", "steps"])
    group, n, steps, converged = ends["group"], ends["n"], ends["steps"], ends["status"] == "converged"
    n_runs = group.map(ends.groupby("group")["n"].sum())
    sums = pd.DataFrame({"n": n, "steps": n * steps, "converged": n.where(converged, 0)}).groupby(group).cumsum()
    cost = sums["steps"] + steps * (n_runs - sums["n"])
    restarted = (cost / sums["converged"])[converged]
    best = restarted.groupby(group[converged]).idxmin()
    groups = n_runs.groupby(group).first().index
    return pd.DataFrame(
        {
            "restart_steps": steps[best].set_axis(best.index).reindex(groups).astype("Int64"),
            "restarted_steps": restarted[best].set_axis(best.index).reindex(groups).fillna(np.inf),
        }
    )

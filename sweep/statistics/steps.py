"""How many steps it takes: quantiles, means, and what a success costs where runs are restarted.

All functions take *ends*, see :func:`ends_by_group`, and return values by group.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sweep.statistics.intervals import Array, Z, quantile_ranks

QUANTILES = {"steps_q25": (1, 4), "steps_q50": (1, 2), "steps_q75": (3, 4)}


def ends_by_group(tally: pd.DataFrame, group: Array, most_steps: Array) -> pd.DataFrame:
    """Return a tally in the order of groups and steps.

    Parameters
    ----------
    tally
    group, most_steps : (rows,)
        Of the runs of each row: the number of their group, such as the cell, and the most steps that they may take.
    """
    order = np.argsort(group.astype(np.int64) * 2**31 + tally["steps"].to_numpy(), kind="stable")
    return tally.assign(group=group, most_steps=most_steps).iloc[order]


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
    converged = ends[ends["status"] == "converged"]
    n_converged = converged.groupby("group")["n"].sum().reindex(n_runs.index, fill_value=0)
    so_far, before = converged["n"].cumsum().to_numpy(), n_converged.cumsum() - n_converged
    steps = np.append(converged["steps"].to_numpy(), 0)  # one more, for ranks that nothing reaches
    columns = {}
    for name, ranks in _ranks(n_runs).items():
        places = np.searchsorted(so_far, before + ranks)
        reached = pd.Series(steps[places], n_runs.index, dtype="Int64").where(ranks <= n_converged)
        columns[name] = reached.mask(ranks == 0, 0)
    return pd.DataFrame(columns)


def _ranks(n_runs: pd.Series[int]) -> dict[str, pd.Series[int]]:
    """Return for each column of quantiles the rank of the run whose steps it tells, by group."""
    ranks: dict[str, dict[int, int]] = {f"{name}{end}": {} for name in QUANTILES for end in ("", "_low", "_high")}
    for name, (part, whole) in QUANTILES.items():
        for n in n_runs.unique().tolist():  # mostly one
            low, high = quantile_ranks(n, part / whole)
            for column, rank in ((name, -(-n * part // whole)), (f"{name}_low", low), (f"{name}_high", high)):
                ranks[column][n] = rank
    return {column: n_runs.map(of_runs) for column, of_runs in ranks.items()}


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
    group, n, steps, converged = ends["group"], ends["n"], ends["steps"], ends["status"] == "converged"
    sums = pd.DataFrame({"n": n, "steps": n * steps, "converged": n.where(converged, 0)})
    whole = sums.groupby(group).sum()
    so_far = sums.cumsum() - (whole.cumsum() - whole).loc[group].set_axis(sums.index)  # in the own group
    cost = so_far["steps"] + steps * (group.map(whole["n"]) - so_far["n"])
    restarted = (cost / so_far["converged"])[converged]
    best = restarted.groupby(group[converged]).idxmin()
    return pd.DataFrame(
        {
            "restart_steps": steps[best].set_axis(best.index).reindex(whole.index).astype("Int64"),
            "restarted_steps": restarted[best].set_axis(best.index).reindex(whole.index).fillna(np.inf),
        }
    )

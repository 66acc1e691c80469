"""What matters: the variance between runs, divided among the parameters and the seed.

The functional analysis of variance, exact on a grid: the part of a parameter is the variance of the means for each of
its values; that of two parameters together, the variance of the means for each pair of values less the parts of both;
that of the seed, the mean variance between the runs of a cell. Nothing is fitted or drawn.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from sweep.plan import Plan
from sweep.statistics.intervals import Array
from sweep.statistics.outcomes import Outcomes

# What varies between runs: 1 for one that converged, else 0; its steps, the most that it may take if it did not.
EXPLAINED = ("convergence_rate", "restricted_mean_steps")

# Seeds from which on parts of them tell how far shares may be off.
LEAST_SEEDS = 10

REST = "three or more together"
SEED = "seed"

# Parts of the seeds that are left out in turn, for errors.
_MOST_PARTS = 20


def importance(cells: pd.DataFrame, plan: Plan, statistic: str, outcomes: Outcomes | None = None) -> pd.DataFrame:
    """Divide the variance between all runs of a study.

    Parameters
    ----------
    cells
        Statistics of all cells, in their order.
    plan
    statistic
        One of :data:`EXPLAINED`.
    outcomes
        Of all runs, for errors.

    Returns
    -------
    DataFrame
        A row for each swept parameter, each two of them, all that three or more do together (with more than two
        parameters), and the seed, which is all that cells do not explain: ``term``, ``variance``, the parts of which
        add up to the variance between all runs, ``share`` of it, ``share_by_chance``, what the share would be on
        average if the term did nothing (missing for one seed), and ``share_error``, the standard error of the share
        (missing without outcomes, and of fewer than 10 seeds).

    Notes
    -----
    Hoeffding's decomposition; see Hutter, Hoos and Leyton-Brown, Proc. ICML 32 (2014) 754, who fit a forest for it. The
    error is that of the jackknife that leaves out one part of the seeds in turn. The mean of a cell is itself not
    exact: by chance the part of a term is its degrees of freedom times the variance between the runs of a cell, over
    the number of all runs.
    """
    terms, variances = _divide(*_moments(cells, statistic), plan)
    total = variances.sum()
    table = pd.DataFrame({"term": terms, "variance": variances[:, 0]})
    table["share"] = table["variance"] / total if total else 0.0
    n_seeds = plan.n_seeds
    noise = variances[-1, 0] / (n_seeds - 1) / plan.n_cells / (total or 1.0) if n_seeds > 1 else np.nan
    table["share_by_chance"] = np.append(_degrees_of_freedom(plan) * noise, 0.0 if n_seeds > 1 else np.nan)
    table["share_error"] = np.nan
    if outcomes is not None and n_seeds >= LEAST_SEEDS:
        _, without = _divide(*_moments_without_parts(outcomes, plan, statistic), plan)
        totals = without.sum(axis=0)
        shares = np.divide(without, totals, out=np.zeros_like(without), where=totals > 0)
        table["share_error"] = np.sqrt((shares.shape[1] - 1) * shares.var(axis=1))
    return table


def _moments(cells: pd.DataFrame, statistic: str) -> tuple[Array, Array]:
    """Return mean and variance of the runs of each cell, (n_cells, 1) each."""
    mean = cells[statistic].to_numpy(np.float64)
    if statistic == "convergence_rate":
        variance = mean * (1 - mean)
    else:
        error = cells["restricted_mean_steps_error"].fillna(0.0).to_numpy(np.float64)  # missing for one run
        variance = error**2 * (cells["n_runs"].to_numpy() - 1)
    return mean[:, None], variance[:, None]


def _moments_without_parts(outcomes: Outcomes, plan: Plan, statistic: str) -> tuple[Array, Array]:
    """Return mean and variance of the runs of each cell without one part of the seeds, (n_cells, parts) each."""
    n_parts = min(plan.n_seeds, _MOST_PARTS)
    starts = np.arange(n_parts) * plan.n_seeds // n_parts
    n_left = plan.n_seeds - np.diff(starts, append=plan.n_seeds)
    if statistic == "convergence_rate":
        varied = outcomes.converged.astype(np.float64)
    else:
        most_steps = plan.most_steps(np.arange(plan.n_cells))[:, None]
        varied = np.where(outcomes.converged, outcomes.steps, most_steps).astype(np.float64)
    center = varied.mean()
    varied -= center
    sums, squares = (np.add.reduceat(values, starts, axis=1) for values in (varied, varied**2))
    mean = (sums.sum(axis=1, keepdims=True) - sums) / n_left
    variance = (squares.sum(axis=1, keepdims=True) - squares) / n_left - mean**2
    return mean + center, variance.clip(0.0)


def _degrees_of_freedom(plan: Plan) -> Array:
    """Return the degrees of freedom of each term but the seed."""
    sizes = [len(values) - 1 for values in plan.study.parameters.values() if len(values) > 1]
    degrees = [*sizes, *(first * second for first, second in combinations(sizes, 2))]
    if len(sizes) > 2:
        degrees.append(plan.n_cells - 1 - sum(degrees))
    return np.array(degrees, np.float64)


def _divide(mean: Array, variance: Array, plan: Plan) -> tuple[list[str], Array]:
    """Return the terms, and the variance of each by the last axis of what is given, which lies in cells."""
    parameters = plan.study.parameters
    sizes = [len(values) for values in parameters.values()]
    grid = (mean - mean.mean(axis=0)).reshape(*sizes, -1)
    varied = [k for k, size in enumerate(sizes) if size > 1]
    parts: dict[tuple[int, ...], Array] = {}
    for term in [*((k,) for k in varied), *combinations(varied, 2)]:
        others = tuple(k for k in range(len(sizes)) if k not in term)
        marginal = _mean_square(grid.mean(axis=others))
        parts[term] = marginal - sum(parts[k,] for k in term) if len(term) > 1 else marginal
    names = list(parameters)
    terms, variances = [" x ".join(names[k] for k in term) for term in parts], list(parts.values())
    if len(varied) > 2:
        terms, variances = [*terms, REST], [*variances, _mean_square(grid) - sum(variances)]
    return [*terms, SEED], np.array([*variances, variance.mean(axis=0)])


def _mean_square(values: Array) -> Array:
    """Return the mean of squares over all axes but the last."""
    return np.asarray((values**2).reshape(-1, values.shape[-1]).mean(axis=0))

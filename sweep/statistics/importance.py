"""What matters: the variance between runs, divided among the parameters and the seed.

The functional analysis of variance, exact on a grid: the part of a parameter is the variance of the means for each of
its values; that of two parameters together, the variance of the means for each pair of values less the parts of both.
The seed is one factor more, whose values are drawn: what is told of it is told of all seeds. Nothing is fitted.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from sweep.statistics.intervals import Array
from sweep.statistics.outcomes import Outcomes
from sweep.study.grid import Grid

# What varies between runs: 1 for one that converged, else 0; its steps, the most that it may take if it did not.
EXPLAINED = ("convergence_rate", "restricted_mean_steps")

# Seeds from which on parts of them tell how far shares may be off.
LEAST_SEEDS = 10

REST = "three or more together"
SEED = "seed"
SEED_WITH_OTHERS = "seed x parameters"

# Parts of the seeds that are left out in turn, for errors.
_MOST_PARTS = 20


def importance(cells: pd.DataFrame, grid: Grid, statistic: str, outcomes: Outcomes | None = None) -> pd.DataFrame:
    """Divide the variance between all runs of a study.

    Parameters
    ----------
    cells
        Statistics of all cells, in their order.
    grid
    statistic
        One of :data:`EXPLAINED`.
    outcomes
        Of all runs. Of adaptive seeds those count that all cells have.

    Returns
    -------
    DataFrame
        A row for each swept parameter, each two of them, all that three or more do together (with more than two
        parameters), the seed, and the seed together with parameters: ``term``; its part ``variance`` of the variance
        between all runs, and ``share`` of it, which all add up to 1; ``share_by_chance``, what the share would be on
        average if the term did nothing and chance were not subtracted; and ``share_error``, its standard error. For
        each single factor ``total_share``, with all that it does together with others, and ``total_share_error``.

        Without outcomes, what the seed does by itself and the total effects of parameters are missing; of one seed, all
        that is told of the seed and of chance; and errors, of fewer than 10 seeds.

    Notes
    -----
    Hoeffding's decomposition; see Hutter, Hoos and Leyton-Brown, Proc. ICML 32 (2014) 754, who fit a forest for it;
    main and total effects as of Sobol and Homma and Saltelli, Reliab. Eng. Syst. Safety 52 (1996) 1. Means of cells are
    themselves not exact: chance adds to each term the part that the seed has together with it, over the number of
    seeds. It is subtracted, so a term that does nothing may have a share a little below 0. Without outcomes the runs of
    all cells are taken for independent. Errors are those of the jackknife that leaves out one part of the seeds in
    turn.
    """
    terms = _terms(grid)
    if outcomes is None or grid.n_seeds == 1:
        parts = _parts_of_cells(cells, grid, statistic)
    else:
        present = outcomes.present.all(axis=0)
        common = outcomes if present.all() else Outcomes(outcomes.steps[:, present], outcomes.converged[:, present])
        parts = _parts_of_runs(_varied(common, grid, statistic), grid)
    shares, chance, totals = (
        np.divide(each, parts.whole, out=each * 0.0, where=parts.whole > 0)  # missing where it is missing
        for each in (parts.variance, parts.by_chance, parts.total)
    )
    table = pd.DataFrame({"term": terms, "variance": parts.variance[:, 0], "share": shares[:, 0]})
    return table.assign(
        share_by_chance=chance[:, 0],
        share_error=_jackknife_error(shares),
        total_share=totals[:, 0],
        total_share_error=_jackknife_error(totals),
    )


class _Parts(NamedTuple):
    """Parts of the variance, by term and sample: all seeds, then these without one part of them in turn.

    Attributes
    ----------
    variance, by_chance, total : (terms, samples)
        What chance adds is subtracted from the variance; the total is that of single factors.
    whole : (samples,)
        The variance between all runs.
    """

    variance: Array
    by_chance: Array
    total: Array
    whole: Array


def _parts_of_runs(varied: Array, grid: Grid) -> _Parts:
    """Return the parts of what varies, (n_cells, n_seeds).

    The part of a term in the runs of one seed is on average that of the term and that of the seed together with it; in
    the means of n seeds it is that of the term and an n-th of the other.
    """
    samples = _samples(varied.shape[1])
    n = (samples > 0).sum(axis=0)
    mean = varied @ samples
    of_means, of_seeds = _divide(mean, grid), _divide(varied, grid) @ samples
    by_chance = (of_seeds - of_means) / (n - 1)
    averages = varied.mean(axis=0)
    squares, cells = _mean_square(varied), _mean_square(mean)
    of_seed = (averages**2 @ samples - (averages @ samples) ** 2) * n / (n - 1)
    within = (squares @ samples - cells) * n / (n - 1)
    variance = np.vstack([of_means - by_chance, of_seed, within - of_seed])
    zeros, total = np.zeros((2, len(n))), np.full((len(variance), len(n)), np.nan)
    sizes = _sizes(grid)
    for row, axis in enumerate(k for k, size in enumerate(sizes) if size > 1):
        without = varied.reshape(*sizes, -1).mean(axis=axis)
        total[row] = (squares - _mean_square(without)) @ samples
    total[-2] = within
    return _Parts(variance, np.vstack([by_chance, zeros]), total, variance.sum(axis=0))


def _parts_of_cells(cells: pd.DataFrame, grid: Grid, statistic: str) -> _Parts:
    """Return the parts as far as the statistics of cells tell them; of one seed chance stays in them."""
    mean, n = cells[statistic].to_numpy(np.float64)[:, None], cells["n_runs"].to_numpy(np.float64)
    if statistic == "convergence_rate":
        squared_errors = np.divide(mean[:, 0] * (1 - mean[:, 0]), n - 1, out=np.full(len(n), np.nan), where=n > 1)
    else:
        squared_errors = cells["restricted_mean_steps_error"].to_numpy(np.float64) ** 2  # missing for one run
    by_chance = _degrees_of_freedom(grid)[:, None] * squared_errors.mean() / len(mean)
    within = float((squared_errors * n).mean())
    missing = np.full((2, 1), np.nan)
    variance = np.vstack([_divide(mean, grid) - np.nan_to_num(by_chance), missing])
    total = np.full(variance.shape, np.nan)
    total[-2] = within
    return _Parts(variance, np.vstack([by_chance, missing]), total, np.nansum(variance, axis=0) + np.nan_to_num(within))


def _varied(outcomes: Outcomes, grid: Grid, statistic: str) -> Array:
    """Return what varies between runs, less its mean, by cell and seed."""
    if statistic == "convergence_rate":
        varied = outcomes.converged.astype(np.float64)
    else:
        most_steps = grid.most_steps(np.arange(grid.n_cells))[:, None]
        varied = np.where(outcomes.converged, outcomes.steps, most_steps).astype(np.float64)
    return np.asarray(varied - varied.mean())


def _samples(n_seeds: int) -> Array:
    """Return the weights of seeds in their mean, (n_seeds, samples): of all, then without one part of them in turn."""
    weights = np.ones((n_seeds, 1))
    if n_seeds >= LEAST_SEEDS:
        part = np.arange(n_seeds) * min(n_seeds, _MOST_PARTS) // n_seeds
        weights = np.hstack([weights, part[:, None] != np.unique(part)])
    return np.asarray(weights / weights.sum(axis=0))


def _jackknife_error(values: Array) -> Array:
    """Return the standard errors of the first column, which is of all seeds; missing where it stands alone."""
    without = values[:, 1:]
    if not without.size:
        return np.full(len(values), np.nan)
    return np.asarray(np.sqrt((without.shape[1] - 1) * without.var(axis=1)))


def _sizes(grid: Grid) -> list[int]:
    """Return the number of values of each parameter."""
    return [len(values) for values in grid.parameters.values()]


def _varied_terms(grid: Grid) -> list[tuple[int, ...]]:
    """Return the places of each parameter of several values, and of each two of them."""
    varied = [k for k, size in enumerate(_sizes(grid)) if size > 1]
    return [*((k,) for k in varied), *combinations(varied, 2)]


def _terms(grid: Grid) -> list[str]:
    """Return the terms by name."""
    names, varied = list(grid.parameters), _varied_terms(grid)
    rest = [REST] if sum(len(term) == 1 for term in varied) > 2 else []
    return [*(" x ".join(names[k] for k in term) for term in varied), *rest, SEED, SEED_WITH_OTHERS]


def _degrees_of_freedom(grid: Grid) -> Array:
    """Return the degrees of freedom of each term but those of the seed."""
    sizes = _sizes(grid)
    degrees = [np.prod([sizes[k] - 1 for k in term]) for term in _varied_terms(grid)]
    rest = [grid.n_cells - 1 - sum(degrees)] if REST in _terms(grid) else []
    return np.array([*degrees, *rest], np.float64)


def _divide(values: Array, grid: Grid) -> Array:
    """Return the part of each term but those of the seed, by the last axis of what is given, which lies in cells."""
    sizes = _sizes(grid)
    centered = (values - values.mean(axis=0)).reshape(*sizes, -1)
    parts: dict[tuple[int, ...], Array] = {}
    for term in _varied_terms(grid):
        others = tuple(k for k in range(len(sizes)) if k not in term)
        marginal = _mean_square(centered.mean(axis=others))
        parts[term] = marginal - sum(parts[k,] for k in term) if len(term) > 1 else marginal
    divided = list(parts.values())
    if REST in _terms(grid):
        divided.append(_mean_square(centered) - sum(divided))
    return np.array(divided).reshape(len(divided), values.shape[-1])


def _mean_square(values: Array) -> Array:
    """Return the mean of squares over all axes but the last."""
    flat = values.reshape(-1, values.shape[-1])
    return np.asarray(np.einsum("cs,cs->s", flat, flat) / len(flat))

"""Importance of parameters: main and total effects from the variance between runs.

This is the functional analysis of variance, which is exact on a grid. The main effect of a parameter is the variance of
the means at each of its values. The interaction of two parameters is the variance of the means at each pair of values,
minus both main effects. The seed is a random factor: its values are a sample, so results hold for all seeds. No model
is fitted.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from sweep.analysis.axis_options import AxisOptions, varied_options
from sweep.measures.measure import Measure
from sweep.statistics.intervals import Array
from sweep.statistics.outcomes import Measured
from sweep.study.axes.grid import Axis, Grid

# What varies between runs: whether a run converged (1 or 0), or its steps (the step limit if it did not converge).
EXPLAINED = {"convergence_rate": "whether a run converges", "restricted_mean_steps": "how many steps it takes"}

# Least number of seeds for standard errors, which come from leaving out parts of the seeds.
LEAST_SEEDS = 10

# Least number of replicates, and of seeds, for shares in studies with both: from fewer, chance, which is subtracted, is
# estimated so badly that shares of simulated terms were below -0.2 or above 1.2.
LEAST_REPLICATES, LEAST_CROSSED_SEEDS = 4, 3

REST = "three or more options together"
SEED = "seed"
SEED_WITH_OTHERS = "seed x parameters"

# Most parts into which the seeds are divided; each is left out in turn.
_MOST_PARTS = 20

# A measure that may not be negative is divided in logarithms if the middle 90 % of runs span such a factor.
_LOG_SPAN = 100.0


class Explained(NamedTuple):
    """What varies between runs."""

    values: Array  # (n_cells, n_seeds): values of the runs of seeds that all cells have
    text: str  # what they are, for sentences and figures
    note: str  # how values count that are not finite; empty if there are none


def explained_measure(measured: Measured, measure: Measure, log: bool | None = None) -> Explained:
    """Return a measure in all cells as a quantity whose variance can be divided; only seeds that all cells have count.

    ``log`` says whether to take decimal logarithms; by default of a measure that may not be negative, if the middle
    90 % of its values are positive and span at least two decades. Values that are not finite, such as losses of
    diverged runs and logarithms of 0, count as the nearest finite value of any run, so that a single run cannot make
    the variance infinite.
    """
    values = measured.values[:, in_all_cells(measured)]
    if log is None:
        log = False
        if not measure.has_mean and not measure.is_signed and values.size:
            low, high = np.quantile(values, [0.05, 0.95], method="inverted_cdf")
            log = bool(low > 0 and high >= _LOG_SPAN * low)
    if log:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.log10(values)
        values = np.where(np.isnan(values), -np.inf, values)  # of negative values
    finite = np.isfinite(values)
    n_clipped = int((~finite).sum())
    known = values[finite]
    ends = (known.min(), known.max()) if known.size else (0.0, 0.0)
    runs = (
        "1 run without a finite value counts" if n_clipped == 1 else f"{n_clipped:,} runs without a finite value count"
    )
    note = f"{runs} as the nearest finite value" if n_clipped else ""
    return Explained(np.clip(values, *ends), f"log10 of {measure.label}" if log else measure.label, note)


def explained_outcomes(outcomes: Measured, grid: Grid, statistic: str) -> Explained:
    """Return whether runs converge, or their steps, as a quantity whose variance can be divided."""
    common = in_all_cells(outcomes)
    found = outcomes.rearranged(lambda values: values[:, common])
    return Explained(_varied(found, grid, statistic), EXPLAINED[statistic], "")


def in_all_cells(runs: Measured) -> Array:
    """Return which seeds all cells have, in all replicates, (replicates * seeds,)."""
    present = runs.present.all(axis=0).reshape(runs.replicates, -1)
    return np.tile(present.all(axis=0), runs.replicates)


def importance_of(explained: Explained, grid: Grid, replicates: int = 1, label: str = "") -> pd.DataFrame:
    """Divide the variance of values as :func:`importance` does; ``attrs`` of the table hold their text and note.

    Seeds may be those of several replicates, one after another, which are called ``label``. The table then also has the
    rows of replicates, which are random factors like seeds: the main effects of both, and their interactions. With
    fewer than 4 replicates or 3 seeds everything is missing, and the note says why.
    """
    values = explained.values
    if replicates > 1:
        parts = _crossed_parts((values - values.mean()).reshape(len(values), replicates, -1), grid)
    elif values.shape[1] > 1:
        parts = _parts_of_runs(values - values.mean(), grid)
    else:
        parts = _parts_of_means(values, np.full(len(values), np.nan), grid)
    table = _table_of(parts, grid, label if replicates > 1 else "")
    why = crossed_fault(replicates, values.shape[1] // replicates, label)
    if why:
        numbers = table.columns.drop(["term", "part_of"])
        table[numbers] = np.nan
    table.attrs |= {"explained": explained.text, "note": why or explained.note}
    return table


def crossed_fault(replicates: int, n_seeds: int, label: str) -> str:
    """Return why shares of a study with replicates and seeds are not estimated; empty if they are."""
    if replicates == 1 or (replicates >= LEAST_REPLICATES and n_seeds >= LEAST_CROSSED_SEEDS):
        return ""
    return (
        f"shares need at least {LEAST_REPLICATES} values of {label} and {LEAST_CROSSED_SEEDS} seeds, "
        f"got {replicates} and {n_seeds}"
    )


def importance(cells: pd.DataFrame, grid: Grid, statistic: str, outcomes: Measured | None = None) -> pd.DataFrame:
    """Divide the variance between all runs of a study among parameters and the seed.

    ``cells`` are all, in their order; with adaptive seeds, only outcomes of seeds that all of them have are used.

    Returns
    -------
    DataFrame
        A row for each swept parameter, for each pair of them, for all interactions of three or more, for the seed, and
        for interactions of the seed with parameters. Options that vary together are one parameter, such as
        ``"momentum & scale"``. Rows for each of these options follow at the end; ``part_of`` names the parameter whose
        share includes theirs (it is missing in other rows). Columns: ``term``; ``variance``, its part of the variance
        between all runs; ``share`` of that variance (shares without ``part_of`` add up to 1); ``share_by_chance``, the
        average share of a term without effect if chance were not subtracted; ``share_error``, the standard error; for
        single factors ``total_share``, the total effect with all interactions, and ``total_share_error``.

        Without outcomes, the main effect of the seed and total effects of parameters are missing. If all cells have
        only one seed in common, effects of the seed and of chance are missing. With fewer than 10 seeds, errors are
        missing. The share of an option of an axis is missing if it cannot be estimated; see
        :class:`~sweep.analysis.axis_options.AxisOptions`.

    Notes
    -----
    This is Hoeffding's decomposition (Hutter, Hoos and Leyton-Brown, Proc. ICML 32 (2014) 754, fit a forest for it);
    main and total effects are those of Sobol and of Homma and Saltelli, Reliab. Eng. Syst. Safety 52 (1996) 1. Means of
    cells are estimates, so chance adds to each term its interaction with the seed, divided by the number of seeds. This
    is subtracted, so a term without effect may have a share slightly below 0. Without outcomes, the runs of all cells
    are treated as independent. Errors come from a jackknife that leaves out each part of the seeds in turn. Errors of
    options of an axis add a jackknife over blocks of its points, which are a sample, and the errors of bins
    (:mod:`~sweep.analysis.axis_options`).
    """
    if outcomes is None or in_all_cells(outcomes).sum() == 1:
        return _table_of(_parts_of_cells(cells, grid, statistic), grid)
    return _table_of(_parts_of_runs(explained_outcomes(outcomes, grid, statistic).values, grid), grid)


def _table_of(parts: _Parts, grid: Grid, label: str = "") -> pd.DataFrame:
    """Return the table of :func:`importance`; ``label`` names the replicates, if there are any."""
    shares, chance, totals = (
        np.divide(each, parts.whole, out=each * 0.0, where=parts.whole > 0)  # stays missing
        for each in (parts.variance, parts.by_chance, parts.total)
    )
    terms = _terms(grid)
    if label:
        terms = [*terms[:-1], label, f"interactions of seed and {label}"]
    table = pd.DataFrame({"term": terms, "variance": parts.variance[:, 0], "share": shares[:, 0]})
    table = table.assign(
        share_by_chance=chance[:, 0],
        share_error=_jackknife_error(shares, parts.n_parts),
        total_share=totals[:, 0],
        total_share_error=_jackknife_error(totals, parts.n_parts),
        part_of=pd.Series(pd.NA, table.index, "string"),
    )
    options = [_options_of(k, grid, parts) for k in _together(grid)]
    return pd.concat([table, *options], ignore_index=True) if options else table


def _options_of(k: int, grid: Grid, parts: _Parts) -> pd.DataFrame:
    """Return the rows of the options of an axis, whose main effects are estimated from its points."""
    axis = grid.axes[k]
    names = varied_options(grid.axes[k])
    estimated = AxisOptions(axis)
    table = pd.DataFrame({"term": names, "part_of": pd.Series(_label(axis), range(len(names)), "string")})
    if not estimated.names:
        return table
    mean, per_seed, n = parts.points[k]

    whole = np.where(parts.whole > 0, parts.whole, np.nan)

    def effects(kept: Array | None = None) -> tuple[Array, Array, Array]:
        """Return main effects, their errors from bins, and what chance adds, as shares, (options, samples)."""
        of_means, by_bins = (each / whole for each in estimated.effects(mean, kept))
        if not per_seed.size:
            return of_means, by_bins, of_means * np.nan
        of_seeds = estimated.effects(per_seed, kept)[0] @ _samples(per_seed.shape[1]) / whole
        by_chance = (of_seeds - of_means) / (n - 1)
        return of_means - by_chance, by_bins, by_chance

    shares, by_bins, by_chance = effects()
    without = [effects(kept)[0][:, 0] for kept in estimated.without_blocks()]
    of_points = _jackknife_error(np.column_stack([shares[:, 0], *without])) if without else 0.0
    of_seeds = _jackknife_error(shares, parts.n_parts)
    found = pd.DataFrame(
        {
            "term": estimated.names,
            "variance": shares[:, 0] * parts.whole[0],
            "share": shares[:, 0],
            "share_by_chance": by_chance[:, 0],
            "share_error": np.sqrt(of_seeds**2 + of_points**2 + by_bins[:, 0] ** 2),
        }
    )
    return table.merge(found, on="term", how="left")


def _label(axis: Axis) -> str:
    """Return the label of an axis: its options that vary."""
    return " & ".join(varied_options(axis))


class _Parts(NamedTuple):
    """Parts of the variance by term and sample. The samples are all seeds, then all but each part of them."""

    # (terms, samples): ``variance`` is corrected for chance; ``total`` is NaN except for single factors
    variance: Array
    by_chance: Array
    total: Array
    whole: Array  # (samples,): the variance between all runs
    # For each axis of several options: the means at its points, (points, samples); those of each seed, (points,
    # seeds), or none; and the number of seeds of each sample, (samples,)
    points: dict[int, tuple[Array, Array, Array]]
    # In how many samples a part of the seeds is left out; in the others it is one of the replicates. None if there
    # are no replicates.
    n_parts: int | None = None


def _parts_of_runs(varied: Array, grid: Grid) -> _Parts:
    """Return the parts of the variance of a quantity of runs, (n_cells, n_seeds).

    In the runs of one seed, the part of a term estimates the term plus its interaction with the seed. In the means of n
    seeds, it estimates the term plus 1/n of that interaction.
    """
    samples = _samples(varied.shape[1])
    n = (samples > 0).sum(axis=0)
    mean = varied @ samples
    of_means = _divide(mean, grid)
    of_seeds = _divide(varied, grid) @ samples
    by_chance = (of_seeds - of_means) / (n - 1)
    averages = varied.mean(axis=0)
    squares = _mean_square(varied)
    cells = _mean_square(mean)
    of_seed = (averages**2 @ samples - (averages @ samples) ** 2) * n / (n - 1)
    within = (squares @ samples - cells) * n / (n - 1)
    variance = np.vstack([of_means - by_chance, of_seed, within - of_seed])
    zeros = np.zeros((2, len(n)))
    total = np.full((len(variance), len(n)), np.nan)
    for row, axis in enumerate(k for k, size in enumerate(grid.sizes) if size > 1):
        without = varied.reshape(*grid.sizes, -1).mean(axis=axis)
        total[row] = (squares - _mean_square(without)) @ samples
    total[-2] = within
    points = {k: (_at_points(mean, grid, k), _at_points(varied, grid, k), n) for k in _together(grid)}
    return _Parts(variance, np.vstack([by_chance, zeros]), total, variance.sum(axis=0), points)


def _crossed_parts(varied: Array, grid: Grid) -> _Parts:
    """Return the parts of the variance of a quantity of runs, (n_cells, replicates, seeds), both of them random.

    The means of cells contain 1/seeds of the interaction of a term with the seed, 1/replicates of that with the
    replicate, and 1/(seeds * replicates) of that with both.
    """
    _, n_replicates, n_seeds = varied.shape
    weights = [_samples(n_seeds), _samples(n_replicates, least=3)]
    n_parts = weights[0].shape[1] - 1
    if not all(each.shape[1] > 1 for each in weights):
        weights = [each[:, :1] for each in weights]
        n_parts = 0
    kept = [(each > 0, slice(None)) for each in weights[0].T] + [(slice(None), each > 0) for each in weights[1].T[1:]]
    found = [_crossed_sample(varied[:, replicates][:, :, seeds], grid) for seeds, replicates in kept]
    variance, by_chance, total, means = (np.stack(each, axis=1) for each in zip(*found, strict=True))
    points = {k: (_at_points(means, grid, k), varied[:0, 0, :0], np.ones(len(kept))) for k in _together(grid)}
    return _Parts(variance, by_chance, total, variance.sum(axis=0), points, n_parts)


def _crossed_sample(varied: Array, grid: Grid) -> tuple[Array, Array, Array, Array]:
    """Return the parts by term, what chance adds, the total effects, and the means of cells, for some runs."""
    n_cells, n_replicates, n_seeds = varied.shape
    mean = varied.mean(axis=(1, 2))
    of_seeds, of_replicates = varied.mean(axis=1), varied.mean(axis=2)
    rest = varied - of_seeds[:, None] - of_replicates[:, :, None] + mean[:, None, None]
    of_means = _divide(mean[:, None], grid)[:, 0]
    freedom = (n_seeds - 1) * (n_replicates - 1)
    with_one, with_other = (
        (_divide(each, grid).mean(axis=1) - of_means) / (each.shape[1] - 1) for each in (of_seeds, of_replicates)
    )
    by_chance = with_one + with_other - _divide(rest.reshape(n_cells, -1), grid).mean(axis=1) / freedom
    # by cell, and in the averages over cells: components of seed, replicate, and both
    both = np.append((rest**2).sum(axis=(1, 2)), (rest.mean(axis=0) ** 2).sum()) / freedom
    seed, replicate = (
        np.append(each.var(axis=1, ddof=1), each.mean(axis=0).var(ddof=1)) - both / n
        for each, n in ((of_seeds, n_replicates), (of_replicates, n_seeds))
    )
    within = (seed + replicate + both)[:-1].mean()
    ends = np.array([seed[-1], replicate[-1], within - seed[-1] - replicate[-1]])
    total = np.full(len(of_means) + 3, np.nan)
    for row, axis in enumerate(k for k, size in enumerate(grid.sizes) if size > 1):
        without = varied.reshape(*grid.sizes, n_replicates, n_seeds).mean(axis=axis)
        total[row] = (varied**2).mean() - (without**2).mean()
    total[-3:-1] = (seed + both)[:-1].mean(), (replicate + both)[:-1].mean()
    return np.append(of_means - by_chance, ends), np.append(by_chance, np.zeros(3)), total, mean


def _parts_of_cells(cells: pd.DataFrame, grid: Grid, statistic: str) -> _Parts:
    """Return the parts that follow from statistics of cells."""
    mean = cells[statistic].to_numpy(np.float64)[:, None]
    n = cells["n_runs"].to_numpy(np.float64)
    if statistic == "convergence_rate":
        squared_errors = np.divide(mean[:, 0] * (1 - mean[:, 0]), n - 1, out=np.full(len(n), np.nan), where=n > 1)
    else:
        squared_errors = cells["restricted_mean_steps_error"].to_numpy(np.float64) ** 2  # missing for one run
    return _parts_of_means(mean, squared_errors, grid, n)


def _parts_of_means(mean: Array, squared_errors: Array, grid: Grid, n: Array | float = 1.0) -> _Parts:
    """Return the parts that follow from means of cells, (n_cells, 1). With one seed, chance is not subtracted."""
    by_chance = _degrees_of_freedom(grid)[:, None] * squared_errors.mean() / len(mean)
    within = float((squared_errors * n).mean())
    missing = np.full((2, 1), np.nan)
    variance = np.vstack([_divide(mean, grid) - np.nan_to_num(by_chance), missing])
    total = np.full(variance.shape, np.nan)
    total[-2] = within
    whole = np.nansum(variance, axis=0) + np.nan_to_num(within)
    points = {k: (_at_points(mean, grid, k), mean[:0, :0], np.ones(1)) for k in _together(grid)}
    return _Parts(variance, np.vstack([by_chance, missing]), total, whole, points)


def _together(grid: Grid) -> list[int]:
    """Return the axes of several options that vary."""
    return [k for k, axis in enumerate(grid.axes) if len(varied_options(axis)) > 1]


def _at_points(values: Array, grid: Grid, k: int) -> Array:
    """Return the means at each point of an axis over all others, (points, columns); rows of ``values`` are cells."""
    others = tuple(other for other in range(len(grid.sizes)) if other != k)
    return np.asarray(values.reshape(*grid.sizes, -1).mean(axis=others))


def _varied(outcomes: Measured, grid: Grid, statistic: str) -> Array:
    """Return what varies between runs minus its mean, by cell and seed."""
    if statistic == "convergence_rate":
        varied = outcomes.converged.astype(np.float64)
    else:
        most_steps = grid.most_steps(np.arange(grid.n_cells))[:, None]
        varied = np.where(outcomes.converged, outcomes.values, most_steps)
    return np.asarray(varied - varied.mean())


def _samples(n_seeds: int, least: int = LEAST_SEEDS) -> Array:
    """Return weights of seeds in means, (n_seeds, samples): all seeds, then all but each part of them."""
    weights = np.ones((n_seeds, 1))
    if n_seeds >= least:
        part = np.arange(n_seeds) * min(n_seeds, _MOST_PARTS) // n_seeds
        weights = np.hstack([weights, part[:, None] != np.unique(part)])
    return np.asarray(weights / weights.sum(axis=0))


def _jackknife_error(values: Array, n_parts: int | None = None) -> Array:
    """Return standard errors of the first column (all seeds) from the others; missing without others.

    The first ``n_parts`` of the others, by default all, leave out seeds, and those behind leave out replicates.
    """
    if values.shape[1] == 1:
        return np.full(len(values), np.nan)
    by_seed, by_replicate = np.split(values[:, 1:], [values.shape[1] if n_parts is None else n_parts], axis=1)
    squares = [(each.shape[1] - 1) * each.var(axis=1) for each in (by_seed, by_replicate) if each.shape[1]]
    return np.asarray(np.sqrt(sum(squares)))


def _varied_terms(grid: Grid) -> list[tuple[int, ...]]:
    """Return the indices of axes with several points, and of pairs of such axes."""
    varied = [k for k, size in enumerate(grid.sizes) if size > 1]
    return [*((k,) for k in varied), *combinations(varied, 2)]


def _terms(grid: Grid) -> list[str]:
    """Return the names of the terms."""
    names = [_label(axis) for axis in grid.axes]
    varied = _varied_terms(grid)
    rest = [REST] if sum(len(term) == 1 for term in varied) > 2 else []
    return [*(" x ".join(names[k] for k in term) for term in varied), *rest, SEED, SEED_WITH_OTHERS]


def _degrees_of_freedom(grid: Grid) -> Array:
    """Return the degrees of freedom of each term, without those of the seed."""
    sizes = grid.sizes
    degrees = [np.prod([sizes[k] - 1 for k in term]) for term in _varied_terms(grid)]
    rest = [grid.n_cells - 1 - sum(degrees)] if REST in _terms(grid) else []
    return np.array([*degrees, *rest], np.float64)


def _divide(values: Array, grid: Grid) -> Array:
    """Return the part of each term, without those of the seed, for each column of values; rows are cells."""
    sizes = grid.sizes
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

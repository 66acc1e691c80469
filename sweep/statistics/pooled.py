"""Measures of runs pooled over cells that share seeds: seeds are independent, runs of one seed are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sweep.statistics.clustered import SeedSums, rate_intervals
from sweep.statistics.intervals import Array, Z, student_quantile
from sweep.statistics.measures import (
    QUARTERS,
    counts_outputs,
    is_signed,
    least,
    measure_columns,
    measure_statistics,
    values_at_ranks,
)
from sweep.statistics.outcomes import Measured


def pooled_statistics(measure: str, measured: Measured, group: Array) -> pd.DataFrame:
    """Return the statistics of a measure over groups of cells.

    Parameters
    ----------
    measure
        Name of the measure.
    measured : (n_cells, n_seeds)
        The measure of all cells.
    group : (n_cells,)
        The number of the group of each cell.

    Returns
    -------
    DataFrame
        As of :func:`~sweep.statistics.measures.measure_statistics`, with intervals that count each seed once. These are
        missing where one seed has runs in several cells, since one seed says nothing about others.

    Notes
    -----
    The interval of a quantile q is Woodruff's, J. Amer. Statist. Assoc. 47 (1952) 635: its ends are the values of the
    runs at ranks q minus and plus the error of the share of runs up to q. Intervals of means use the error of a ratio
    of two sums over seeds, and Student's quantile of the number of seeds.
    """
    present = measured.present
    cell, _ = np.nonzero(present)
    values, of_run = measured.values[present], group[cell]
    points = measure_statistics(measure, of_run, values)
    if counts_outputs(measure):
        means = _ratio(np.where(present, measured.values, 0.0), present, group, 1.0)
        return points.assign(**dict(zip(measure_columns(measure), means, strict=True)))
    finite = np.isfinite(measured.values)
    low, high = rate_intervals(measured.as_outcomes(), group)
    ends_of: dict[str, Any] = {"finite_rate_low": low, "finite_rate_high": high}
    ends_of |= _quantile_ends(measure, measured, group, points)
    if is_signed(measure):
        return points.assign(**ends_of)
    logarithms = np.log(np.where(finite & (measured.values > 0), measured.values, 1.0))
    name = f"{measure}_geometric_mean"
    _, *ends = _ratio(logarithms, finite, group, 0.0)
    known = points[name].notna() & (points[name] > 0)
    with np.errstate(over="ignore"):
        of_mean = [pd.Series(np.exp(end), points.index).where(known) for end in ends]
    return points.assign(**ends_of, **{f"{name}_low": of_mean[0], f"{name}_high": of_mean[1]})


def _quantile_ends(measure: str, measured: Measured, group: Array, points: pd.DataFrame) -> dict[str, Array]:
    """Return the ends of the intervals of quantiles."""
    sums, present = SeedSums(measured.as_outcomes(), group), measured.present
    cell, _ = np.nonzero(present)
    values = measured.values[present]
    order = np.lexsort((values, group[cell]))
    values, of_run = values[order], group[cell][order]
    _, starts = np.unique(of_run, return_index=True)
    n_runs, once = sums.runs.sum(axis=1), np.ones(len(values), np.int64)
    ends = {}
    for quarter, (part, whole) in QUARTERS.items():
        share = part / whole
        at = points[f"{measure}_{quarter}"].to_numpy()[sums.place][:, None]
        error = Z * np.sqrt(share * (1 - share) / sums.independent_runs(measured.values <= at))
        known = ~np.isnan(error)
        error = np.where(known, error, 0.0)
        ranks = np.floor(n_runs * (share - error)), np.ceil(n_runs * (share + error)) + 1
        for end, rank in zip(("low", "high"), ranks, strict=True):
            found = values_at_ranks(values, once, starts, rank.astype(np.int64), least(measure))
            ends[f"{measure}_{quarter}_{end}"] = np.where(known, found, np.nan)
    return ends


def _ratio(values: Array, counted: Array, group: Array, more: float) -> tuple[Array, Array, Array]:
    """Return means of counted values by group and the ends of their intervals; ``more`` is added to the squares."""
    order = np.argsort(group, kind="stable")
    _, starts = np.unique(group[order], return_index=True)
    sums, counts = (
        np.add.reduceat(each[order].astype(np.float64), starts, axis=0) for each in (values * counted, counted)
    )
    n, n_seeds = counts.sum(axis=1), (counts > 0).sum(axis=1)
    mean = sums.sum(axis=1) / np.maximum(n, 1)
    squares = ((sums - mean[:, None] * counts) ** 2).sum(axis=1) + more
    error = np.sqrt(squares * n_seeds / np.maximum(n_seeds - 1, 1)) / np.maximum(n, 1)
    spread = student_quantile(n_seeds) * error
    return mean, mean - spread, mean + spread

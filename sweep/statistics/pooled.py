"""Measures of runs over cells that share seeds: seeds are independent, runs of one seed are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sweep.statistics.clustered import SeedSums, rate_intervals
from sweep.statistics.clusters import Clusters
from sweep.statistics.estimates import MeanCorrect
from sweep.statistics.intervals import Array, Z
from sweep.statistics.measures import (
    QUARTERS,
    counts_outputs,
    least,
    measure_columns,
    measure_statistics,
    values_at_ranks,
)
from sweep.statistics.outcomes import Measured


def pooled_statistics(measure: str, measured: Measured, group: Array, most: int = 0) -> pd.DataFrame:
    """Return the statistics of a measure over groups of cells.

    Parameters
    ----------
    measure
        Name of the measure.
    measured : (n_cells, n_seeds)
        The measure of all cells.
    group : (n_cells,)
        The number of the group of each cell.
    most
        Number of outputs of a run over all patterns, for measures that count correct outputs.

    Returns
    -------
    DataFrame
        The columns of :func:`~sweep.statistics.measures.measure_statistics`, with intervals that count each seed once.
        These are missing for one seed with runs in several cells, which says nothing about other seeds.

    Notes
    -----
    The interval of a quantile q is Woodruff's, J. Amer. Statist. Assoc. 47 (1952) 635. Its ends are the values of the
    runs at the shares q minus and plus the error of the share of runs up to the quantile.
    """
    present = measured.present
    cell, _ = np.nonzero(present)
    values, of_run = measured.values[present], group[cell]
    points = measure_statistics(measure, of_run, values, most=most)
    if counts_outputs(measure):
        sums = SeedSums(measured.as_outcomes(), group)
        seeds = Clusters.of_seeds(sums.runs, sums.runs, sums.of(np.where(present, measured.values, 0.0)))
        ends = MeanCorrect(seeds, most).ends()
        return points.assign(**dict(zip(measure_columns(measure)[1:], ends, strict=True)))
    low, high = rate_intervals(measured.as_outcomes(), group)
    ends_of: dict[str, Any] = {"finite_rate_low": low, "finite_rate_high": high}
    return points.assign(**ends_of, **_quantile_ends(measure, measured, group, points))


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

"""Cumulative incidence: the share of runs that converged, diverged, stalled or ended on a plateau by each step.

A run that ends with one status cannot end with another later, so these are competing risks, and shares are of all runs.
An exhausted (right-censored) run counts as not converged within its step limit, as in all other statistics. Cells may
have different limits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sweep.analysis.cells import group_of, values_of_groups
from sweep.analysis.shares_by_step import intervals_by_step
from sweep.statistics.intervals import Array, wilson_interval
from sweep.statistics.outcomes import Measured
from sweep.statistics.parallel_runs import none_of, parallel_rate
from sweep.study.axes.grid import Grid

EVENTS = ("converged", "diverged", "stalled", "plateau")

# Half the height of a simultaneous 95 % band times the root of the number of runs, or of seeds for several cells.
_OF_RUNS, _OF_SEEDS = 1.3581015157406195, 1.5236277364533763


def cumulative_incidence(
    tally: pd.DataFrame,
    event: str = "converged",
    outcomes: Measured | None = None,
    n_seeds: int | None = None,
    replicates: int = 1,
) -> pd.DataFrame:
    """Return the share of runs for which an event has occurred by each step.

    The ``tally`` counts the runs to pool, from any cells, with a column ``weight`` if these differ. Over several cells
    intervals need the outcomes of these, and simultaneous bands ``n_seeds``, the runs of a cell in the complete study.

    Returns
    -------
    DataFrame
        A row for each step at which the event occurred, and for the last step of any run: ``steps``; ``incidence``; its
        95 % interval ``low``, ``high``; ``band_low``, ``band_high``, a band that contains the whole curve with 95 %
        confidence; ``at_risk``, the runs that had not ended right before the step. Over several cells or replicates,
        interval and band count each seed and replicate once. Then the interval is missing without outcomes, for other
        events than convergence and with weights, and the band if cells lack runs of some seeds.

    Notes
    -----
    The intervals are Wilson's. The band of one cell is that of Dvoretzky, Kiefer and Wolfowitz with the constant of
    Massart, Ann. Probab. 18 (1990) 1269; runs with other ends have infinite steps. Over several cells, each seed has a
    share of its runs by each step. If one run is drawn from each seed, this band holds; let Y be the largest error of
    the drawn curve. The curve over cells is the mean over all such draws, so its largest error X is at most the mean of
    Y given the seeds. By Jensen and Markov, P(X > e) is at most E max(Y - t, 0) / (e - t) for any t < e, and this
    expectation is at most the integral of 2 exp(-2 n y^2) over y > t. The best t makes the band an eighth wider. It
    holds for any number of seeds. Over replicates, the runs that are drawn share neither seed nor replicate, so n is
    the number of seeds or that of replicates, whichever is smaller.
    """
    weight = tally.get("weight", tally["n"])
    ends = tally.assign(weight=weight, event=weight.where(tally["status"] == event, 0))
    at = ends.groupby("steps")[["n", "weight", "event"]].sum().sort_index()
    before = at["n"].cumsum() - at["n"]
    table = pd.DataFrame(
        {
            "steps": at.index,
            "incidence": (at["event"].cumsum() / at["weight"].sum()).to_numpy(),
            "at_risk": (at["n"].sum() - before).to_numpy(),
        }
    )
    table = table[(at["event"].to_numpy() > 0) | (table["steps"] == table["steps"].max()).to_numpy()]
    steps = table["steps"].to_numpy()
    share = table["incidence"].to_numpy()
    several = tally["cell"].nunique() > 1 or replicates > 1
    low, high = _intervals(share, steps, tally, outcomes if event == "converged" else None, several=several)
    half = _half_of_band(tally, n_seeds, replicates, several=several)
    return pd.DataFrame(
        {
            "steps": steps,
            "incidence": share,
            "low": low,
            "high": high,
            "band_low": np.maximum(share - half, 0.0),
            "band_high": np.minimum(share + half, 1.0),
            "at_risk": table["at_risk"].to_numpy(),
        }
    )


def _intervals(
    share: Array, steps: Array, tally: pd.DataFrame, outcomes: Measured | None, *, several: bool
) -> tuple[Array, Array]:
    """Return the ends of the intervals of shares at some steps; missing if runs share seeds and have no outcomes."""
    if not several:
        n = np.full(len(share), float(tally["n"].sum()))
        return wilson_interval(share * n, n)
    if outcomes is not None and "weight" not in tally:
        return intervals_by_step(share, outcomes, steps)
    missing = np.full(len(share), np.nan)
    return missing, missing


def _half_of_band(tally: pd.DataFrame, n_seeds: int | None, replicates: int, *, several: bool) -> float:
    """Return half the height of the simultaneous band; missing if some seeds lack runs."""
    of_cells = tally.groupby("cell")["n"].sum()
    if not several:
        return _OF_RUNS / float(np.sqrt(of_cells.sum()))
    if not n_seeds or (of_cells != n_seeds).any():
        return np.nan
    n = min(replicates, n_seeds // replicates) if replicates > 1 else n_seeds
    return _OF_SEEDS / float(np.sqrt(n))


def incidence_curve(
    tally: pd.DataFrame, event: str, outcomes: Measured | None, n_seeds: int, replicates: int, parallel_runs: int = 1
) -> pd.DataFrame:
    """Return the cumulative incidence of some runs, or with k > 1 parallel runs that of their first ones.

    ``outcomes`` are those of all cells, if they are known.
    """
    if parallel_runs > 1:
        return parallel_incidence(tally, parallel_runs)
    paired = None if outcomes is None else outcomes.at(tally["cell"].unique())
    return cumulative_incidence(tally, event, paired, n_seeds, replicates)


def parallel_incidence(tally: pd.DataFrame, k: int) -> pd.DataFrame:
    """Return the share of choices of ``k`` parallel runs of a cell in which any has converged by each step.

    The columns are those of :func:`cumulative_incidence`. Over several cells the share is the mean, weighted by their
    runs, without intervals and bands. The estimate is unbiased; see :mod:`sweep.statistics.parallel_runs`. The ends F
    of intervals are transformed to 1 - (1 - F)^k.
    """
    whole = cumulative_incidence(tally)
    weight = tally.get("weight", tally["n"])
    share = np.zeros(len(whole))
    of_cells = weight.groupby(tally["cell"]).sum() / weight.sum()
    for number, cell in tally.groupby("cell"):
        converged = cell[cell["status"] == "converged"].sort_values("steps")
        n_runs = int(cell["n"].sum())
        places = np.searchsorted(converged["steps"].to_numpy(), whole["steps"].to_numpy(), side="right")
        n_left = n_runs - np.concatenate([[0], np.cumsum(converged["n"].to_numpy())])[places]
        share += of_cells[number] * (1 - none_of(n_left, n_runs, k))
    ends = {name: parallel_rate(whole[name], k) for name in ("low", "high", "band_low", "band_high")}
    return whole.assign(incidence=share, **ends)


def incidence_by(
    tally: pd.DataFrame,
    grid: Grid,
    by: Sequence[str],
    event: str = "converged",
    outcomes: Measured | None = None,
    parallel_runs: int = 1,
    replicates: int = 1,
) -> pd.DataFrame:
    """Return the cumulative incidence of an event for each combination of values of ``by``.

    The columns are ``by``, and those of :func:`incidence_curve`. Intervals over several cells need the outcomes of all
    cells.
    """
    options = event, outcomes, grid.n_seeds, replicates, parallel_runs
    if not by:
        return incidence_curve(tally, *options)
    cells = tally["cell"].to_numpy()
    curves = {number: incidence_curve(own, *options) for number, own in tally.groupby(group_of(grid, by, cells))}
    table = pd.concat(curves).reset_index(level=1, drop=True)
    return values_of_groups(grid, by, cells).join(table, how="right").reset_index(drop=True)

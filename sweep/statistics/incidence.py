"""Which share of runs has converged, diverged or stalled by a step, where they end in one way or another.

Runs that diverge or stall never converge: the three are competing risks. Runs that are exhausted are
censored, since nobody knows what they would have come to. In one cell all of them are at the same step,
the last, and shares are counts; cells with other limits together need an estimate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sweep.plan import Plan
from sweep.statistics.intervals import Array, wilson_interval

EVENTS = ("converged", "diverged", "stalled")

# Shares this close to 0 or 1 are there but for rounding.
_ROUNDING = 1e-12


def cumulative_incidence(tally: pd.DataFrame, event: str = "converged") -> pd.DataFrame:
    """Estimate the share of runs that has ended so by each step.

    Parameters
    ----------
    tally
        Of all runs to be taken together, from any cells.
    event
        One of :data:`EVENTS`.

    Returns
    -------
    DataFrame
        A row for each step at which a run ended so: ``steps``, ``incidence``, and ``low`` and ``high``, the
        95 % interval at that step.

    Notes
    -----
    Aalen and Johansen, Scand. J. Statist. 5 (1978) 141; the variance is that of Marubini and Valsecchi, Analysing
    Survival Data (1995), section 10.3. The interval is Wilson's, of as many runs as would give this variance
    without censoring; where none is censored before a step these are the runs themselves. Runs are taken for
    independent, which those of one seed in several cells are not; and censoring for independent of how a run would have
    ended, which limits that depend on the cell are not.
    """
    ends = tally.assign(event=tally["n"].where(tally["status"] == event, 0))
    ends["any"] = ends["n"].where(ends["status"] != "exhausted", 0)
    at = ends.groupby("steps")[["n", "event", "any"]].sum().sort_index()
    n_runs = int(at["n"].sum())
    left = n_runs - at["n"].cumsum() + at["n"]  # runs that are there right before the step
    n, d, k = (at_risk.to_numpy(np.float64) for at_risk in (left, at["any"], at["event"]))
    stays = np.where(n > d, 1 - d / n, 0.0)
    before = np.concatenate([[1.0], np.cumprod(stays)[:-1]])
    incidence = np.cumsum(before * k / n)
    n_censored = (at["n"] - at["any"]).cumsum().shift(1, fill_value=0).to_numpy()  # before the step
    counted = at["event"].cumsum().to_numpy() / n_runs
    incidence = np.where(n_censored == 0, counted, incidence)
    as_many = np.where(
        n_censored == 0, n_runs, _runs_without_censoring(incidence, _variance(incidence, before, n, d, k), n)
    )
    low, high = wilson_interval(incidence * as_many, as_many)
    table = pd.DataFrame({"steps": at.index, "incidence": incidence, "low": low, "high": high})
    return table[at["event"].to_numpy() > 0].reset_index(drop=True)


def incidence_by(tally: pd.DataFrame, plan: Plan, by: Sequence[str], event: str = "converged") -> pd.DataFrame:
    """Estimate the share of runs that has ended so by each step, for each combination of the values of parameters.

    Parameters
    ----------
    tally
    plan
    by
        Swept parameters, or none.
    event
        One of :data:`EVENTS`.

    Returns
    -------
    DataFrame
        The columns of :func:`cumulative_incidence` behind those of ``by``.
    """
    if not by:
        return cumulative_incidence(tally, event)
    values = {name: plan.column(name, tally["cell"].to_numpy()) for name in by}
    groups = tally.assign(**values).groupby(list(by), sort=False)
    curves = {entries: cumulative_incidence(group, event) for entries, group in groups}
    return pd.concat(curves, names=[*by, None]).reset_index(level=list(by)).reset_index(drop=True)


def _variance(incidence: Array, before: Array, n: Array, d: Array, k: Array) -> Array:
    """Return the variance of the incidence at each step.

    Parameters
    ----------
    incidence
        By each step.
    before
        The share of runs that has not ended in any way right before each step.
    n, d, k
        Runs that are there right before each step, and of those the ones that end at it: in any way, and so.
    """
    rates = np.divide(d, n * (n - d), out=np.zeros_like(n), where=n > d)
    squares = incidence**2 * np.cumsum(rates) - 2 * incidence * np.cumsum(rates * incidence)
    squares += np.cumsum(rates * incidence**2)
    own = np.cumsum(before**2 * k * (n - k) / n**3)
    shared = incidence * np.cumsum(before * k / n**2) - np.cumsum(incidence * before * k / n**2)
    return np.asarray(squares + own - 2 * shared)


def _runs_without_censoring(incidence: Array, variance: Array, n: Array) -> Array:
    """Return how many runs would give a share with such a variance; ``n``, those that are left, where it has none."""
    spread = incidence * (1 - incidence)
    known = (spread > _ROUNDING) & (variance > _ROUNDING**2)
    runs: Array = np.divide(spread, variance, out=n.copy(), where=known)
    return runs

"""Which share of runs has converged, diverged or stalled by a step, where they end in one way or another.

Runs that diverge or stall never converge: the three are competing risks, and shares are of all runs. A run that is
exhausted has not converged in the steps that it may take, as in every other statistic; so where cells have other
limits, shares are of what runs do within their own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sweep.plan import Plan
from sweep.statistics.clustered import runs_by_step
from sweep.statistics.intervals import Array, wilson_interval
from sweep.statistics.outcomes import Outcomes

EVENTS = ("converged", "diverged", "stalled")

# Steps at which it is found how much several cells tell; between them it hardly changes.
_MOST_STEPS = 50


def cumulative_incidence(
    tally: pd.DataFrame, event: str = "converged", outcomes: Outcomes | None = None
) -> pd.DataFrame:
    """Return the share of runs that has ended so by each step.

    Parameters
    ----------
    tally
        Of all runs to be taken together, from any cells.
    event
        One of :data:`EVENTS`.
    outcomes
        Of the same cells, for intervals of several of them.

    Returns
    -------
    DataFrame
        A row for each step at which a run ended so, and for the last at which any run ended, where the curve does:
        ``steps``, ``incidence``, ``low`` and ``high``, its 95 % interval, and ``at_risk``, the runs that were under way
        right before the step. Over several cells the interval counts each seed once; it is missing without outcomes,
        and of other events than convergence, of which outcomes do not tell.

    Notes
    -----
    The intervals are Wilson's, each at its step alone.
    """
    ends = tally.assign(event=tally["n"].where(tally["status"] == event, 0))
    at = ends.groupby("steps")[["n", "event"]].sum().sort_index()
    n_runs = int(at["n"].sum())
    ended = at["event"].cumsum()
    table = pd.DataFrame(
        {"steps": at.index, "ended": ended.to_numpy(), "at_risk": n_runs - (at["n"].cumsum() - at["n"])}
    )
    table = table[(at["event"].to_numpy() > 0) | (table["steps"] == table["steps"].max()).to_numpy()]
    steps, count = table["steps"].to_numpy(), table["ended"].to_numpy()
    if tally["cell"].nunique() <= 1:
        n = np.full(len(table), float(n_runs))
    elif outcomes is not None and event == "converged":
        n = _independent_runs(outcomes, steps)
    else:
        n = np.full(len(table), np.nan)
    low, high = wilson_interval(count / n_runs * n, n)
    missing = np.isnan(n)
    return pd.DataFrame(
        {
            "steps": steps,
            "incidence": count / n_runs,
            "low": np.where(missing, np.nan, low),
            "high": np.where(missing, np.nan, high),
            "at_risk": table["at_risk"].to_numpy(),
        }
    )


def incidence_by(
    tally: pd.DataFrame, plan: Plan, by: Sequence[str], event: str = "converged", outcomes: Outcomes | None = None
) -> pd.DataFrame:
    """Return the share of runs that has ended so by each step, for each combination of the values of parameters.

    Parameters
    ----------
    tally
    plan
    by
        Swept parameters, or none.
    event
        One of :data:`EVENTS`.
    outcomes
        Of all cells, for intervals of several of them.

    Returns
    -------
    DataFrame
        The columns of :func:`cumulative_incidence` behind those of ``by``.
    """
    if not by:
        return _of_cells(tally, event, outcomes)
    values = {name: plan.column(name, tally["cell"].to_numpy()) for name in by}
    groups = tally.assign(**values).groupby(list(by), sort=False)
    curves = {entries: _of_cells(group, event, outcomes) for entries, group in groups}
    return pd.concat(curves, names=[*by, None]).reset_index(level=list(by)).reset_index(drop=True)


def _of_cells(tally: pd.DataFrame, event: str, outcomes: Outcomes | None) -> pd.DataFrame:
    """Return the curve of the cells of a tally."""
    own = outcomes.at(tally["cell"].unique()) if outcomes is not None else None
    return cumulative_incidence(tally, event, own)


def _independent_runs(outcomes: Outcomes, steps: Array) -> Array:
    """Return how many independent runs would tell as much by each step."""
    chosen = np.unique(np.linspace(0, len(steps) - 1, min(len(steps), _MOST_STEPS)).astype(np.int64))
    return np.interp(np.arange(len(steps)), chosen, runs_by_step(outcomes, steps[chosen]))

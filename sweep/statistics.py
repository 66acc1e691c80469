"""Convergence statistics, from counts of runs alone.

A *tally* is a DataFrame of counts: ``n`` runs of a ``cell`` ended with this ``status`` after
so many ``steps``; a row for each end that occurs, sorted. Tallies are enough for every
statistic, and they add up exactly over shards, whatever the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from sweep.digest import status_codes
from sweep.plan import Plan
from sweep.schema import STATUSES, arrow_schema, cells_columns, tally_columns
from sweep.study import Study

# 97.5 % quantile of the normal distribution: intervals hold 95 %.
Z = 1.959963984540054

QUANTILES = {"steps_q25": (1, 4), "steps_q50": (1, 2), "steps_q75": (3, 4)}

_STATUS = pd.CategoricalDtype(list(STATUSES))

Array = NDArray[Any]


def tally_runs(cell: Array, status: Array, steps: Array) -> pd.DataFrame:
    """Count runs by how they ended.

    Threads count each shard that they have trained, so runs are counted as one number each;
    pandas' groupby takes ten times as long, and two milliseconds however few they are.

    Parameters
    ----------
    cell, status, steps : (runs,)
        Status as codes, numbered as in :data:`~sweep.schema.STATUSES`; steps below 2^31.
    """
    ends, n = np.unique((cell * len(STATUSES) + status) * 2**31 + steps, return_counts=True)
    cells, codes = np.divmod(ends // 2**31, len(STATUSES))
    return _tally(cells, codes.astype(np.int8), (ends % 2**31).astype(np.int32), n)


def tally_rows(runs: pa.Table) -> pd.DataFrame:
    """Count the runs of a runs table, of which cell, status and steps are read."""
    return tally_runs(runs["cell"].to_numpy(), status_codes(runs["status"]), runs["steps"].to_numpy())


def tally_from_table(table: pa.Table) -> pd.DataFrame:
    """Return a stored tally."""
    cell, steps, n = (table[name].to_numpy() for name in ("cell", "steps", "n"))
    return _tally(cell, status_codes(table["status"]), steps, n)


def _tally(cell: Array, status: Array, steps: Array, n: Array) -> pd.DataFrame:
    """Return a tally of these columns, with status as codes."""
    names = pd.Categorical.from_codes(status, dtype=_STATUS)
    return pd.DataFrame({"cell": cell, "status": names, "steps": steps, "n": n})


def merge(tallies: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Add up tallies."""
    ends = pd.concat(tallies, ignore_index=True)
    return ends.groupby(["cell", "status", "steps"], observed=True, as_index=False)[["n"]].sum()


def tally_to_table(tally: pd.DataFrame) -> pa.Table:
    """Return a tally as it is stored."""
    return _to_arrow(tally, arrow_schema(tally_columns()))


def cells_to_table(cells: pd.DataFrame, study: Study) -> pa.Table:
    """Return the statistics of all cells as they are stored."""
    return _to_arrow(cells, arrow_schema(cells_columns(study)))


def _to_arrow(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """Return a frame as an Arrow table of this schema, without the notes that pandas adds."""
    return pa.Table.from_pandas(frame, schema, preserve_index=False).replace_schema_metadata()


def summarize(tally: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the statistics of every cell of a complete study, in cell order.

    The columns are those of cells.parquet; a quantile of steps that is not reached is missing.
    """
    cells = cells_of(plan)
    return cells.join(_statistics(tally, plan, cells["cell"].to_numpy()))


def cells_of(plan: Plan) -> pd.DataFrame:
    """Return the number and the swept parameters of every cell, in cell order."""
    cells = np.arange(plan.n_cells)
    return pd.DataFrame({"cell": cells, **{name: plan.column(name, cells) for name in plan.study.parameters}})


def _statistics(tally: pd.DataFrame, plan: Plan, group: Array) -> pd.DataFrame:
    """Return the statistics of groups of cells, by their number; ``group`` is that of each cell."""
    cell = tally["cell"].to_numpy()
    ends = tally.assign(group=group[cell], most_steps=plan.most_steps(cell))
    n, converged = ends["n"], ends["status"] == "converged"
    counts = pd.get_dummies(ends["status"], prefix="n", dtype=np.int64).mul(n, axis=0)
    taken, restricted = n * ends["steps"], n * ends["steps"].where(converged, ends["most_steps"])
    sums = counts.assign(n_runs=n, taken=taken, restricted=restricted).groupby(ends["group"]).sum()
    n_runs, n_converged = sums["n_runs"], sums["n_converged"]
    low, high = wilson_interval(n_converged.to_numpy(), n_runs.to_numpy())
    columns = {
        "n_runs": n_runs,
        **{name: sums[name] for name in counts},
        "convergence_rate": n_converged / n_runs,
        "convergence_rate_low": low,
        "convergence_rate_high": high,
        **_quantiles(ends[converged], n_runs),
        "restricted_mean_steps": sums["restricted"] / n_runs,
        "expected_steps": (sums["taken"] / n_converged).where(n_converged > 0, np.inf),
    }
    return pd.DataFrame(columns)


def _quantiles(converged: pd.DataFrame, n_runs: pd.Series[int]) -> pd.DataFrame:
    """Return for each group the fewest steps by which so many of all its runs converged, or a missing value."""
    converged = converged.sort_values(["group", "steps"])
    group, steps = converged["group"], converged["steps"]
    by_then, of_all = converged.groupby("group")["n"].cumsum(), group.map(n_runs)
    reached = {name: steps.where(by_then * whole >= of_all * part) for name, (part, whole) in QUANTILES.items()}
    return pd.DataFrame(reached).groupby(group).min().reindex(n_runs.index).astype("Int64")


def wilson_interval(successes: Array, trials: Array) -> tuple[Array, Array]:
    """Return the 95 % confidence interval of a rate.

    Notes
    -----
    Wilson, J. Amer. Statist. Assoc. 22 (1927) 209. The ends at no success and no
    failure are exactly 0 and 1.
    """
    rate, trials = successes / trials, trials.astype(np.float64)  # whose squares do not overflow
    spread = Z * np.sqrt(rate * (1 - rate) / trials + Z**2 / (4 * trials**2))
    middle, scale = rate + Z**2 / (2 * trials), 1 + Z**2 / trials
    low = np.where(successes == 0, 0.0, (middle - spread) / scale)
    high = np.where(successes == trials, 1.0, (middle + spread) / scale)
    return low, high

"""The statistics of cells, as they stand in cells.parquet."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from sweep.plan import Plan
from sweep.schema import arrow_schema, cells_columns
from sweep.statistics.intervals import wilson_interval
from sweep.statistics.tally import Array, to_arrow
from sweep.study import Study

QUANTILES = {"steps_q25": (1, 4), "steps_q50": (1, 2), "steps_q75": (3, 4)}


def cells_to_table(cells: pd.DataFrame, study: Study) -> pa.Table:
    """Return the statistics of all cells as they are stored."""
    return to_arrow(cells, arrow_schema(cells_columns(study)))


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

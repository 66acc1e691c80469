"""The statistics of cells, as they stand in cells.parquet."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from sweep.plan import Plan
from sweep.schema import arrow_schema, cells_columns
from sweep.statistics.intervals import wilson_interval
from sweep.statistics.steps import best_restarts, ends_by_group, expected_steps, restricted_means, steps_quantiles
from sweep.statistics.tally import to_arrow
from sweep.study import Study


def cells_to_table(cells: pd.DataFrame, study: Study) -> pa.Table:
    """Return the statistics of all cells as they are stored."""
    return to_arrow(cells, arrow_schema(cells_columns(study)))


def summarize(tally: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the statistics of every cell of a complete study, in cell order.

    The columns are those of cells.parquet; a quantile of steps that is not reached is missing.
    """
    cells = cells_of(plan)
    return cells.join(_statistics(tally, plan))


def cells_of(plan: Plan) -> pd.DataFrame:
    """Return the number and the swept parameters of every cell, in cell order."""
    cells = np.arange(plan.n_cells)
    return pd.DataFrame({"cell": cells, **{name: plan.column(name, cells) for name in plan.study.parameters}})


def _statistics(tally: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the statistics of cells, by their number."""
    cell = tally["cell"].to_numpy()
    ends = ends_by_group(tally, cell, plan.most_steps(cell))
    counts = pd.get_dummies(ends["status"], prefix="n", dtype=np.int64).mul(ends["n"], axis=0)
    sums = counts.assign(n_runs=ends["n"]).groupby(ends["group"]).sum()
    n_runs, n_converged = sums["n_runs"], sums["n_converged"]
    low, high = wilson_interval(n_converged.to_numpy(), n_runs.to_numpy())
    rates = {
        "n_runs": n_runs,
        **{name: sums[name] for name in counts},
        "convergence_rate": n_converged / n_runs,
        "convergence_rate_low": low,
        "convergence_rate_high": high,
    }
    steps = [each(ends) for each in (steps_quantiles, restricted_means, expected_steps, best_restarts)]
    return pd.concat([pd.DataFrame(rates), *steps], axis=1)

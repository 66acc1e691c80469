"""What became of the runs of a shard, before it is written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sweep.schedule.plan import Plan
from sweep.schedule.waves import Shard
from sweep.statistics.losses import counts_table
from sweep.statistics.table_values import status_array
from sweep.statistics.tally import tally_runs

if TYPE_CHECKING:
    import pandas as pd

    from kernels.loop.runs import Columns

Array = NDArray[Any]


@dataclass(frozen=True)
class ShardResult:
    """What became of the runs of a shard.

    Attributes
    ----------
    plan, shard
        Which runs.
    columns
        Their outcomes, in visiting order.
    schema
        Of rows.
    lane_steps
        Steps that lanes spent.
    reused_steps
        Steps of runs that were not trained but taken from earlier results.
    """

    plan: Plan
    shard: Shard
    columns: Columns
    schema: pa.Schema
    lane_steps: int
    reused_steps: int

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return len(self.columns.steps)

    @cached_property
    def net_steps(self) -> int:
        """Steps that the runs took."""
        return int(self.columns.steps.sum(dtype=np.int64))

    def rows(self, names: list[str] | None = None) -> pa.Table:
        """Return a row for each run, of all columns or of these."""
        schema = self.schema if names is None else pa.schema([self.schema.field(name) for name in names])
        columns = [(field, self.column(field.name)) for field in schema]
        arrays = [status_array(c) if field.name == "status" else pa.array(c, field.type) for field, c in columns]
        return pa.table(arrays, schema=schema)

    def column(self, name: str) -> Array:
        """Return a column of the rows, with status as codes."""
        if name in self.columns._fields:
            outcome: Array = getattr(self.columns, name)
            return outcome
        if name == "run":
            return self.plan.runs(self.shard)
        if name == "seed":
            return self.plan.seeds(self.shard)
        cells, counts = self.plan.cells(self.shard)
        if name == "epochs":
            return self.columns.steps // np.repeat(self.plan.grid.n_windows(cells), counts)
        return np.repeat(cells if name == "cell" else self.plan.grid.column(name, cells), counts)

    def tally(self) -> pd.DataFrame:
        """Count the runs by how they ended."""
        return tally_runs(self.column("cell"), self.columns.status, self.columns.steps)

    def counts(self) -> pa.Table:
        """Count them as they are stored where rows are not."""
        ends = self.columns.status, self.columns.steps, self.columns.final_loss
        return counts_table(self.plan.study, self.column("cell"), *ends)

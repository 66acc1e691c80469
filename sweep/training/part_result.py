"""The outcome of the runs of a part, before it is written.

A trace of a single run needs no table, so the methods that make tables import pandas and pyarrow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.columns import arrow_schema
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from sweep.schemas.run_columns import runs_columns
from sweep.training.outcome_columns import OutcomeColumn, outcome_columns, updates

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from kernels.loop.run_arrays import Columns

Array = NDArray[Any]


@dataclass(frozen=True)
class PartResult:
    """The outcome of the runs of a part."""

    plan: Plan
    part: Part
    columns: Columns  # outcomes of the runs, in visiting order
    lane_steps: int  # steps executed by SIMD lanes
    reused_steps: int  # steps of runs that were taken from earlier results instead of trained
    # Recorded measures and weights by column: arrays of successive runs, (runs,), or (runs, parameters)
    networks: dict[str, list[Array]] = field(default_factory=dict)

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return len(self.columns.steps)

    @cached_property
    def net_steps(self) -> int:
        """Steps of the runs."""
        return int(updates(self.columns).sum(dtype=np.int64))

    @cached_property
    def _outcomes(self) -> dict[str, OutcomeColumn]:
        return {each.column.name: each for each in outcome_columns(self.plan.study)}

    def rows(self, names: list[str] | None = None) -> pa.Table:
        """Return a row for each run, with all columns or those named."""
        import pyarrow as pa

        from sweep.analysis.table_values import lists_array, status_array

        schema = arrow_schema(runs_columns(self.plan.study))
        if names is not None:
            schema = pa.schema([schema.field(name) for name in names])
        arrays = []
        for each in schema:
            if pa.types.is_list(each.type):
                arrays.append(lists_array(self.networks[each.name]))
            else:
                values = self.column(each.name)
                arrays.append(status_array(values) if each.name == "status" else pa.array(values, each.type))
        return pa.table(arrays, schema=schema)

    def column(self, name: str) -> Array:
        """Return a column of the rows; status as codes."""
        if name in self._outcomes:
            return self._outcomes[name].of(self.columns)
        if name in self.networks:
            return np.concatenate(self.networks[name])
        if name == "run":
            return self.plan.runs(self.part)
        if name == "seed":
            return self.plan.seeds(self.part)
        cells, counts = self.plan.cells(self.part)
        if name == "epochs":
            return self.columns.steps // np.repeat(self.plan.grid.n_windows(cells), counts)
        return np.repeat(cells if name == "cell" else self.plan.grid.column(name, cells), counts)

    def tally(self) -> pd.DataFrame:
        """Count the runs by cell, status and steps."""
        from sweep.analysis.tally import tally_runs

        return tally_runs(self.column("cell"), self.columns.status, updates(self.columns))

    def counts(self) -> pa.Table:
        """Count the runs, as the table that is stored where rows are not kept."""
        from sweep.analysis.losses import counts_table

        ends = self.columns.status, updates(self.columns), self.columns.final_loss
        return counts_table(self.plan.study, self.column("cell"), *ends)

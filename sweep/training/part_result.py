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
from sweep.schedule.part import Part
from sweep.schedule.plan import Plan
from sweep.schemas.run_columns import attempt_columns, measure_columns, network_columns, runs_columns, threshold_columns
from sweep.study.model import Study

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from kernels.loop.run_arrays import Columns

Array = NDArray[Any]


@dataclass(frozen=True)
class PartResult:
    """The outcome of the runs of a part.

    Attributes
    ----------
    plan, part
        The plan of the study, and the part.
    columns
        Outcomes of the runs, in visiting order.
    lane_steps
        Steps executed by SIMD lanes.
    reused_steps
        Steps of runs that were taken from earlier results instead of trained.
    networks
        Recorded measures and weights by column: arrays of successive runs, (runs,), or (runs, parameters).
    """

    plan: Plan
    part: Part
    columns: Columns
    lane_steps: int
    reused_steps: int
    networks: dict[str, list[Array]] = field(default_factory=dict)

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return len(self.columns.steps)

    @cached_property
    def net_steps(self) -> int:
        """Steps of the runs."""
        return int(updates(self.columns).sum(dtype=np.int64))

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
        if name in self.columns._fields:
            outcome: Array = getattr(self.columns, name)
            return outcome
        thresholds = [column.name for column in threshold_columns(self.plan.study)]
        if name in thresholds:
            return self.columns.threshold_steps[:, thresholds.index(name)]
        measures = {column.name: column.type for column in measure_columns(self.plan.study)}
        if name in measures:
            return self.columns.measures[:, list(measures).index(name)].astype(measures[name])
        attempts = [column.name for column in attempt_columns(self.plan.study)]
        if name in attempts:
            return self.columns.attempts[:, attempts.index(name)]
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


def updates(columns: Columns) -> Array:
    """Return the updates of each run, (runs,), with those of all its attempts."""
    return columns.attempts[:, 1] if columns.attempts.shape[1] else columns.steps


def is_outcome(name: str, study: Study) -> bool:
    """Return whether a column holds an outcome of training, rather than what follows from the study."""
    from kernels.loop.run_arrays import Columns

    others = (*threshold_columns(study), *measure_columns(study), *attempt_columns(study), *network_columns(study))
    return name in Columns._fields or name in [column.name for column in others]


def outcomes_from_table(table: pa.Table, study: Study) -> Columns:
    """Return the outcomes in a table of rows of a study, with its loss thresholds."""
    from kernels.loop.run_arrays import Columns
    from sweep.analysis.table_values import column_values

    known = {column.name: column for column in runs_columns(study)}
    single = {name: column_values(table, known[name]) for name in Columns._fields if name in known}
    several: dict[str, Array] = {}
    for name, columns, kind in (
        ("threshold_steps", threshold_columns(study), np.int32),
        ("loss_sums", [], np.float64),  # these are columns of networks, which are never reused
        ("measures", measure_columns(study), np.float64),
        ("attempts", attempt_columns(study), np.int32),
    ):
        values = [column_values(table, column).astype(kind) for column in columns]
        several[name] = np.stack(values, axis=1) if values else np.empty((len(table), 0), kind)
    return Columns(**single, **several)

"""Which columns of rows training fills, and where their values are in the arrays of kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from kernels.loop.run_arrays import Columns, make_columns
from sweep.columns import Column
from sweep.schemas.run_columns import attempt_columns, measure_columns, runs_columns, threshold_columns
from sweep.study.model import Study

if TYPE_CHECKING:
    import pyarrow as pa

Array = NDArray[Any]


class OutcomeColumn(NamedTuple):
    """A column of rows, and the array of kernels with its values."""

    column: Column
    array: str  # a field of :class:`~kernels.loop.run_arrays.Columns`
    place: int | None = None  # the column of a matrix; None if the array has one number for each run

    def of(self, columns: Columns) -> Array:
        """Return its values, (runs,)."""
        values: Array = getattr(columns, self.array)
        return values if self.place is None else values[:, self.place].astype(self.column.type, copy=False)


def outcome_columns(study: Study) -> list[OutcomeColumn]:
    """Return the columns of rows that training fills, but those of recorded networks."""
    matrices = {
        "threshold_steps": threshold_columns(study),
        "measures": measure_columns(study),
        "attempts": attempt_columns(study),
    }
    single = [OutcomeColumn(column, column.name) for column in runs_columns(study) if column.name in Columns._fields]
    several = [
        OutcomeColumn(column, array, place) for array, named in matrices.items() for place, column in enumerate(named)
    ]
    return single + several


def make_outcomes(study: Study, n_runs: int) -> Columns:
    """Allocate the arrays for outcomes of runs of a study."""
    numbers = len(study.record.loss_thresholds), len(study.record.loss_sums), len(measure_columns(study))
    return make_columns(n_runs, *numbers, restarts=bool(study.restarts.max_restarts))


def outcomes_from_table(table: pa.Table, study: Study) -> Columns:
    """Return the outcomes in a table of rows of a study, with its loss thresholds."""
    from sweep.analysis.table_values import column_values

    columns = make_outcomes(study, len(table))
    for each in outcome_columns(study):
        values, array = column_values(table, each.column), getattr(columns, each.array)
        array[slice(None) if each.place is None else (slice(None), each.place)] = values
    return columns


def updates(columns: Columns) -> Array:
    """Return the updates of each run, (runs,), with those of all its attempts."""
    return columns.attempts[:, 1] if columns.attempts.shape[1] else columns.steps

"""Columns of results, from which files, checks and documentation follow, and the names that no parameter can have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.measures import MEASURES
from sweep.measures.measure import Measure
from sweep.statistics.of_cells import OF_CONVERGENCE, every
from sweep.statistics.statistic import Statistic

if TYPE_CHECKING:
    import pyarrow as pa

# Their order gives the codes; new statuses are appended.
STATUSES = ("converged", "diverged", "stalled", "exhausted", "plateau")


@dataclass(frozen=True)
class Column:
    """A column of results."""

    name: str
    # The name of an Arrow type; ``"status"``: a dictionary of :data:`STATUSES` with int8 codes; or ``"list<..>"`` of
    # a type of numbers
    type: str
    unit: str
    doc: str  # its meaning

    @property
    def is_list(self) -> bool:
        """Whether values are lists of numbers."""
        return self.type.startswith("list")


RUN = Column("run", "int64", "", "number of the run: cell * n_seeds + (seed - base)")
CELL = Column("cell", "int64", "", "number of the cell: parameters in file order, the last fastest")
SEED = Column("seed", "int64", "", "seed of the initial weights")
STATUS = Column("status", "status", "", "how the run ended: converged, diverged, stalled, exhausted, or on a plateau")
STEPS = Column("steps", "int32", "updates", "updates taken")
ATTEMPTS = (
    Column("restarts", "int32", "restarts", "restarts before the attempt in this row"),
    Column("total_steps", "int32", "updates", "updates of all attempts; steps counts those of the last attempt"),
)
EPOCHS = Column(
    "epochs", "int32", "epochs", "completed epochs; only in studies with batches of fewer than all patterns"
)


def column_of(measure: Measure) -> Column:
    """Return the column of a measure."""
    return Column(measure.name, measure.type, measure.unit, measure.meaning)


MEASURE_COLUMNS = (
    Column("initial_loss", "float64", "loss", "loss before the first update; inf if not finite"),
    *(column_of(each) for each in MEASURES.values() if not (each.is_recorded or each.needs)),
)
# Those of studies with test patterns.
TEST_COLUMNS = tuple(column_of(each) for each in MEASURES.values() if each.is_filled)
# Columns of learning curves; n_correct and those of studies with test patterns have the same names as in rows of runs.
CURVE_COLUMNS = (
    Column("train_loss", "float64", "loss", "loss over the patterns to train on; inf if diverged"),
    Column("n_correct", "int32", "outputs", "n_correct at this point; 0 if diverged"),
)
# All columns of runs and curves but those of parameters, loss thresholds and recorded networks.
OF_RUNS = (RUN, CELL, SEED, STATUS, STEPS, EPOCHS, *ATTEMPTS, *MEASURE_COLUMNS, *TEST_COLUMNS, *CURVE_COLUMNS)


def statistic_columns(statistics: Iterable[Statistic]) -> list[Column]:
    """Return the columns of statistics: each value, its standard error, and the ends of its interval."""
    return [
        Column(name, "int64" if each.integer else "float64", each.unit, meaning)
        for each in statistics
        for name, meaning in each.meanings.items()
    ]


# Other columns of answers of results; a test compares them with all answers.
_ENDS = ("", "_low", "_high")
_OF_ANSWERS = (
    *("n_cells", "best_cell", "best_rate", "best_value"),
    *("rank", "p_value", "p_value_holm", "may_be_best", "equals_first"),
    *("best_of", "best_of_low", "best_of_high"),
    *("first", "second", "n_seeds", "n_pairs", "equivalent", "p_equivalent", "p_steps", "p_steps_holm", "steps_limit"),
    *(f"{side}_{what}" for side in ("first", "second") for what in ("rate", "faster", "better", "median", "mean")),
    *(
        f"{effect}{end}"
        for effect in ("difference", "advantage", "expected_steps_ratio", "restricted_mean_difference", "share")
        for end in _ENDS
    ),
    *("incidence", "low", "high", "band_low", "band_high", "at_risk", "factor", "n_problems", "n_unsolved", "k"),
    *("n_learned", "loss_threshold", "partial"),
)
# Columns of integers that may be null.
NULL_COLUMNS = tuple(name for each in OF_CONVERGENCE.values() if each.integer for name in each.columns)


def reserved_columns() -> set[str]:
    """Return the names of columns that no parameter can have."""
    of_cells = {name for each in every().values() for name in each.columns}
    of_runs = {column.name for column in OF_RUNS} | {*MEASURES, "initial_weights", "final_weights", "best_weights"}
    return of_runs | of_cells | {"n", *_OF_ANSWERS}


def statuses(has_patience: bool) -> tuple[str, ...]:
    """Return the statuses that runs of a study may have, in the order of their codes."""
    return STATUSES if has_patience else tuple(status for status in STATUSES if status != "plateau")


def arrow_schema(columns: list[Column]) -> pa.Schema:
    """Return the Arrow schema of columns, with unit and meaning in the field metadata."""
    import pyarrow as pa

    def arrow_type(column: Column) -> pa.DataType:
        if column.type == "status":
            return pa.dictionary(pa.int8(), pa.string())
        if column.is_list:
            return pa.list_(pa.type_for_alias(column.type[5:-1].replace("float32", "float")))
        return pa.type_for_alias(column.type)

    return pa.schema(
        [pa.field(c.name, arrow_type(c), metadata={"unit": c.unit, "description": c.doc}) for c in columns]
    )

"""The columns of runs and of learning curves, from which files, checks and documentation follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sweep.measures import MEASURES
from sweep.measures.measure import Measure
from sweep.study.content import StudyContent

if TYPE_CHECKING:
    import pyarrow as pa

# Their order gives the codes; new statuses are appended.
STATUSES = ("converged", "diverged", "stalled", "exhausted", "plateau")


@dataclass(frozen=True)
class Column:
    """A column of results.

    Attributes
    ----------
    name, unit
    type
        The name of an Arrow type; ``"status"``: a dictionary of :data:`STATUSES` with int8 codes; or ``"list<..>"`` of
        a type of numbers.
    doc
        Its meaning.
    """

    name: str
    type: str
    unit: str
    doc: str

    @property
    def is_list(self) -> bool:
        """Whether values are lists of numbers."""
        return self.type.startswith("list")


_RUN = Column("run", "int64", "", "number of the run: cell * n_seeds + (seed - base)")
CELL = Column("cell", "int64", "", "number of the cell: parameters in file order, the last fastest")
_SEED = Column("seed", "int64", "", "seed of the initial weights")
STATUS = Column("status", "status", "", "how the run ended: converged, diverged, stalled, exhausted, or on a plateau")
STEPS = Column("steps", "int32", "updates", "updates taken")
_ATTEMPTS = (
    Column("restarts", "int32", "restarts", "restarts before the attempt in this row"),
    Column("total_steps", "int32", "updates", "updates of all attempts; steps counts those of the last attempt"),
)
_EPOCHS = Column(
    "epochs", "int32", "epochs", "completed epochs; only in studies with batches of fewer than all patterns"
)


def _column(measure: Measure) -> Column:
    """Return the column of a measure."""
    return Column(measure.name, measure.type, measure.unit, measure.meaning)


_MEASURES = (
    Column("initial_loss", "float64", "loss", "loss before the first update; inf if not finite"),
    *(_column(each) for each in MEASURES.values() if not (each.is_recorded or each.is_tested)),
)
_TEST_MEASURES = tuple(_column(each) for each in MEASURES.values() if each.is_tested)
# Columns of learning curves; n_correct and those of test patterns have the same names as in rows of runs.
_POINTS = (
    Column("train_loss", "float64", "loss", "loss over the patterns to train on; inf if diverged"),
    Column("n_correct", "int32", "outputs", "n_correct at this point; 0 if diverged"),
)
# All columns of runs and curves but those of parameters, loss thresholds and recorded networks.
OF_RUNS = (_RUN, CELL, _SEED, STATUS, STEPS, _EPOCHS, *_ATTEMPTS, *_MEASURES, *_TEST_MEASURES, *_POINTS)
_TYPES = {bool: "bool", int: "int64", float: "float64", str: "string"}

# Unit and meaning of the parameter loss_threshold, which is not an option of a study.
_LOSS_THRESHOLD = ("loss", "recorded loss threshold: a run converges when its loss is below it")


def parameter_columns(study: StudyContent) -> list[Column]:
    """Return the columns of the swept parameters, in file order."""
    options = study.tables.options
    return [
        Column(
            name,
            _TYPES[type(values[0])],
            *((options[name].unit, options[name].meaning) if name in options else _LOSS_THRESHOLD),
        )
        for name, values in study.parameters.items()
    ]


def threshold_columns(study: StudyContent) -> list[Column]:
    """Return the columns of the steps to recorded loss thresholds, the largest threshold first."""
    names = [repr(threshold).removesuffix(".0") for threshold in study.record.loss_thresholds]
    doc = "updates before the first evaluation with a loss below {}; -1 if there is none"
    return [Column(f"steps_to_{name}", "int32", "updates", doc.format(name)) for name in names]


def attempt_columns(study: StudyContent) -> list[Column]:
    """Return the columns of restarts, if runs may restart."""
    return list(_ATTEMPTS) if study.restarts.max_restarts else []


def updates_column(study: StudyContent) -> str:
    """Return the column of the updates of each run, over all attempts where runs restart."""
    return "total_steps" if study.restarts.max_restarts else "steps"


def measure_columns(study: StudyContent) -> list[Column]:
    """Return the columns of test measures, if there are test patterns."""
    return list(_TEST_MEASURES) if study.data.n_tests else []


def network_columns(study: StudyContent) -> list[Column]:
    """Return the columns of recorded measures and weights; weights are all parameters, array after array."""
    docs = {
        "initial_weights": "parameters before the first update",
        "final_weights": "parameters after the last update; may be infinite or NaN if diverged",
    }
    kind, order = f"list<{study.network.dtype}>", "array after array, as Result.weights names them"
    measures = [_column(MEASURES[name]) for name in study.record.measures]
    weights = [Column(name, kind, "weight", f"{docs[name]}, {order}") for name in study.record.columns_of_weights]
    return measures + weights


def runs_columns(study: StudyContent) -> list[Column]:
    """Return the columns of the runs table, one row per run."""
    epochs = [_EPOCHS] if has_epochs(study) else []
    parameters, thresholds = parameter_columns(study), threshold_columns(study)
    measures = [*_MEASURES, *measure_columns(study)]
    networks = network_columns(study)
    ends = [STATUS, STEPS, *epochs, *attempt_columns(study)]
    return [_RUN, CELL, _SEED, *parameters, *ends, *measures, *thresholds, *networks]


def curve_measures(study: StudyContent) -> list[Column]:
    """Return the columns of the measures at each point of a learning curve."""
    tested = [replace(each, doc=each.doc.replace("of the final network ", "")) for each in measure_columns(study)]
    return [*_POINTS, *tested]


def curves_columns(study: StudyContent) -> list[Column]:
    """Return the columns of learning curves, one row per point: by run, and then by steps."""
    epochs = [replace(_EPOCHS, doc="epochs completed at the point")] if has_epochs(study) else []
    points = [replace(STEPS, doc="updates taken up to the point; at the last point those of the whole run"), *epochs]
    return [_RUN, CELL, _SEED, *parameter_columns(study), STATUS, *points, *curve_measures(study)]


def has_epochs(study: StudyContent) -> bool:
    """Return whether some cell's epoch takes several steps, so that rows have a column of epochs."""
    return bool(min(study.values_of("batch")) < study.data.n_patterns)


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


def row_bytes(study: StudyContent) -> tuple[int, int]:
    """Return the bytes of a row of runs in memory, and about those on disk.

    On disk, losses, errors and weights hardly compress; counters and parameters take almost no space.
    """
    sizes = {"int64": 8, "int32": 4, "float64": 8, "status": 1, "bool": 1, "string": 8}
    columns = [column for column in runs_columns(study) if not column.is_list]
    number = 8 if study.network.dtype == "float64" else 4
    of_weights = number * study.most_parameters * len(study.record.columns_of_weights)
    return sum(sizes[column.type] for column in columns) + of_weights, 20 + of_weights

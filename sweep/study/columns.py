"""The columns of rows of runs and of learning curves, from which files, checks and documentation follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sweep.study.content import StudyContent
from sweep.study.network_measures import NETWORK_MEASURES

if TYPE_CHECKING:
    import pyarrow as pa

# By their codes, to which others are only ever appended.
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
    Column("restarts", "int32", "restarts", "restarts before the attempt that the row is of"),
    Column("total_steps", "int32", "updates", "updates of all attempts; steps are those of the last"),
)
_EPOCHS = Column("epochs", "int32", "epochs", "epochs completed; only where some cell's update takes not all patterns")
_MEASURES = (
    Column("initial_loss", "float64", "loss", "loss before the first update; inf if not finite"),
    Column("final_loss", "float64", "loss", "loss after the last update; inf if diverged"),
    Column(
        "n_correct",
        "int32",
        "outputs",
        "outputs, over all patterns trained on, that are on the side of the middle where their targets are, or with "
        "softmax patterns whose class is right; 0 if diverged",
    ),
    Column("max_error", "float64", "output", "largest distance of an output from its target; inf if diverged"),
)
_TEST_MEASURES = (
    Column("test_loss", "float64", "loss", "loss of the final network with the test patterns; inf if diverged"),
    Column("n_test_correct", "int32", "outputs", "as n_correct, of the test patterns; 0 if diverged"),
)
# Columns of learning curves, of which n_correct and those with test patterns are named as in the rows.
_POINTS = (
    Column("train_loss", "float64", "loss", "loss with the patterns that it is trained on; inf if diverged"),
    Column("n_correct", "int32", "outputs", "as n_correct of the rows, there; 0 if diverged"),
)
# All that rows of runs and points of curves may have besides parameters, targets and what is recorded of networks.
OF_RUNS = (_RUN, CELL, _SEED, STATUS, STEPS, _EPOCHS, *_ATTEMPTS, *_MEASURES, *_TEST_MEASURES, *_POINTS)
_TYPES = {bool: "bool", int: "int64", float: "float64", str: "string"}

# Unit and meaning of the parameter that recorded targets are beside the options of a study.
_LOSS_THRESHOLD = ("loss", "recorded threshold of the loss: a run converges at the step to it")


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
    """Return the columns of the steps to the targets of the loss that a study records, the largest target first."""
    names = [repr(target).removesuffix(".0") for target in study.record.loss_thresholds]
    doc = "updates before the loss was first evaluated to be below {}; -1 if it never was"
    return [Column(f"steps_to_{name}", "int32", "updates", doc.format(name)) for name in names]


def attempt_columns(study: StudyContent) -> list[Column]:
    """Return the columns of restarts, if runs may restart."""
    return list(_ATTEMPTS) if study.restarts.max_restarts else []


def updates_column(study: StudyContent) -> str:
    """Return the column of the updates of each run: where runs restart, those of all attempts."""
    return "total_steps" if study.restarts.max_restarts else "steps"


def measure_columns(study: StudyContent) -> list[Column]:
    """Return the columns of measures of final networks beside those of all studies."""
    return list(_TEST_MEASURES) if study.data.n_tests else []


def network_columns(study: StudyContent) -> list[Column]:
    """Return the columns of recorded measures of networks, and of weights: all parameters, array after array."""
    docs = {
        "initial_weights": "parameters before the first update",
        "final_weights": "parameters after the last update; may be infinite or NaN where diverged",
    }
    kind, order = f"list<{study.network.dtype}>", "array after array, as Result.weights names them"
    measures = [Column(name, *NETWORK_MEASURES[name][:3]) for name in study.record.measures]
    weights = [Column(name, kind, "weight", f"{docs[name]}, {order}") for name in study.record.columns_of_weights]
    return measures + weights


def runs_columns(study: StudyContent) -> list[Column]:
    """Return the columns of the runs table, one row per run."""
    epochs = [_EPOCHS] if has_epochs(study) else []
    parameters, targets = parameter_columns(study), threshold_columns(study)
    measures = [*_MEASURES, *measure_columns(study)]
    networks = network_columns(study)
    ends = [STATUS, STEPS, *epochs, *attempt_columns(study)]
    return [_RUN, CELL, _SEED, *parameters, *ends, *measures, *targets, *networks]


def curve_measures(study: StudyContent) -> list[Column]:
    """Return the columns of what learning curves tell of the network at each point."""
    tested = [replace(each, doc=each.doc.replace("of the final network ", "")) for each in measure_columns(study)]
    return [*_POINTS, *tested]


def curves_columns(study: StudyContent) -> list[Column]:
    """Return the columns of learning curves, one row per point: by run, and then by steps."""
    epochs = [replace(_EPOCHS, doc="epochs completed there")] if has_epochs(study) else []
    points = [replace(STEPS, doc="updates taken at the point; those of the whole run at its last one"), *epochs]
    return [_RUN, CELL, _SEED, *parameter_columns(study), STATUS, *points, *curve_measures(study)]


def has_epochs(study: StudyContent) -> bool:
    """Return whether some cell's epoch takes several steps, so that rows tell epochs too."""
    return bool(min(study.values_of("batch")) < study.data.n_patterns)


def statuses(has_patience: bool) -> tuple[str, ...]:
    """Return how runs of a study may end, in the order of their codes."""
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
    """Return the bytes of a row of runs in memory, and roughly those on disk.

    On disk losses, errors and weights hardly compress; counters and parameters take almost nothing.
    """
    sizes = {"int64": 8, "int32": 4, "float64": 8, "status": 1, "bool": 1, "string": 8}
    columns = [column for column in runs_columns(study) if not column.is_list]
    number = 8 if study.network.dtype == "float64" else 4
    of_weights = number * study.most_parameters * len(study.record.columns_of_weights)
    return sum(sizes[column.type] for column in columns) + of_weights, 20 + of_weights

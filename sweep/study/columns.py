"""The columns of results: one list from which files, checks and documentation follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from sweep.study.content import StudyContent
from sweep.study.network_measures import NETWORK_MEASURES

if TYPE_CHECKING:
    import pyarrow as pa

STATUSES = ("converged", "diverged", "stalled", "exhausted")


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
    later
        Whether files of earlier versions lack the column; it is then read as null.
    restated
        Whether its definition has changed. It is read as null from files that lack any column that is ``later``.
    """

    name: str
    type: str
    unit: str
    doc: str
    later: bool = False
    restated: bool = False

    @property
    def is_list(self) -> bool:
        """Whether values are lists of numbers."""
        return self.type.startswith("list")


_RUN = Column("run", "int64", "", "number of the run: cell * n_seeds + (seed - base)")
_CELL = Column("cell", "int64", "", "number of the cell: parameters in file order, the last fastest")
_SEED = Column("seed", "int64", "", "seed of the initial weights")
_STATUS = Column("status", "status", "", "how the run ended: converged, diverged, stalled or exhausted")
_STEPS = Column("steps", "int32", "updates", "updates taken")
_EPOCHS = Column("epochs", "int32", "epochs", "epochs completed; only where some cell's update takes not all patterns")
_MEASURES = (
    Column("initial_loss", "float64", "loss", "loss before the first update; inf if not finite"),
    Column("final_loss", "float64", "loss", "loss after the last update; inf if diverged"),
    Column(
        "n_correct",
        "int32",
        "outputs",
        "outputs on the right side of the middle, or with softmax patterns of the right class; 0 if diverged",
    ),
    Column("max_error", "float64", "output", "largest distance of an output from its target; inf if diverged"),
)
_TEST_MEASURES = (
    Column("test_loss", "float64", "loss", "loss of the final network with the test patterns; inf if diverged"),
    Column("n_test_correct", "int32", "outputs", "outputs that are right with the test patterns; 0 if diverged"),
)
# Columns of learning curves, of which n_correct and those with test patterns are named as in the rows.
_POINTS = (
    Column("train_loss", "float64", "loss", "loss with the patterns that it is trained on; inf if diverged"),
    Column("n_correct", "int32", "outputs", "outputs that are right there; 0 if diverged"),
)
_STATISTICS = (
    Column("n_runs", "int64", "runs", "runs of the cell"),
    Column("n_converged", "int64", "runs", "runs that met the criterion"),
    Column("n_diverged", "int64", "runs", "runs whose loss became infinite, NaN or larger than the bound"),
    Column("n_stalled", "int64", "runs", "runs that no update could change any more"),
    Column("n_exhausted", "int64", "runs", "right-censored runs: they took all updates allowed"),
    Column("convergence_rate", "float64", "fraction", "n_converged / n_runs"),
    Column("convergence_rate_low", "float64", "fraction", "lower end of its 95 % Wilson interval"),
    Column("convergence_rate_high", "float64", "fraction", "upper end of its 95 % Wilson interval"),
    *(
        Column(name, "int64", "updates", doc)
        for part in (25, 50, 75)
        for name, doc in (
            (f"steps_q{part}", f"updates by which {part} % of all runs converged; null if never"),
            (f"steps_q{part}_low", "lower end of its 95 % interval; null if never"),
            (f"steps_q{part}_high", "upper end of its 95 % interval; null if never"),
        )
    ),
    Column(
        "restricted_mean_steps",
        "float64",
        "updates",
        "restricted mean survival time, RMST: mean over all runs of updates to converge, the limit if not",
    ),
    Column("restricted_mean_steps_error", "float64", "updates", "its standard error; null for one run"),
    Column("restricted_mean_steps_low", "float64", "updates", "lower end of its 95 % interval", later=True),
    Column("restricted_mean_steps_high", "float64", "updates", "upper end of its 95 % interval", later=True),
    Column(
        "expected_steps",
        "float64",
        "updates",
        "expected running time, ERT: updates of all runs / n_converged",
    ),
    Column("expected_steps_low", "float64", "updates", "lower end of its 95 % interval; null if none converged"),
    Column("expected_steps_high", "float64", "updates", "upper end of its 95 % interval; null if none converged"),
    Column(
        "restart_steps",
        "int64",
        "updates",
        "updates after which a restart pays; null if none converged",
    ),
    Column("restarted_steps", "float64", "updates", "updates per success then, estimated on other runs", restated=True),
    Column("restarted_steps_low", "float64", "updates", "lower end of its 95 % interval; null if none", later=True),
    Column("restarted_steps_high", "float64", "updates", "upper end of its 95 % interval; null if none", later=True),
)
# Columns of studies in which some cell has criterion 'none'.
_LOSSES = (
    *(
        Column(name, "float64", "loss", doc, later=True)
        for part in (25, 50, 75)
        for name, doc in (
            (f"final_loss_q{part}", f"final loss that {part} % of all runs do not exceed; inf if fewer are finite"),
            (f"final_loss_q{part}_low", "lower end of its 95 % interval; 0 if not known"),
            (f"final_loss_q{part}_high", "upper end of its 95 % interval; inf if not known"),
        )
    ),
    Column("final_loss_geometric_mean", "float64", "loss", "geometric mean of the finite final losses", later=True),
    Column("final_loss_geometric_mean_low", "float64", "loss", "lower end of its 95 % interval; null if 0", later=True),
    Column(
        "final_loss_geometric_mean_high", "float64", "loss", "upper end of its 95 % interval; null if 0", later=True
    ),
    Column("finite_rate", "float64", "fraction", "share of all runs whose final loss is finite", later=True),
    Column("finite_rate_low", "float64", "fraction", "lower end of its 95 % Wilson interval", later=True),
    Column("finite_rate_high", "float64", "fraction", "upper end of its 95 % Wilson interval", later=True),
)
# Columns of integers that may be null.
NULL_COLUMNS = (*(f"steps_q{part}{end}" for part in (25, 50, 75) for end in ("", "_low", "_high")), "restart_steps")
_TYPES = {bool: "bool", int: "int64", float: "float64", str: "string"}

# Unit and meaning of the parameter that recorded targets are beside the words of a study.
_TARGET = ("loss", "recorded target: a run converges at the step to it")


def reserved_columns() -> set[str]:
    """Return the names of columns that no parameter can have."""
    rows = (_RUN, _CELL, _SEED, _STATUS, _STEPS, _EPOCHS, *_MEASURES, *_TEST_MEASURES, *_POINTS)
    recorded = {*NETWORK_MEASURES, "initial_weights", "final_weights"}
    return {column.name for column in (*rows, *_STATISTICS, *_LOSSES)} | {"n"} | recorded


def parameter_columns(study: StudyContent) -> list[Column]:
    """Return the columns of the swept parameters, in file order."""
    words = study.tables.words
    return [
        Column(
            name,
            _TYPES[type(values[0])],
            *((words[name].unit, words[name].meaning) if name in words else _TARGET),
        )
        for name, values in study.parameters.items()
    ]


def target_columns(study: StudyContent) -> list[Column]:
    """Return the columns of the steps to the targets of the loss that a study records, the largest target first."""
    names = [repr(target).removesuffix(".0") for target in study.record.targets]
    doc = "updates before the loss was first judged to be below {}; -1 if it never was"
    return [Column(f"steps_below_{name}", "int32", "updates", doc.format(name)) for name in names]


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
    measures = [Column(name, *NETWORK_MEASURES[name]) for name in study.record.measures]
    weights = [Column(name, kind, "weight", f"{docs[name]}, {order}") for name in study.record.columns_of_weights]
    return measures + weights


def runs_columns(study: StudyContent) -> list[Column]:
    """Return the columns of the runs table, one row per run."""
    epochs = [_EPOCHS] if has_epochs(study) else []
    parameters, targets = parameter_columns(study), target_columns(study)
    measures = [*_MEASURES, *measure_columns(study)]
    networks = network_columns(study)
    return [_RUN, _CELL, _SEED, *parameters, _STATUS, _STEPS, *epochs, *measures, *targets, *networks]


def curve_measures(study: StudyContent) -> list[Column]:
    """Return the columns of what learning curves tell of the network at each point."""
    tested = [replace(each, doc=each.doc.replace("of the final network ", "")) for each in measure_columns(study)]
    return [*_POINTS, *tested]


def curves_columns(study: StudyContent) -> list[Column]:
    """Return the columns of learning curves, one row per point: by run, and then by steps."""
    epochs = [replace(_EPOCHS, doc="epochs completed there")] if has_epochs(study) else []
    points = [replace(_STEPS, doc="updates taken at the point; those of the whole run at its last one"), *epochs]
    return [_RUN, _CELL, _SEED, *parameter_columns(study), _STATUS, *points, *curve_measures(study)]


def has_epochs(study: StudyContent) -> bool:
    """Return whether some cell's epoch takes several steps, so that rows tell epochs too."""
    return bool(min(study.values_of("batch")) < study.data.n_patterns)


def cells_columns(study: StudyContent) -> list[Column]:
    """Return the columns of the cells table, one row per cell."""
    return [_CELL, *parameter_columns(study), *_STATISTICS, *(_LOSSES if tells_losses(study) else ())]


def tells_losses(study: StudyContent) -> bool:
    """Return whether the cells table has statistics of final losses: if some cell is not judged."""
    return "none" in study.values_of("criterion")


def tally_columns() -> list[Column]:
    """Return the columns of a tally: the runs of a cell by status and number of steps."""
    return [_CELL, _STATUS, _STEPS, Column("n", "int64", "runs", "runs that ended so")]


def counts_columns(study: StudyContent) -> list[Column]:
    """Return the columns of parts without rows of runs: a tally, also by final loss if cells have its statistics."""
    loss = Column("final_loss", "float64", "loss", "rounded to 9 bits with criterion 'none', else 0", later=True)
    return [*tally_columns(), *([loss] if tells_losses(study) else [])]


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
    most = max(sum(map(prod, shapes.values())) for shapes in study.all_shapes)
    of_weights = number * most * len(study.record.columns_of_weights)
    return sum(sizes[column.type] for column in columns) + of_weights, 20 + of_weights

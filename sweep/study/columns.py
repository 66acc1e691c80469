"""The columns of results: one list from which files, checks and documentation follow."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from sweep.study.content import StudyContent
from sweep.study.network_measures import NETWORK_MEASURES, QUANTITIES

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
_STATUS = Column("status", "status", "", "how the run ended: converged, diverged, stalled, exhausted, or on a plateau")
_STEPS = Column("steps", "int32", "updates", "updates taken")
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
        "outputs on the right side of the middle, or with softmax patterns of the right class; 0 if diverged",
    ),
    Column("max_error", "float64", "output", "largest distance of an output from its target; inf if diverged"),
)
_TEST_MEASURES = (
    Column("test_loss", "float64", "loss", "loss of the final network with the test patterns; inf if diverged"),
    Column("n_test_correct", "int32", "outputs", "outputs that are right with the test patterns; 0 if diverged"),
)
_COUNTS = (
    Column("n_runs", "int64", "runs", "runs of the cell"),
    Column("n_converged", "int64", "runs", "runs that met the criterion"),
    Column("n_diverged", "int64", "runs", "runs whose loss became infinite, NaN or larger than the bound"),
    Column("n_stalled", "int64", "runs", "runs that no update could change any more"),
    Column("n_exhausted", "int64", "runs", "right-censored runs: they took all updates allowed"),
    Column("n_plateau", "int64", "runs", "runs that did not improve within their patience; only where cells have one"),
)
_STATISTICS = (
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
# Columns of studies that record measures of networks, by measure.
_OF_QUANTITIES = {
    measure: tuple(
        Column(name, "float64", NETWORK_MEASURES[measure].unit, doc, later=True)
        for part in (25, 50, 75)
        for name, doc in (
            (f"{measure}_q{part}", f"{words} that {part} % of all runs do not exceed; infinite if that run diverged"),
            (f"{measure}_q{part}_low", "lower end of its 95 % interval; the least possible one if not known"),
            (f"{measure}_q{part}_high", "upper end of its 95 % interval; inf if not known"),
        )
    )
    for measure, words in QUANTITIES.items()
}
# Columns of integers that may be null.
NULL_COLUMNS = (*(f"steps_q{part}{end}" for part in (25, 50, 75) for end in ("", "_low", "_high")), "restart_steps")
_TYPES = {bool: "bool", int: "int64", float: "float64", str: "string"}

# Unit and meaning of the parameter that recorded targets are beside the words of a study.
_TARGET = ("loss", "recorded target: a run converges at the step to it")


def reserved_columns() -> set[str]:
    """Return the names of columns that no parameter can have."""
    rows = (_RUN, _CELL, _SEED, _STATUS, _STEPS, _EPOCHS, *_ATTEMPTS, *_MEASURES, *_TEST_MEASURES)
    recorded = {*NETWORK_MEASURES, "initial_weights", "final_weights"}
    of_cells = (*_COUNTS, *_STATISTICS, *_LOSSES, *(each for columns in _OF_QUANTITIES.values() for each in columns))
    return {column.name for column in (*rows, *of_cells)} | {"n"} | recorded


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


def attempt_columns(study: StudyContent) -> list[Column]:
    """Return the columns of restarts, if runs may begin anew."""
    return list(_ATTEMPTS) if study.restarts.most else []


def updates_column(study: StudyContent) -> str:
    """Return the column of the updates of each run: where runs begin anew, those of all attempts."""
    return "total_steps" if study.restarts.most else "steps"


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
    epochs = [_EPOCHS] if min(study.values_of("batch")) < study.data.n_patterns else []
    parameters, targets = parameter_columns(study), target_columns(study)
    measures = [*_MEASURES, *measure_columns(study)]
    networks = network_columns(study)
    ends = [_STATUS, _STEPS, *epochs, *attempt_columns(study)]
    return [_RUN, _CELL, _SEED, *parameters, *ends, *measures, *targets, *networks]


def cells_columns(study: StudyContent) -> list[Column]:
    """Return the columns of the cells table, one row per cell."""
    counts = [column for column in _COUNTS if study.has_patience or column.name != "n_plateau"]
    losses = _LOSSES if tells_losses(study) else ()
    return [_CELL, *parameter_columns(study), *counts, *_STATISTICS, *losses, *quantity_columns(study)]


def statuses(has_patience: bool) -> tuple[str, ...]:
    """Return how runs of a study may end, in the order of their codes."""
    return STATUSES if has_patience else tuple(status for status in STATUSES if status != "plateau")


def quantity_columns(study: StudyContent) -> list[Column]:
    """Return the columns of cells that are quartiles of recorded measures of networks."""
    return [column for name in recorded_quantities(study) for column in _OF_QUANTITIES[name]]


def recorded_quantities(study: StudyContent) -> list[str]:
    """Return the recorded measures of networks that have quartiles: all but ``learned_function``, which is a name."""
    return [name for name in study.record.measures if name in QUANTITIES]


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

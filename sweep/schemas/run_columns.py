"""The columns of runs and of learning curves, from which files, checks and documentation follow."""

from __future__ import annotations

from dataclasses import replace

from sweep.columns import (
    ATTEMPTS,
    CELL,
    CURVE_COLUMNS,
    EPOCHS,
    MEASURE_COLUMNS,
    RUN,
    SEED,
    STATUS,
    STEPS,
    Column,
    column_of,
)
from sweep.measures import MEASURES
from sweep.measures.custom import custom_measure
from sweep.measures.measure import Measure
from sweep.study.content import StudyContent

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
    return list(ATTEMPTS) if study.restarts.max_restarts else []


def updates_column(study: StudyContent) -> str:
    """Return the column of the updates of each run, over all attempts where runs restart."""
    return "total_steps" if study.restarts.max_restarts else "steps"


def measure_columns(study: StudyContent) -> list[Column]:
    """Return the columns of measures that training fills where a study has test patterns, or records them."""
    return [column_of(each) for each in MEASURES.values() if each.is_filled and each.is_in(study)]


def end_measures(study: StudyContent) -> list[Column]:
    """Return these columns without those of the network at the best validation."""
    return [column for column in measure_columns(study) if not MEASURES[column.name].is_at_best]


def recorded_measures(study: StudyContent) -> list[Measure]:
    """Return the measures that a study records and that training does not fill.

    Custom ones compute by the source that it declares.
    """
    custom = study.tables.custom
    names = [name for name in study.record.measures if name in custom or not MEASURES[name].is_filled]
    return [custom_measure(custom[name]) if name in custom else MEASURES[name] for name in names]


def curved_measures(study: StudyContent) -> list[Measure]:
    """Return the recorded measures that need second derivatives of the loss."""
    return [each for each in recorded_measures(study) if each.needs_curvature]


def network_columns(study: StudyContent) -> list[Column]:
    """Return the columns of recorded measures and weights; weights are all parameters, array after array."""
    docs = {
        "initial_weights": "parameters before the first update",
        "final_weights": "parameters after the last update; may be infinite or NaN if diverged",
        "best_weights": "parameters at the best validation; NaN if no validation loss was finite",
    }
    kind = f"list<{study.widest_dtype}>"
    order = "array after array, as Result.weights names them"
    measures = [column_of(each) for each in recorded_measures(study)]
    weights = [Column(name, kind, "weight", f"{docs[name]}, {order}") for name in study.record.columns_of_weights]
    return measures + weights


def runs_columns(study: StudyContent) -> list[Column]:
    """Return the columns of the runs table, one row per run."""
    epochs = [EPOCHS] if has_epochs(study) else []
    parameters = parameter_columns(study)
    thresholds = threshold_columns(study)
    measures = [*MEASURE_COLUMNS, *measure_columns(study)]
    networks = network_columns(study)
    ends = [STATUS, STEPS, *epochs, *attempt_columns(study)]
    return [RUN, CELL, SEED, *parameters, *ends, *measures, *thresholds, *networks]


def curve_measures(study: StudyContent) -> list[Column]:
    """Return the columns of the measures at each point of a learning curve."""
    tested = [replace(each, doc=each.doc.replace("of the final network ", "")) for each in end_measures(study)]
    return [*CURVE_COLUMNS, *running_loss_column(study), *tested]


def running_loss_column(study: StudyContent) -> list[Column]:
    """Return the column of the running loss of the epoch before each point, if the study records it."""
    return [column_of(MEASURES["running_loss"])] if "running_loss" in study.record.measures else []


def curves_columns(study: StudyContent) -> list[Column]:
    """Return the columns of learning curves, one row per point: by run, and then by steps."""
    epochs = [replace(EPOCHS, doc="epochs completed at the point")] if has_epochs(study) else []
    points = [replace(STEPS, doc="updates taken up to the point; at the last point those of the whole run"), *epochs]
    return [RUN, CELL, SEED, *parameter_columns(study), STATUS, *points, *curve_measures(study)]


def has_epochs(study: StudyContent) -> bool:
    """Return whether some cell's epoch takes several steps, so that rows have a column of epochs."""
    return bool(min(study.values_of("batch")) < study.data.n_patterns)


def row_bytes(study: StudyContent) -> tuple[int, int]:
    """Return the bytes of a row of runs in memory, and about those on disk.

    On disk, losses, errors and weights hardly compress; counters and parameters take almost no space.
    """
    sizes = {"int64": 8, "int32": 4, "float64": 8, "status": 1, "bool": 1, "string": 8}
    columns = [column for column in runs_columns(study) if not column.is_list]
    number = 8 if study.widest_dtype == "float64" else 4
    of_weights = number * study.most_parameters * len(study.record.columns_of_weights)
    return sum(sizes[column.type] for column in columns) + of_weights, 20 + of_weights

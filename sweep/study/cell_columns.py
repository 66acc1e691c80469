"""The columns of cells: counts of runs by their end, statistics of steps and losses, and tallies."""

from __future__ import annotations

from collections.abc import Iterable

from sweep.measures import MEASURES, ORDERED
from sweep.statistics.of_cells import COUNTS, OF_CONVERGENCE, every, of_measure
from sweep.statistics.statistic import Statistic
from sweep.study.columns import CELL, OF_RUNS, STATUS, STEPS, Column, parameter_columns
from sweep.study.content import StudyContent


def statistic_columns(statistics: Iterable[Statistic]) -> list[Column]:
    """Return the columns of statistics: each value, its standard error, and the ends of its interval."""
    columns = []
    for each in statistics:
        kind = "int64" if each.integer else "float64"
        meanings = (each.meaning, *([each.error] if each.error else []), each.low, each.high)
        columns += [Column(name, kind, each.unit, doc) for name, doc in zip(each.columns, meanings, strict=False)]
    return columns


# Other columns of answers of results; a test compares them with all answers.
_ENDS = ("", "_low", "_high")
_OF_ANSWERS = (
    *("n_cells", "best_cell", "best_rate", "best_final_loss_q50"),
    *("rank", "p_value", "p_value_holm", "may_be_best", "best_of", "best_of_low", "best_of_high"),
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
    of_runs = {column.name for column in OF_RUNS} | {*MEASURES, "initial_weights", "final_weights"}
    return of_runs | of_cells | {"n", *_OF_ANSWERS}


def cells_columns(study: StudyContent) -> list[Column]:
    """Return the columns of the cells table, one row per cell."""
    counts = [each for name, each in COUNTS.items() if study.has_patience or name != "n_plateau"]
    losses = of_measure("final_loss") if tells_losses(study) else ()
    recorded = (each for name in recorded_quantities(study) for each in of_measure(name) if each.measure)
    statistics = statistic_columns((*counts, *OF_CONVERGENCE.values(), *losses, *recorded))
    return [CELL, *parameter_columns(study), *statistics]


def recorded_quantities(study: StudyContent) -> list[str]:
    """Return the recorded measures of networks that have quartiles: all but ``learned_function``, a bit mask."""
    return [name for name in study.record.measures if name in ORDERED]


def tells_losses(study: StudyContent) -> bool:
    """Return whether the cells table has statistics of final losses: if some cell has criterion 'none'."""
    return "none" in study.values_of("criterion")


def tally_columns() -> list[Column]:
    """Return the columns of a tally: the runs of a cell by status and number of steps."""
    return [CELL, STATUS, STEPS, Column("n", "int64", "runs", "runs with this status and number of steps")]


def counts_columns(study: StudyContent) -> list[Column]:
    """Return the columns of parts without rows of runs: a tally, by final loss too where cells have its statistics."""
    loss = Column("final_loss", "float64", "loss", "rounded to 9 bits with criterion 'none', otherwise 0")
    return [*tally_columns(), *([loss] if tells_losses(study) else [])]

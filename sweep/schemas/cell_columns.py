"""The columns of cells: counts of runs by their end, statistics of steps and losses, and tallies."""

from __future__ import annotations

from sweep.columns import CELL, STATUS, STEPS, Column, statistic_columns
from sweep.measures import ORDERED
from sweep.schemas.run_columns import parameter_columns
from sweep.statistics.of_cells import COUNTS, OF_CONVERGENCE, of_measure
from sweep.study.content import StudyContent


def cells_columns(study: StudyContent) -> list[Column]:
    """Return the columns of the cells table, one row per cell."""
    counts = [each for name, each in COUNTS.items() if study.has_patience or name != "n_plateau"]
    losses = of_measure("final_loss") if has_loss_statistics(study) else ()
    recorded = (each for name in recorded_quantities(study) for each in of_measure(name) if each.measure)
    statistics = statistic_columns((*counts, *OF_CONVERGENCE.values(), *losses, *recorded))
    return [CELL, *parameter_columns(study), *statistics]


def recorded_quantities(study: StudyContent) -> list[str]:
    """Return the recorded measures of networks that have quartiles: all but ``learned_function``, a bit mask."""
    return [name for name in study.record.measures if name in ORDERED]


def has_loss_statistics(study: StudyContent) -> bool:
    """Return whether the cells table has statistics of final losses: if some cell has criterion 'none'."""
    return "none" in study.values_of("criterion")


def tally_columns() -> list[Column]:
    """Return the columns of a tally: the runs of a cell by status and number of steps."""
    return [CELL, STATUS, STEPS, Column("n", "int64", "runs", "runs with this status and number of steps")]


def counts_columns(study: StudyContent) -> list[Column]:
    """Return the columns of parts without rows of runs: a tally, by final loss too where cells have its statistics."""
    loss = Column("final_loss", "float64", "loss", "rounded to 9 bits with criterion 'none', otherwise 0")
    return [*tally_columns(), *([loss] if has_loss_statistics(study) else [])]

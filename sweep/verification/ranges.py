"""Ranges of the columns of a part. Training again shows whether a value within its range is right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kernels.loop.run_arrays import Columns
from sweep.schedule.part import Part
from sweep.schedule.plan import Plan
from sweep.schemas.run_columns import attempt_columns, measure_columns, threshold_columns
from sweep.training.part_result import updates

Array = NDArray[Any]

# A column's name, its values, and the least and the greatest value that a row may have.
Range: TypeAlias = tuple[str, Array, float, Array | float]


def fault_of_rows(plan: Plan, part: Part, columns: Columns) -> str:
    """Return a sentence on the first run of a part with a value out of range; empty if there is none."""
    for name, values, least, most in _ranges(plan, part, columns):
        outside = np.flatnonzero((values < least) | (values > most))
        if len(outside):
            row = outside[0]
            limit = np.broadcast_to(most, len(values))[row]
            bounds = f"at least {least}" if np.isinf(limit) else f"from {least} to {limit}"
            return f"{name} of its run {plan.runs(part)[row]} must be {bounds}, got {values[row]}"
    return ""


def _ranges(plan: Plan, part: Part, columns: Columns) -> Iterator[Range]:
    """Yield the range of each column whose values are limited. NaN is in every range of losses."""
    study, updated = plan.study, updates(columns)
    cells, counts = plan.cells(part)
    limits = np.repeat(plan.grid.most_steps(cells), counts)
    yield "steps", columns.steps, 0, limits
    if study.restarts.max_restarts:
        restarts, total_steps = attempt_columns(study)
        yield restarts.name, columns.attempts[:, 0], 0, study.restarts.max_restarts
        yield total_steps.name, columns.attempts[:, 1], 0, limits
    for column, steps in zip(threshold_columns(study), columns.threshold_steps.T, strict=True):
        yield column.name, steps, -1, updated
    yield "initial_loss", columns.initial_loss, 0, np.inf
    yield "final_loss", columns.final_loss, 0, np.inf
    yield "max_error", columns.max_error, 0, np.inf
    yield "n_correct", columns.n_correct, 0, study.data.n_patterns * study.n_evaluated
    if study.data.n_tests:
        test_loss, n_test_correct = measure_columns(study)
        yield test_loss.name, columns.measures[:, 0], 0, np.inf
        yield n_test_correct.name, columns.measures[:, 1], 0, study.data.n_tests * study.n_evaluated


def fault_of_counts(plan: Plan, part: Part, tally: pd.DataFrame) -> str:
    """Return a sentence on the counts of a part if they cannot be of its runs; empty if they can."""
    cells, counts = plan.cells(part)
    keys = [name for name in ("cell", "status", "steps", "final_loss") if name in tally]
    if (tally["n"] < 1).any():
        return "each count must be at least 1"
    if tally.duplicated(keys).any() or not tally.sort_values(keys).index.equals(tally.index):
        return "counts must be in order, and each must occur once"
    n_runs = tally.groupby("cell")["n"].sum().reindex(cells, fill_value=0)
    if (n_runs.to_numpy() != counts).any():
        return "the counts of each cell must add up to its number of runs"
    limits = pd.Series(plan.grid.most_steps(cells), cells)
    if (tally["steps"] < 0).any() or (tally["steps"] > tally["cell"].map(limits)).any():
        return "steps must be at least 0, and at most those that the cell allows"
    if "final_loss" in tally and (tally["final_loss"] < 0).any():
        return "final_loss must be at least 0"
    return ""

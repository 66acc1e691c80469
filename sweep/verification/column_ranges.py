"""Ranges of the columns of a part. Training again shows whether a value within its range is right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kernels.loop.run_arrays import Columns
from sweep.columns import STATUS
from sweep.measures import MEASURES
from sweep.schedule.part import Part
from sweep.schedule.plan import Plan
from sweep.training.outcome_columns import outcome_columns, updates

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
    study = plan.study
    cells, counts = plan.cells(part)
    limits = np.repeat(plan.grid.most_steps(cells), counts)
    most: dict[str, Array | float] = {
        "steps": limits,
        "restarts": study.restarts.max_restarts,
        "total_steps": limits,
        "n_correct": study.data.n_patterns * study.n_evaluated,
        "n_test_correct": study.data.n_tests * study.n_evaluated,
        **{name: 1.0 for name, measure in MEASURES.items() if measure.is_share},
    }
    for each in outcome_columns(study):
        if each.array == "threshold_steps":
            yield each.column.name, each.of(columns), -1, updates(columns)
        elif each.column.name == "steps_at_best":
            yield each.column.name, each.of(columns), -1, columns.steps
        elif each.column != STATUS:
            yield each.column.name, each.of(columns), 0, most.get(each.column.name, np.inf)


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

"""Check the rows of a part against the rules that every training follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kernels.loop.runs import Columns
from sweep.columns import STATUSES
from sweep.schedule.part import Part
from sweep.schedule.plan import Plan
from sweep.schemas.run_columns import attempt_columns, measure_columns, threshold_columns
from sweep.training.part_result import updates
from sweep.verification.attempt_rules import broken_by_attempts, was_cut
from sweep.verification.compared_targets import make_targets
from sweep.verification.measure_rules import broken_by_tests
from sweep.verification.rules import (
    Broken,
    broken_by_counted,
    broken_by_ends,
    broken_by_measures,
    broken_by_others,
    make_terms,
)
from sweep.verification.threshold_rules import broken_by_thresholds

Array = NDArray[Any]


class RowCheck:
    """Checks the rows of parts of one result; threads share one.

    Parameters
    ----------
    plan
        The plan of the study.
    settings
        Returns the settings of cells, (cells,) of :data:`kernels.recipe.SETTINGS`.
    """

    def __init__(self, plan: Plan, settings: Callable[[Array], Array]) -> None:
        self._plan, self._settings = plan, settings
        self._targets = make_targets(plan.study)
        self._loss_thresholds = np.array(plan.study.record.loss_thresholds, self._targets.dtype).astype(np.float64)

    def fault_of_runs(self, part: Part, columns: Columns) -> str:
        """Return a sentence on the first impossible run of a part; empty if there is none."""
        cells, counts = self._plan.cells(part)
        places = np.repeat(np.arange(len(cells)), counts)
        terms, restarts = make_terms(self._plan, cells, self._settings(cells)).of(places), self._plan.study.restarts
        targets = self._targets.of(self._plan.study.set_numbers(cells)[places], terms.n_evaluated)
        broken = [
            *broken_by_ends(columns.status, columns.steps, updates(columns), terms, was_cut(columns, restarts)),
            *broken_by_attempts(columns, terms, restarts),
            *broken_by_measures(columns, terms, targets),
            *broken_by_others(self._plan, cells[places], self._plan.seeds(part), columns),
            *broken_by_thresholds(columns, terms, self._loss_thresholds),
            *broken_by_tests(columns, terms, self._plan.study),
        ]
        row, rule = _first(broken)
        if not rule:
            return ""
        shown = {name: values[row].tolist() for name, values in columns._asdict().items()}
        shown["status"] = STATUSES[shown["status"]]
        study = self._plan.study
        lists = {"threshold_steps": threshold_columns, "measures": measure_columns, "attempts": attempt_columns}
        for name, named in lists.items():
            shown |= dict(zip((column.name for column in named(study)), shown.pop(name), strict=True))
        del shown["loss_sums"]
        return f"its run {self._plan.runs(part)[row]} has {_values_text(shown)}, but {rule}"

    def fault_of_tally(self, part: Part, tally: pd.DataFrame) -> str:
        """Return a sentence on the first impossible count of a part; empty if there is none."""
        cells, counts = self._plan.cells(part)
        cell, status, steps = tally["cell"].to_numpy(), tally["status"].cat.codes.to_numpy(), tally["steps"].to_numpy()
        order = np.argsort(cells)
        places = order[np.searchsorted(cells, cell, sorter=order)]
        terms = make_terms(self._plan, cells, self._settings(cells)).of(places)
        if self._plan.study.restarts.max_restarts:  # attempts before the last may end within an epoch
            terms = terms._replace(n_windows=np.ones_like(terms.n_windows))
        n, held = tally["n"].to_numpy(), np.zeros(len(cells), np.int64)
        np.add.at(held, places, n)
        keys = ["cell", "status", "steps", *(["final_loss"] if "final_loss" in tally else [])]
        ends = tally[keys].assign(status=status)
        ascending = ends.sort_values(keys).index == ends.index
        broken = [
            (n < 1, "each count is at least 1"),
            (~ascending | ends.duplicated().to_numpy(), "counts are in order, and each occurs once"),
            ((held != counts)[places], "the counts of a cell add up to its number of runs"),
            *broken_by_ends(status, steps, steps, terms),
            *(broken_by_counted(status, tally["final_loss"].to_numpy(), terms) if "final_loss" in tally else ()),
        ]
        row, rule = _first(broken)
        if not rule:
            return ""
        shown = {name: tally[name].iloc[row] for name in (*keys[1:], "n")}
        return f"its cell {cell[row]} has {_values_text(shown)}, but {rule}"


def _first(broken: list[Broken]) -> tuple[int, str]:
    """Return the first row that breaks a rule, and the rule; an empty rule if none does."""
    return next(((int(np.argmax(rows)), rule) for rows, rule in broken if rows.any()), (0, ""))


def _values_text(row: dict[str, Any]) -> str:
    """Return the numbers of a row as text."""
    return ", ".join(f"{name} {value}" for name, value in row.items())

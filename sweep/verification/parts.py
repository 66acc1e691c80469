"""Check one part: its file, the runs that it holds, and whether training gives the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kernels.loop.run_arrays import Columns
from sweep.analysis.table_values import column_values
from sweep.analysis.tally import counts_from_table
from sweep.columns import STATUS
from sweep.errors import StoreError
from sweep.measures import MEASURES
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from sweep.schemas.cell_columns import counts_columns
from sweep.schemas.run_columns import network_columns, runs_columns
from sweep.store.commits import Commit
from sweep.store.reader import StoreReader
from sweep.training.adaptive_rounds import AdaptiveRounds
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.outcome_columns import outcome_columns, outcomes_from_table, updates
from sweep.training.part_result import PartResult
from sweep.verification.sample import Sample

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


class Checked(NamedTuple):
    """The result of checking a part."""

    commit: Commit
    fault: str = ""  # a sentence on the fault; empty if there is none
    known: bool = True  # whether the runs that the part should hold are known; otherwise only its checksum was compared
    n_retrained: int = 0  # number of its runs that were trained again


class PartCheck:
    """Checks the parts of one result; threads share one. The open cells of each round decide the runs of its parts."""

    def __init__(self, plan: Plan, store: StoreReader, rounds: AdaptiveRounds, sample: Sample) -> None:
        self._plan = plan
        self._store = store
        self._rounds = rounds
        self._columns = runs_columns(store.study) if store.keep == "runs" else counts_columns(store.study)
        self._worker = PartTrainer(self._plan)
        self._sample = sample

    def check(self, commit: Commit) -> Checked:
        """Compare a part with its checksum, with the study, and with a new training."""
        try:
            table = self._store.table(commit)
        except StoreError as error:
            return Checked(commit, str(error))
        try:
            part = self._rounds.restrict(commit.as_part())
        except StoreError:  # earlier parts are damaged or missing, which is reported for them
            return Checked(commit, known=False)
        where = self._store.files.where(f"parts/{commit.file}")
        fault = self._fault_of_table(commit, part, table)
        if fault:
            return Checked(commit, f"{where!r} is damaged: {fault}")
        n_retrained = 0
        for piece in self._to_retrain(commit, part, table):
            trained = self._worker.train(piece)
            n_retrained += trained.n_runs
            if self._store.keep == "runs":
                expected = trained.rows()
                stored = table.filter(pc.is_in(table["run"], expected["run"])) if piece is not part else table
            else:
                stored = table
                expected = trained.counts()
            wrong = self._column_that_differs(stored, expected)
            if wrong:
                fault = f"{where!r} is damaged: training gives other bits in column {wrong!r}"
                return Checked(commit, fault, n_retrained=n_retrained)
        return Checked(commit, n_retrained=n_retrained)

    def _fault_of_table(self, commit: Commit, part: Part, table: pa.Table) -> str:
        """Return a fault of a part or its commit that is found without training; empty if there is none."""
        if self._store.keep == "runs":
            columns = outcomes_from_table(table, self._store.study)
            wrong = self._planned_column_that_differs(part, table, columns)
            fault = fault_of_rows(self._plan, part, columns) if not wrong else ""
            net_steps = int(updates(columns).sum(dtype=np.int64))
        else:
            tally = counts_from_table(table)
            wrong = "" if np.isin(tally["cell"], self._plan.cells(part)[0]).all() else "cell"
            fault = fault_of_counts(self._plan, part, tally) if not wrong else ""
            net_steps = int((tally["steps"].astype(np.int64) * tally["n"]).sum())
        if wrong:
            return f"its column {wrong!r} does not fit its runs"
        if not fault and commit.net_steps != net_steps:
            return f"'net_steps' of its commit must be {net_steps}, got {commit.net_steps}"
        return fault

    def _planned_column_that_differs(self, part: Part, table: pa.Table, columns: Columns) -> str:
        """Return the first column that follows from the study but has other values."""
        planned = PartResult(self._plan, part, columns, 0, 0)
        trained = {each.column.name for each in outcome_columns(self._plan.study)}
        trained |= {column.name for column in network_columns(self._plan.study)}
        names = [column.name for column in self._columns if column.name not in trained]
        return self._column_that_differs(table.select(names), planned.rows(names))

    def _column_that_differs(self, one: pa.Table, other: pa.Table) -> str:
        """Return the name of the first column with different bits, compared as in the digest."""
        for column in self._columns:
            if column.name in one.schema.names and not _same_bits(
                column_values(one, column), column_values(other, column)
            ):
                return column.name
        return ""

    def _to_retrain(self, commit: Commit, part: Part, table: pa.Table) -> Iterator[Part]:
        """Yield the pieces of a part that are trained again."""
        rows = self._sample.rows_of(commit)
        if self._sample.takes_all or (len(rows) and self._store.keep != "runs"):
            yield part
            return
        for run in table["run"].take(rows).to_pylist() if len(rows) else ():
            position = self._plan.position(run)
            yield self._rounds.restrict(Part(part.index, position, position + 1))


def _same_bits(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Return whether two columns have the same bits: 0.0 and -0.0 differ, and NaN equals itself."""
    if one.dtype.kind == "f":
        one, other = one.view(f"i{one.itemsize}"), other.view(f"i{other.itemsize}")
    return np.array_equal(one, other)

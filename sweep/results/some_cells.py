"""Some cells of a result, as a result of which no other cells are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sweep.results.aggregate import Aggregate
from sweep.results.result import Result
from sweep.schedule.plan import Plan
from sweep.store.commits import Commit
from sweep.store.stored_runs import StoredResult


def result_of_cells(result: Result, cells: NDArray[np.int64]) -> Result:
    """Return the runs of some cells, whose numbers ascend. Queries answer as if the study had no other cells."""
    return Result(result.study, dict(result.facts), _SomeCells(result.stored, cells))


class _SomeCells(StoredResult):
    """The rows or counts of some cells, read from the parts that hold them."""

    def __init__(self, stored: StoredResult, cells: NDArray[np.int64]) -> None:
        super().__init__()
        self._stored, self._cells = stored, cells
        self.keep, self.place, self.directory = stored.keep, stored.place, stored.directory

    @property
    def plan(self) -> Plan:
        return self._stored.plan

    @property
    def has_parts(self) -> bool:
        return self._stored.has_parts

    def facts(self, *, now: bool = False) -> dict[str, Any]:
        return self._stored.facts(now=now)

    def commits(self) -> dict[int, Commit]:
        return {commit.part: commit for commit in self.counted()}

    def counted(self) -> list[Commit]:
        return [commit for commit, _ in self._parts.values()]

    @cached_property
    def _parts(self) -> dict[int, tuple[Commit, Commit]]:
        """The commits of parts with rows of these cells, with their runs counted, and as they are stored."""
        found = {}
        for commit in self._stored.counted():
            if self._may_hold(commit):
                table = self._own(self._stored.table(commit, ["cell"] if self.keep == "runs" else ["cell", "n"]))
                n_runs = len(table) if self.keep == "runs" else int(table["n"].to_numpy().sum())
                if n_runs:
                    found[commit.part] = replace(commit, trained=n_runs), commit
        return found

    def _may_hold(self, commit: Commit) -> bool:
        """Return whether runs of these cells have places in a part."""
        wave = self.plan.parts.wave_of(commit)
        starts = self._starts[wave.begin.seeds]
        first = np.searchsorted(starts, commit.start - wave.n_seeds, side="right")
        return bool(first < len(starts) and starts[first] < commit.stop)

    @cached_property
    def _starts(self) -> dict[int, NDArray[np.int64]]:
        """The places of the first runs of these cells in each wave, by the seeds before it."""
        waves = self.plan.parts.waves
        runs = self._cells * self.plan.n_seeds
        return {wave.begin.seeds: np.sort(self.plan.position(runs + wave.begin.seeds)) for wave in waves}

    def table(self, commit: Commit, columns: list[str] | None = None) -> pa.Table:
        read = columns if columns is None or "cell" in columns else [*columns, "cell"]
        if read is not None and self.keep != "runs" and "n" not in read:
            read = [*read, "n"]
        own = self._own(self._stored.table(self._parts[commit.part][1], read))
        return own if columns is None else own.select(columns)

    def _own(self, table: pa.Table) -> pa.Table:
        return table.filter(pa.array(np.isin(table["cell"].to_numpy(), self._cells)))

    def read_cells(self, names: Sequence[str] | None = None) -> pa.Table:
        """Return these cells: counted again, since a column of all cells takes longer than a few parts."""
        if self.has_parts:
            table = Aggregate(self.plan.study, self, self.counted()).cells()
        else:
            table = self._own(self._stored.read_cells())
        return table if names is None else table.select([name for name in table.schema.names if name in names])

    def read_curves(self) -> pa.Table:
        return self._own(self._stored.read_curves())

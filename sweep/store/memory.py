"""A result that is kept in memory only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sweep.schedule.plan import Plan
from sweep.store.bits import Bits
from sweep.store.commits import Commit, TrainedPart
from sweep.store.stored_runs import WritableResult

if TYPE_CHECKING:
    import pyarrow as pa


class MemoryParts(WritableResult):
    """A result in memory, where no other process reads or writes."""

    has_parts = True

    def __init__(self, plan: Plan, keep: str, bits: Bits) -> None:
        super().__init__()
        self.keep = keep
        self.opened = []
        self._plan = plan
        self._bits = bits
        self._parts: dict[int, tuple[Commit, Any]] = {}  # outcomes of parts, or their counts
        self._make_cells: Callable[[], pa.Table] | None = None  # set once all runs are present
        self._curves: pa.Table | None = None  # likewise, where the study records learning curves

    def __deepcopy__(self, memo: dict[int, Any]) -> MemoryParts:
        """Share parts with a copy: a finished result does not change, and its cells are made from these parts."""
        return self

    @property
    def plan(self) -> Plan:
        return self._plan

    @property
    def first_bits(self) -> Bits:
        return self._bits

    def write_part(self, result: TrainedPart, **facts: Any) -> Commit:
        """Keep the outcome of a part, or its counts; the commit names no file."""
        facts |= {"file": "", "sha256": "", **self._bits.as_dict()}
        commit = Commit.of(result, self._plan.study.identity, **facts)
        self._fresh[commit.part] = result.tally()
        self._parts[commit.part] = commit, result if self.keep == "runs" else result.counts()
        return commit

    def commits(self) -> dict[int, Commit]:
        return {index: commit for index, (commit, _) in self._parts.items()}

    def outcomes(self) -> Iterator[tuple[Commit, TrainedPart]]:
        """Yield each commit with the outcome of its part, where rows are kept."""
        yield from self._parts.values()

    def counted(self) -> list[Commit]:
        return [self._parts[index][0] for index in sorted(self._parts)]

    def table(self, commit: Commit, columns: list[str] | None = None) -> pa.Table:
        part = self._parts[commit.part][1]
        rows: pa.Table = part.rows(columns) if self.keep == "runs" else part.select(columns or part.column_names)
        return rows

    def finish(
        self, make_cells: Callable[[], pa.Table], facts: dict[str, Any], curves: pa.Table | None = None
    ) -> dict[str, Any]:
        """Complete the result; its cells are made when they are first read."""
        self._make_cells = make_cells
        self._curves = curves
        return {**facts, "complete": True}

    def read_cells(self, names: Sequence[str] | None = None) -> pa.Table:
        """Return the cells, made on request, as that takes as long as some hundred short runs."""
        assert self._make_cells is not None
        cells = self._make_cells()
        return cells if names is None else cells.select(list(names))

    def read_curves(self) -> pa.Table:
        assert self._curves is not None
        return self._curves

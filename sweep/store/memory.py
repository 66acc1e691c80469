"""Parts of a result that is kept in memory only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sweep.schedule.part import Part
from sweep.schedule.plan import Plan
from sweep.store.commits import Commit, TrainedPart
from sweep.store.parts import Parts

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep.store.bits import Bits


class MemoryParts(Parts):
    """Parts of a result in memory, with the methods of a :class:`Store` that training uses.

    Parameters
    ----------
    plan
        The plan of the study.
    keep, bits
        As of a store.
    """

    shared = False
    has_parts = True

    def __init__(self, plan: Plan, keep: str, bits: Bits) -> None:
        super().__init__()
        self.keep = keep
        self._plan = plan
        self._identity, self._bits = plan.study.identity, bits.as_dict()
        self.make_cells: Callable[[], pa.Table] | None = None  # set once all runs are present
        self.curves: pa.Table | None = None  # likewise, where the study records learning curves
        self._parts: dict[int, tuple[Commit, Any]] = {}  # results of parts, or counts

    @property
    def plan(self) -> Plan:
        """The plan of the study."""
        return self._plan

    def write_part(self, result: TrainedPart, **facts: Any) -> Commit:
        """Keep the result of a part, or its counts; the commit names no file."""
        commit = Commit.of(result, self._identity, file="", sha256="", **self._bits, **facts)
        self._fresh[commit.part] = result.tally()
        self._parts[commit.part] = commit, result if self.keep == "runs" else result.counts()
        return commit

    def commits(self) -> dict[int, Commit]:
        """Return all commits by part number."""
        return {index: commit for index, (commit, _) in self._parts.items()}

    def commit_of(self, part: Part) -> Commit | None:
        """Return None: no other process finishes parts."""
        return None

    def counted(self) -> list[Commit]:
        """Return the commits of all parts, in part order."""
        return [self._parts[index][0] for index in sorted(self._parts)]

    def table(self, commit: Commit, columns: list[str] | None = None) -> pa.Table:
        """Return the rows of a finished part, or its counts."""
        part = self._parts[commit.part][1]
        rows: pa.Table = part.rows(columns) if self.keep == "runs" else part.select(columns or part.column_names)
        return rows

    def read_cells(self) -> pa.Table:
        """Return the cells table, computed on request, as it takes as long as some hundred short runs."""
        assert self.make_cells is not None
        return self.make_cells()

    def read_curves(self) -> pa.Table:
        """Return the learning curves of a study that records them."""
        assert self.curves is not None
        return self.curves

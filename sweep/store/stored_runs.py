"""What results in memory and on disk have in common: rows of runs or their counts, and what training writes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.analysis.tally import tally_from_table, tally_rows
from sweep.errors import StoreError
from sweep.schedule.waves import Part
from sweep.schemas.run_columns import updates_column
from sweep.store.bits import Bits
from sweep.store.commits import Commit, TrainedPart
from sweep.store.files import Files

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from sweep.schedule.plan import Plan


class StoredRuns(ABC):
    """Parts with the rows of runs where ``keep`` is "runs", or with their counts, where it is "cells"."""

    keep: str

    def __init__(self) -> None:
        self._fresh: dict[int, pd.DataFrame] = {}  # tallies of parts trained by this process

    @property
    @abstractmethod
    def plan(self) -> Plan:
        """The plan of the study."""

    @property
    @abstractmethod
    def has_parts(self) -> bool:
        """Whether there are parts."""

    @abstractmethod
    def counted(self) -> list[Commit]:
        """Return the commits whose parts make up the result, in part order."""

    @abstractmethod
    def table(self, commit: Commit, columns: list[str] | None = None) -> pa.Table:
        """Return some columns of a part, by default all: rows, or a tally if only cells are kept."""

    def tally(self, commit: Commit) -> pd.DataFrame:
        """Return the tally of a part, from memory if this process has trained it."""
        fresh = self._fresh.pop(commit.part, None)
        if fresh is not None:
            return fresh
        if self.keep == "cells":
            return tally_from_table(self.table(commit))
        return tally_rows(self.table(commit, ["cell", "status", updates_column(self.plan.study)]))

    def losses(self, commit: Commit) -> pd.DataFrame:
        """Return the numbers of runs by cell and rounded final loss in a part that holds counts."""
        frame: pd.DataFrame = self.table(commit, ["cell", "final_loss", "n"]).to_pandas()
        return frame

    def tables(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield the parts in part order."""
        for commit in self.counted():
            yield self.table(commit, columns)

    def table_at(self, position: int) -> pa.Table:
        """Return the part that holds a visiting position; StoreError if it is not trained yet."""
        for commit in self.counted():
            if commit.start <= position < commit.stop:
                return self.table(commit)
        raise StoreError("this run is not trained yet; run the study again to continue it")


class StoredResult(StoredRuns):
    """The parts of a study's result, its cells and its learning curves."""

    place: str | None = None  # path or address of the results folder; None in memory
    directory: Path | None = None  # the results folder, if it is on this machine
    opened: list[Files]  # the files that are read or written; none in memory

    def facts(self, *, now: bool = False) -> dict[str, Any]:
        """Return the facts of run.json as first read, or with ``now`` as they are now; none in memory."""
        return {}

    @abstractmethod
    def commits(self) -> dict[int, Commit]:
        """Return all commits by part number."""

    def restrict_to_present(self) -> None:
        """Let the result consist of the parts that are finished now; in memory it always does."""

    def part_paths(self) -> list[str]:
        """Return the paths of the files with the runs, in part order; none in memory."""
        return []

    def check_bits(self, bits: Bits) -> None:
        """Raise StoreError if rows that are trained with these facts may have other bits than those here."""

    @abstractmethod
    def read_cells(self, names: Sequence[str] | None = None) -> pa.Table:
        """Return the cells of a complete result, with all columns or those of these names."""

    @abstractmethod
    def read_curves(self) -> pa.Table:
        """Return the learning curves of a complete result that records them."""


class WritableResult(StoredResult):
    """A result whose runs are being trained."""

    shared = False

    @property
    @abstractmethod
    def first_bits(self) -> Bits:
        """Facts of the training that started the result, perhaps on another machine."""

    def commit_of(self, part: Part) -> Commit | None:
        """Return the commit of a planned part that another process may have made, or None."""
        return None

    @abstractmethod
    def write_part(self, result: TrainedPart, **facts: Any) -> Commit:
        """Keep the outcome of a part, unless it has a commit; return the valid commit."""

    def check_all_there(self) -> None:
        """Raise StoreError if another process has removed commits or replaced them."""

    @abstractmethod
    def finish(
        self, make_cells: Callable[[], pa.Table], facts: dict[str, Any], curves: pa.Table | None = None
    ) -> dict[str, Any]:
        """Complete the result with its cells, facts, and learning curves, if any; return all facts."""

"""Trained parts of a result: what results in memory and on disk have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sweep.analysis.tally import tally_from_table, tally_rows
from sweep.errors import StoreError
from sweep.store.commits import Commit
from sweep.study.columns import updates_column

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from sweep.schedule.plan import Plan


class Parts(ABC):
    """Parts of a result.

    Attributes
    ----------
    keep : str
        ``"runs"``: parts hold a row per run; ``"cells"``: tallies.
    """

    keep: str

    def __init__(self) -> None:
        self._fresh: dict[int, pd.DataFrame] = {}  # tallies of parts trained by this process

    @property
    @abstractmethod
    def plan(self) -> Plan:
        """The plan of the study."""

    @abstractmethod
    def commits(self) -> dict[int, Commit]:
        """Return all commits by part number."""

    @abstractmethod
    def counted(self) -> list[Commit]:
        """Return the commits whose parts make up the result, in part order."""

    @abstractmethod
    def table(self, commit: Commit, columns: list[str] | None = None) -> pa.Table:
        """Return some columns of a part, by default all: rows, or a tally if only cells are kept."""

    def tally(self, commit: Commit) -> pd.DataFrame:
        """Return the tally of a part, from memory if this process has trained it.

        Raises
        ------
        StoreError
            If the part is missing or damaged.
        """
        fresh = self._fresh.pop(commit.part, None)
        if fresh is not None:
            return fresh
        if self.keep == "cells":
            return tally_from_table(self.table(commit))
        return tally_rows(self.table(commit, ["cell", "status", updates_column(self.plan.study)]))

    def losses(self, commit: Commit) -> pd.DataFrame:
        """Return the numbers of runs by cell and rounded final loss in a part that holds counts.

        Raises
        ------
        StoreError
            If it is missing or damaged.
        """
        frame: pd.DataFrame = self.table(commit, ["cell", "final_loss", "n"]).to_pandas()
        return frame

    def tables(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield the parts in part order.

        Raises
        ------
        StoreError
            If one is missing or damaged.
        """
        for commit in self.counted():
            yield self.table(commit, columns)

    def table_at(self, position: int) -> pa.Table:
        """Return the part that holds a visiting position.

        Raises
        ------
        StoreError
            If it is not trained yet, missing or damaged.
        """
        for commit in self.counted():
            if commit.start <= position < commit.stop:
                return self.table(commit)
        raise StoreError("this run is not trained yet; run the study again to continue it")

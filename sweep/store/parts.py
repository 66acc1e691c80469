"""What results in memory and on disk have in common: parts, one for each shard that was trained."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sweep.errors import StoreError
from sweep.store.commits import Commit

if TYPE_CHECKING:
    import pyarrow as pa


class Parts(ABC):
    """Parts of a result."""

    @abstractmethod
    def counted(self) -> list[Commit]:
        """Return the commits whose parts are the result, in shard order."""

    @abstractmethod
    def table(self, commit: Commit, columns: list[str] | None = None) -> pa.Table:
        """Return these columns of a part, or all: rows, or a tally where cells only are kept."""

    def tables(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield the parts in shard order.

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
        raise StoreError("this run is not trained yet; run the same study again to go on")

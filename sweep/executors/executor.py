"""What every executor does: turn shards into commits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from sweep.shards import Shard
from sweep.store.commits import Commit


class Executor(ABC):
    """Trains shards of one plan and writes their results.

    Attributes
    ----------
    session : str
        Names this call in the commits that it makes.
    n_threads : int
        How many shards are trained at once.
    """

    session: str
    n_threads: int

    @abstractmethod
    def map(self, shards: Iterator[Shard]) -> Iterator[Commit]:
        """Train shards, and yield the commit of each once it is written, in any order.

        Of a shard that another process has finished meanwhile, that commit is yielded.

        Raises
        ------
        KeyboardInterrupt
            If interrupted; shards that were under way for less than a second or so are finished.
        SweepError
            If a shard cannot be trained or written.
        """

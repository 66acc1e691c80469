"""What every executor does: turn shards into commits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sweep.schedule.plan import Plan
from sweep.schedule.waves import Shard
from sweep.store.commits import Commit
from sweep.store.memory import MemoryParts
from sweep.store.store import Store
from sweep.system.progress import SweepProgress
from sweep.system.signals import Interrupts
from sweep.training.limits import Budget
from sweep.training.reuse import Reuse


@dataclass(frozen=True)
class Work:
    """What an executor is given.

    Attributes
    ----------
    plan
        What is trained.
    parts
        Where results go.
    n_shards
        How many shards this call may train.
    interrupts
        That end the work.
    budget
        What limits leave of it.
    progress
        Told who trains, which kernels are compiled, and that time goes by.
    reuse
        Earlier results, from which rows are taken.
    """

    plan: Plan
    parts: Store | MemoryParts
    n_shards: int
    interrupts: Interrupts
    budget: Budget
    progress: SweepProgress
    reuse: Reuse | None = None

    @property
    def is_ending(self) -> bool:
        """Whether nothing more is to be begun."""
        return bool(self.interrupts.count) or self.budget.is_over

    def begin_kernel(self) -> None:
        """Let a kernel be compiled unless this call is to end.

        Raises
        ------
        KeyboardInterrupt
            If interrupted.
        OutOfTime
            If the time allowed is over.
        """
        self.interrupts.check()
        self.budget.begin_kernel()


class Executor(ABC):
    """Trains shards of one plan and writes their results.

    Attributes
    ----------
    session : str
        Names this call in the commits that it makes.
    n_threads : int
        How many shards are trained at once, at most.
    here : bool
        Whether this machine trains them.
    """

    session: str
    n_threads: int
    here: bool

    def __enter__(self) -> Self:
        """Begin to be used: by one call after the other of :meth:`map`."""
        return self

    def __exit__(  # noqa: B027 - few have anything to end
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what was started."""

    @abstractmethod
    def map(self, shards: Iterator[Shard], operations: float) -> Generator[Commit, None, None]:
        """Train shards, and yield the commit of each once it is written, in any order.

        Of a shard that another process has finished meanwhile, that commit is yielded.

        Parameters
        ----------
        shards
            To train, each taken when it is begun.
        operations
            That they take, about. No result depends on it.

        Raises
        ------
        KeyboardInterrupt
            If interrupted; shards that were under way for less than a second or so are finished.
        SweepError
            If a shard cannot be trained or written.
        """

    def expect(self, shards: Iterator[Shard]) -> None:  # noqa: B027 - only some can tell
        """Find out which kernels have to be compiled, so that progress can tell how many."""


# Makes the executor of one call.
MakeExecutor = Callable[[Work], Executor]

"""What all executors have in common: they turn parts into commits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Self

from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from sweep.store.commits import Commit
from sweep.store.stored_runs import WritableResult
from sweep.system.progress import SweepProgress
from sweep.system.signals import Interrupts
from sweep.training.limits import Budget
from sweep.training.reuse import Reuse


@dataclass(frozen=True)
class Work:
    """The context of an executor: the plan, where results are written, limits, interrupts and progress."""

    plan: Plan
    parts: WritableResult  # where results are written
    n_parts: int  # number of parts that this call may train
    interrupts: Interrupts
    budget: Budget  # limits of the call, and their use
    progress: SweepProgress
    reuse: Reuse | None = None  # earlier results whose rows are reused

    @property
    def is_ending(self) -> bool:
        """Whether no more work is to be started."""
        return bool(self.interrupts.count) or self.budget.is_over

    def begin_kernel(self) -> None:
        """Allow the compilation of a kernel; KeyboardInterrupt or OutOfTime if the call is to end."""
        self.interrupts.check()
        self.budget.begin_kernel()

    def wait_for_kernel(self) -> None:
        """Allow a thread to wait for a kernel that another process compiles, unless the call is to end.

        A time limit ends it only once this call has done some work.
        """
        self.interrupts.check()
        self.budget.check_time()


class Executor(ABC):
    """Trains parts of one plan and writes their results."""

    session: str  # name of this call in the commits that it makes
    n_threads: int  # most parts that are trained at once
    here: bool  # whether this machine trains them

    def __enter__(self) -> Self:
        """Start the executor; calls of :meth:`map` follow one after the other."""
        return self

    def __exit__(self, *details: object) -> None:  # noqa: B027 - most have nothing to end
        """End everything that the executor has started."""

    @abstractmethod
    def map(self, parts: Iterator[Part], operations: float) -> Generator[Commit, None, None]:
        """Train parts, and yield the commit of each once it is written, in any order.

        Each part is read when its training starts; ``operations`` estimates the operations of all. For a part that
        another process finished meanwhile, the commit of that process is yielded. After an interrupt,
        parts under way for less than about a second are finished. SweepError if a part cannot be trained or written.
        """

    def expect(self, parts: Iterator[Part]) -> None:  # noqa: B027 - only some know them
        """Prepare for the kernels of parts that are to be trained."""


# Makes the executor of one call.
MakeExecutor = Callable[[Work], Executor]

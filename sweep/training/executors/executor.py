"""What all executors have in common: they turn parts into commits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sweep.schedule.part import Part
from sweep.schedule.plan import Plan
from sweep.store.commits import Commit
from sweep.store.stored_runs import WritableResult
from sweep.system.progress import SweepProgress
from sweep.system.signals import Interrupts
from sweep.training.limits import Budget
from sweep.training.reuse import Reuse


@dataclass(frozen=True)
class Work:
    """The context of an executor.

    Attributes
    ----------
    plan
        The plan of the study.
    parts
        Where results are written.
    n_parts
        Number of parts that this call may train.
    interrupts
        Interrupts that end the work.
    budget
        Limits of the call, and their use.
    progress
        Shows trainers, compilations and elapsed time.
    reuse
        Earlier results whose rows are reused.
    """

    plan: Plan
    parts: WritableResult
    n_parts: int
    interrupts: Interrupts
    budget: Budget
    progress: SweepProgress
    reuse: Reuse | None = None

    @property
    def is_ending(self) -> bool:
        """Whether no more work is to be started."""
        return bool(self.interrupts.count) or self.budget.is_over

    def begin_kernel(self) -> None:
        """Allow the compilation of a kernel, unless the call is to end.

        Raises
        ------
        KeyboardInterrupt
            If interrupted.
        OutOfTime
            If the time limit is over.
        """
        self.interrupts.check()
        self.budget.begin_kernel()

    def wait_for_kernel(self) -> None:
        """Allow a thread to wait for a kernel that another process compiles, unless the call is to end.

        Raises
        ------
        KeyboardInterrupt
            If interrupted.
        OutOfTime
            If the time limit is over and this call has done some work.
        """
        self.interrupts.check()
        self.budget.check_time()


class Executor(ABC):
    """Trains parts of one plan and writes their results.

    Attributes
    ----------
    session : str
        Name of this call in the commits that it makes.
    n_threads : int
        Most parts that are trained at once.
    here : bool
        Whether this machine trains them.
    """

    session: str
    n_threads: int
    here: bool

    def __enter__(self) -> Self:
        """Start the executor; calls of :meth:`map` follow one after the other."""
        return self

    def __exit__(  # noqa: B027 - most have nothing to end
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything that the executor has started."""

    @abstractmethod
    def map(self, parts: Iterator[Part], operations: float) -> Generator[Commit, None, None]:
        """Train parts, and yield the commit of each once it is written, in any order.

        For a part that another process finished meanwhile, the commit of that process is yielded.

        Parameters
        ----------
        parts
            Parts to train; each is read when its training starts.
        operations
            Estimated operations of all parts. No result depends on it.

        Yields
        ------
        Commit
            The commit of a finished part.

        Raises
        ------
        KeyboardInterrupt
            If interrupted; parts under way for less than about a second are finished.
        SweepError
            If a part cannot be trained or written.
        """

    def expect(self, parts: Iterator[Part]) -> None:  # noqa: B027 - only some know them
        """Prepare for the kernels of parts that are to be trained."""


# Makes the executor of one call.
MakeExecutor = Callable[[Work], Executor]

"""Train shards on threads of this process that end in good order, also on Ctrl-C."""

from __future__ import annotations

import pkgutil
import secrets
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from functools import cache, partial
from importlib import import_module
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from types import TracebackType
from typing import TypeVar

import kernels
from kernels.simd.compiling import CompileWatch, asked_before_compiling
from sweep.errors import SweepError
from sweep.schedule.waves import Shard
from sweep.store.commits import Commit
from sweep.store.memory import MemoryParts
from sweep.store.store import Store
from sweep.system.signals import Interrupts
from sweep.training.executors.executor import Executor, Work
from sweep.training.limits import OutOfTime
from sweep.training.shard_trainer import ShardTrainer
from sweep.training.speed import note_kernels

Item = TypeVar("Item")
Made = TypeVar("Made")

# The waiting thread looks so often whether it was interrupted: the signal may reach another one and not wake it.
_WAKE_SECONDS = 0.1


class ThreadExecutor(Executor):
    """Trains shards on threads of this process.

    Parameters
    ----------
    n_threads
        Worker threads.
    work
        What to train.
    """

    here = True

    def __init__(self, n_threads: int, work: Work) -> None:
        self.session, self.n_threads, self._work = secrets.token_hex(8), n_threads, work
        self._worker = ShardTrainer(work.plan, work.interrupts.check, work.reuse)
        self._watch = CompileWatch(work.progress.compiling)

    def expect(self, shards: Iterator[Shard]) -> None:
        """Find out which kernels have to be compiled, so that progress can tell how many."""
        self._watch.expect(self._worker.uncompiled(shards))

    def map(self, shards: Iterator[Shard], operations: float) -> Generator[Commit, None, None]:
        """Train shards, each thread one after the other."""
        interrupts = self._work.interrupts
        n_threads = min(self.n_threads, max(self._work.n_shards, 1))
        self._work.progress.trained_by(n_threads)
        import_all_kernels()
        interrupts.check()
        with self._watch:
            yield from work_in_threads(self._train, shards, n_threads, interrupts, self._tick, self._work.begin_kernel)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Note how long kernels took to compile."""
        note_kernels(self._watch.seconds)

    def _train(self, shard: Shard) -> Commit:
        """Train a shard."""
        return finish(self._work.parts, self._worker, self._watch, self.session, shard)

    def _tick(self) -> None:
        """Bring progress up to date, and have it say why a run that is to end does not yet."""
        if self._work.is_ending:
            self._work.progress.stopping()
        self._work.progress.tick()


def finish(parts: Store | MemoryParts, worker: ShardTrainer, watch: CompileWatch, session: str, shard: Shard) -> Commit:
    """Train a shard, unless another process has; seconds of waiting for machine code do not count."""
    commit = parts.commit_of(shard)
    if commit:
        return commit
    started = watch.clock()
    result = worker.train(shard)
    end = time.time()
    begin = end - (watch.clock() - started)
    return parts.write_part(result, session=session, begin=begin, end=end)


def work_in_threads(
    work: Callable[[Item], Made],
    items: Iterator[Item],
    n_threads: int,
    interrupts: Interrupts,
    tick: Callable[[], None],
    begin_kernel: Callable[[], None] | None = None,
) -> Iterator[Made]:
    """Work on all items, each thread on one after the other, and yield what is made; call ``tick`` now and then.

    Errors and interrupts wait for the items under way, but for no kernel that has yet to be compiled for them, and a
    second interrupt for nothing. ``begin_kernel``, by default the check for interrupts, is called before each kernel;
    where it says that the time is over, no more items are begun.

    Raises
    ------
    KeyboardInterrupt
        If interrupted.
    SweepError
        If the system does not start so many threads.
    """
    taking, stop = Lock(), Event()
    made: SimpleQueue[Made] = SimpleQueue()
    errors: list[BaseException] = []
    ask = partial(_ask_before_compiling, stop, begin_kernel or interrupts.check)

    def work_on() -> None:
        try:
            while not (stop.is_set() or interrupts.count):
                with taking:
                    item = next(items, None)
                if item is None:
                    return
                with asked_before_compiling(ask):
                    made.put(work(item))
        except OutOfTime:
            stop.set()
        except BaseException as error:
            errors.append(error)
            stop.set()

    started = _start_threads(work_on, n_threads)
    if len(started) < n_threads:
        errors.append(SweepError(f"threads {n_threads} given; this system starts {len(started)} and no more"))
        stop.set()
    try:
        while interrupts.count < 2 and (any(thread.is_alive() for thread in started) or not made.empty()):
            try:
                yield made.get(timeout=_WAKE_SECONDS)
            except Empty:
                tick()
    finally:
        stop.set()
    interrupts.check()
    if errors:
        raise errors[0]


def _ask_before_compiling(stop: Event, begin_kernel: Callable[[], None]) -> None:
    """Ask whether a kernel may be begun: not where an error has stopped the others."""
    if stop.is_set():
        raise OutOfTime
    begin_kernel()


def _start_threads(work: Callable[[], None], n_threads: int) -> list[Thread]:
    """Start threads; fewer where the system starts no more."""
    started: list[Thread] = []
    with suppress(RuntimeError):
        for number in range(n_threads):
            thread = Thread(target=work, name=f"sweep-{number}", daemon=True)
            thread.start()
            started.append(thread)
    return started


@cache
def import_all_kernels() -> None:
    """Import in this thread what the others need, so that none of them waits for an import that was interrupted."""
    from numba.core.registry import cpu_target

    for module in pkgutil.walk_packages(kernels.__path__, "kernels."):
        import_module(module.name)
    import_module("numba.core.boxing")  # by its compiler
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()

"""Train parts on threads of this process, which end cleanly, also after Ctrl-C."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import NamedTuple, TypeVar

from kernels.numba.compiling import CompileWatch, checking_before_compiling, claiming_kernels
from sweep.errors import SweepError
from sweep.schedule.kernel_count import compiler_note, most_kernels
from sweep.schedule.waves import Part
from sweep.store.commits import Commit
from sweep.store.files import Files, waits_ended_by
from sweep.store.stored_runs import WritableResult
from sweep.system.host import available_threads
from sweep.system.progress import SweepProgress
from sweep.system.signals import Interrupts
from sweep.training.compiling.compiler_pool import Compilers
from sweep.training.compiling.kernel_items import uncompiled
from sweep.training.compiling.kernel_modules import import_all_kernels
from sweep.training.executors.executor import Executor, Work
from sweep.training.limits import OutOfTime
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.speed import note_kernels, noted_kernel_seconds

Item = TypeVar("Item")
Made = TypeVar("Made")

# Seconds between checks for interrupts: a signal may reach another thread, and not wake the waiting one.
_WAKE_SECONDS = 0.1


class ThreadExecutor(Executor):
    """Trains parts on threads of this process."""

    here = True

    def __init__(self, n_threads: int, work: Work) -> None:
        self.session, self.n_threads, self._work = secrets.token_hex(8), n_threads, work
        self._worker = PartTrainer(work.plan, work.interrupts.check, work.reuse)
        self._watch = CompileWatch(work.progress.compiling, noted_kernel_seconds())
        self._compilers: Compilers | None = None
        self._open = ExitStack()

    def expect(self, parts: Iterator[Part]) -> None:
        """Find the kernels to compile, and start processes that compile some of them in parallel."""
        work = self._work
        shapes = dict.fromkeys(shape for part in parts for shape in work.plan.parts.wave_of(part).shapes(part))
        items = uncompiled(self._worker, shapes, settles=False)
        self._watch.expect(items, most_kernels(work.plan.study, work.plan.parts.operations))
        if items and (note := compiler_note()):
            work.progress.note(note)
        n_slow = sum(item.task != "draw" for item in items.values())  # "draw" is compiled before a process starts
        n_processes = min(self.n_threads, available_threads(), n_slow) - 1
        if n_processes > 0:
            compilers = Compilers(work.plan.study, items, n_processes, self._watch, work.wait_for_kernel)
            self._compilers = self._open.enter_context(compilers)

    def map(self, parts: Iterator[Part], operations: float) -> Generator[Commit, None, None]:
        """Train parts; each thread trains one after the other."""
        interrupts = self._work.interrupts
        n_threads = min(self.n_threads, max(self._work.n_parts, 1))
        self._work.progress.trained_by(n_threads)
        import_all_kernels()
        interrupts.check()
        with self._watch:
            yield from work_in_threads(self._train, parts, n_threads, interrupts, self._tick, self._work.begin_kernel)

    def __exit__(self, *details: object) -> None:
        """End the processes that compile, and note the seconds that kernels took to compile."""
        self._open.close()
        note_kernels(self._watch.seconds)

    def _train(self, part: Part) -> Commit:
        """Train a part."""
        with claiming_kernels(self._compilers.claim) if self._compilers else nullcontext():
            return finish(self._work.parts, self._worker, self._watch, self.session, part)

    def _tick(self) -> None:
        """Update progress, and show that the run is ending."""
        if self._work.is_ending:
            self._work.progress.stopping()
        self._work.progress.tick()


def finish(parts: WritableResult, worker: PartTrainer, watch: CompileWatch, session: str, part: Part) -> Commit:
    """Train and commit a part, unless another process has; return the valid commit.

    The watch measures seconds of waiting for machine code, which do not count as training.
    """
    commit = parts.commit_of(part)
    if commit:
        return commit
    started = watch.clock()
    result = worker.train(part)
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
    """Process items in threads; after an error or interrupt, finish current items that need no further kernel.

    Each item is read when its work starts. ``tick`` is called regularly, ``begin_kernel`` before each compilation; it
    checks for interrupts by default, and its ``OutOfTime`` ends the work. Results are yielded in any order.
    """
    taking, stop = Lock(), Event()
    made: SimpleQueue[tuple[Made, ...]] = SimpleQueue()  # one result, or nothing from a thread that ends
    errors: list[BaseException] = []
    ask = partial(_ask_before_compiling, stop, begin_kernel or interrupts.check)

    def work_on() -> None:
        try:
            while not (stop.is_set() or interrupts.count):
                with taking:
                    item = next(items, None)
                if item is None:
                    return
                with checking_before_compiling(ask):
                    made.put((work(item),))
        except OutOfTime:
            stop.set()
        except BaseException as error:
            errors.append(error)
            stop.set()
        finally:
            made.put(())

    started = _start_threads(work_on, n_threads)
    if len(started) < n_threads:
        errors.append(SweepError(f"threads: must be at most {len(started)} on this system, got {n_threads}"))
        stop.set()
    try:
        n_at_work = len(started)
        while interrupts.count < 2 and n_at_work:
            try:
                found = made.get(timeout=_WAKE_SECONDS)
            except Empty:
                tick()
                continue
            n_at_work -= not found
            yield from found
    finally:
        stop.set()
    interrupts.check()
    if errors:
        raise errors[0]


class Workers(NamedTuple):
    """Threads that work on something other than parts of a call: they check, repair, or record curves."""

    n_threads: int
    interrupts: Interrupts
    progress: SweepProgress

    def map(self, work: Callable[[Item], Made], items: Iterator[Item]) -> Iterator[Made]:
        """Yield what ``work`` makes of items, in any order."""
        return work_in_threads(work, items, self.n_threads, self.interrupts, self.progress.tick)


@contextmanager
def workers(files: Iterable[Files], n_runs: int, n_threads: int, shown: bool | None) -> Iterator[Workers]:
    """Within this context, show progress over runs, and let interrupts end work and waits for files."""
    import_all_kernels()
    with (
        Interrupts() as interrupts,
        waits_ended_by(interrupts.check, files),
        SweepProgress(max(n_runs, 1), 0.0, n_threads, shown) as progress,
    ):
        yield Workers(n_threads, interrupts, progress)


def _ask_before_compiling(stop: Event, begin_kernel: Callable[[], None]) -> None:
    """Check that a compilation may start: not after an error in another thread."""
    if stop.is_set():
        raise OutOfTime
    begin_kernel()


def _start_threads(work: Callable[[], None], n_threads: int) -> list[Thread]:
    """Start threads; fewer if the system cannot start more."""
    started: list[Thread] = []
    with suppress(RuntimeError):
        for number in range(n_threads):
            thread = Thread(target=work, name=f"sweep-{number}", daemon=True)
            thread.start()
            started.append(thread)
    return started

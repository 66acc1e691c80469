"""The work of a cluster's workers: train a chunk of parts, write and commit each part, and return the commits.

Only the identity of a study is sent: a worker reads the study in the results folder, which it must see under the same
path. Schedulers import this module too, so it has few imports.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock, local
from typing import TYPE_CHECKING, Any, NamedTuple

from kernels.floating_point import default_floating_point
from sweep.errors import StoreError
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from sweep.store.commits import Commit

if TYPE_CHECKING:
    from kernels.numba.compiling import CompileWatch
    from sweep.store.store import Store
    from sweep.training.component_trials import Sent
    from sweep.training.networks.part_trainer import PartTrainer


@dataclass(frozen=True)
class Job:
    """The data that all chunks of one call share."""

    identity: str
    keep: str
    place: str  # results folder, as workers name it
    session: str  # name of the call in commits
    sources: str  # digest of the sources of ``sweep``, which also compute what rows hold
    part_runs: int | None  # number of runs in a part, for tests
    reuse: tuple[str, ...]  # earlier results whose rows are reused, as workers name them
    custom_components: Sent  # custom components that the study names: workers take no code from the results folder


class _Stopped(Exception):  # noqa: N818 - no error
    """The call no longer waits for this chunk."""


class _Trainer(NamedTuple):
    """The state that this process keeps between chunks of a call."""

    plan: Plan
    worker: PartTrainer
    watch: CompileWatch


_making = Lock()
_thread = local()  # for each thread, a function that returns whether its chunk is to be stopped
_stopped_sessions: set[str] = set()
_sessions_out_of_time: set[str] = set()
_used_sessions: set[str] = set()  # calls for which this process has started a compilation or finished a part


def dask_setup(worker: Any) -> None:
    """Prepare a worker process that a run has started on its own machine.

    A terminal interrupts such processes too, but the run handles Ctrl-C. At the end they exit at once: ending the
    compiler properly takes seconds, and all results are on the disk.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    atexit.register(os._exit, 0)


def stop(session: str) -> None:
    """Start no more parts of a call in this process, and end those that take longer than about a second."""
    _stopped_sessions.add(session)


def stop_compiling(session: str) -> None:
    """Compile no more kernels for a call in this process, once it has done some work for it."""
    _sessions_out_of_time.add(session)


@default_floating_point
def train_chunk(job: Job, parts: tuple[Part, ...]) -> list[Commit]:
    """Train parts in sequence, in a worker; fewer if the call is stopped.

    A worker that cannot see the results folder or write into it, or would train other bits or other runs, raises
    StoreError.
    """
    from kernels.numba.compiling import checking_before_compiling
    from sweep.training.executors.threads import finish

    _thread.stopped = stopped = partial(_is_stopped, job.session, _task_of_this_thread())
    commits: list[Commit] = []
    if stopped():
        return commits
    with _prepared(job) as (trainer, store), checking_before_compiling(partial(_begin_kernel, job.session)):
        for part in parts:
            if stopped():
                break
            planned = trainer.plan.part(part.index)
            if (planned.start, planned.stop) != (part.start, part.stop):
                raise _refusal("its version of xor-sweep plans other parts; install the same version everywhere")
            try:
                commits.append(finish(store, trainer.worker, trainer.watch, job.session, part))
                _used_sessions.add(job.session)
            except _Stopped:
                break
    return commits


@contextmanager
def _prepared(job: Job) -> Iterator[tuple[_Trainer, Store]]:
    """Check that this worker fits the call, and hold the results folder so that no process removes it."""
    from sweep.store.bits import own_bits
    from sweep.store.local import files_at
    from sweep.store.store import Store

    files = files_at(job.place)
    if not files.has("run.json"):
        raise _refusal(
            f"it does not see results folder {job.place!r}; make it available to all workers under this path"
        )
    with _making:  # made once for all threads of this process
        trainer = _trainer(job)
    files.check = _pause
    store = Store(files, trainer.plan.study, job.keep, trainer.plan.waves, own_bits())
    lock = files.lock()
    try:
        lock.take_shared()
        store.lock = lock
        try:
            store.check_bits(own_bits())
        except StoreError as error:
            raise _refusal(str(error)) from None
        _check_same_sources(job)
        store.trained_by(own_bits())
        yield trainer, store
    finally:
        lock.release()


def _check_same_sources(job: Job) -> None:
    """Check that this worker has the same sources of this package as the process that started the run."""
    if job.sources != own_sources():
        raise _refusal(
            "its sources of xor-sweep differ from those of the process that started the run; install the "
            "same version everywhere"
        )


def own_sources() -> str:
    """Return the digest of the sources of this package."""
    from kernels.sources import sources_digest

    return sources_digest(Path(__file__).parents[2])


@lru_cache(maxsize=2)
def _trainer(job: Job) -> _Trainer:
    """Return the trainer of a call for the study in the results folder, which must be the study of the call.

    Each call has its own trainer, since the results that it reuses may have changed.
    """
    from sweep.store.store import Store
    from sweep.training.compiling.kernel_modules import import_all_kernels
    from sweep.training.component_trials import take_components
    from sweep.training.networks.part_trainer import PartTrainer
    from sweep.training.reuse import Reuse

    try:
        store = Store.open(job.place)
    except StoreError as error:
        raise _refusal(f"it cannot read the study: {error}") from None
    if (store.identity, store.keep) != (job.identity, job.keep):
        raise _refusal(
            f"it finds study {store.identity[:12]} in {job.place!r}, not {job.identity[:12]}; all workers "
            "need the same folder under this path, and the same version of xor-sweep"
        )
    import_all_kernels()
    take_components(job.custom_components)
    plan = Plan(store.study, job.part_runs, store.waves)
    try:
        earlier = Reuse(plan.study, job.reuse) if job.reuse else None
    except StoreError as error:
        raise _refusal(str(error)) from None
    return _Trainer(plan, PartTrainer(plan, _pause, earlier), _watch())


@lru_cache
def _watch() -> CompileWatch:
    """Watch compilations in this process until it ends."""
    from kernels.numba.compiling import CompileWatch

    return CompileWatch(lambda compilation: None).__enter__()


def _pause() -> None:
    """End the training of a long part, or a wait for a store, if the result is no longer needed."""
    stopped = getattr(_thread, "stopped", None)  # not set in threads that only read
    if stopped and stopped():
        raise _Stopped


def _begin_kernel(session: str) -> None:
    """Allow a compilation for a call; each process does some work, however little time is left."""
    if (session in _sessions_out_of_time and session in _used_sessions) or _thread.stopped():
        raise _Stopped
    _used_sessions.add(session)


def _task_of_this_thread() -> Callable[[], bool]:
    """Return a function that returns whether the scheduler has abandoned this thread's task."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def is_abandoned() -> bool:
        task = worker.state.tasks.get(key)
        return task is None or task.state == "cancelled" or worker.status.name in ("closing", "closed", "failed")

    return is_abandoned


def _is_stopped(session: str, is_abandoned: Callable[[], bool]) -> bool:
    return session in _stopped_sessions or is_abandoned()


def _refusal(reason: str) -> StoreError:
    """Return the error of a worker that cannot train a study, with the worker's name."""
    from distributed import get_worker

    return StoreError(f"worker {get_worker().address} on {socket.gethostname()!r} cannot train: {reason}")

"""Train the studies of tiles: the most wanted one first, a short slice at a time, and keep them in results folders."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from threading import Condition, Thread

from sweep.errors import SweepError
from sweep.explore.map_axis import TILE
from sweep.results.result import Result, open_result
from sweep.schedule.plan import Plan
from sweep.store.bits import own_bits
from sweep.store.memory import MemoryParts
from sweep.study.model import Study
from sweep.system.escaping import one_line
from sweep.training.component_trials import check_custom_components
from sweep.training.coordinator import Coordinator
from sweep.training.executors.threads import ThreadExecutor
from sweep.training.limits import Limits
from sweep.training.run import complete, run_in_parts, save_trained
from sweep.training.run_options import RunOptions
from sweep.training.speed import estimate

# Seconds of training after which a more wanted tile is looked for.
_SLICE_SECONDS = 0.25
# Studies that train longer are trained in their results folders, so that a finished part is never lost. Others are
# written afterward, since that takes as long as training them.
_LONG_SECONDS = 4.0
_POLL_SECONDS = 0.1
_MOST_WAITING = 256  # studies
# Runs that wait to be written, of 16 and 24 tiles of one seed. From the first number on they are written although a
# page waits, from the second one on no tile is trained that must be written too.
_MANY_UNSAVED, _MOST_UNSAVED = 16 * TILE**2, 24 * TILE**2
_QUIET_SECONDS = 0.5  # without any request, after which results are written
_MOST_KEPT = 8  # results that stay in memory


class Abandoned(Exception):  # noqa: N818 - no error
    """Nobody waits for a result any more."""


class BusyError(SweepError):
    """Too many tiles are wanted at once."""


class _Job:
    """A study to train, and who waits for it."""

    def __init__(self, study: Study, rank: tuple[int, int], *, is_saved: bool) -> None:
        self.study, self.rank, self.is_saved = study, rank, is_saved
        self.done: Future[Result] = Future()
        self.n_waiting = 0
        self.parts: MemoryParts | None = None
        self.plan: Plan | None = None


class TileTrainer:
    """A thread that trains what is wanted most, and one that writes results into ``folder``.

    The less a rank, the more a study is wanted; among equal ranks the first request counts.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        self.folder, self._threads = folder, threads
        self.is_ending: Callable[[], bool] = lambda: False  # whether the server ends, so that nobody waits any more
        self.save_fault = ""  # why the last result could not be written
        self._n_trained, self._n_networks, self._seconds = 0, 0, 0.0
        self._jobs: dict[str, _Job] = {}
        self._changed = Condition()
        self._number = count()
        self._kept: OrderedDict[str, Result] = OrderedDict()
        self._unsaved: deque[MemoryParts] = deque()
        self._last_left = 0.0  # when the last request was answered or left
        self._bits = own_bits()
        Thread(target=self._work, name="explore-train", daemon=True).start()
        Thread(target=self._save, name="explore-save", daemon=True).start()

    def state(self) -> dict[str, object]:
        """Return what the page shows of the work under way."""
        speed = self._n_networks / self._seconds if self._seconds else None
        return {
            "waiting": len(self._jobs),
            "trained": self._n_trained,
            "unsaved": len(self._unsaved),
            "save_fault": self.save_fault,
            "networks_per_second": speed,
        }

    def place(self, study: Study) -> Path:
        """Return the results folder of a study."""
        return self.folder / study.identity[:16]

    def known(self, study: Study) -> Result | None:
        """Return the result of a study that is in memory or in its folder, or None."""
        identity = study.identity
        with self._changed:
            found = self._kept.get(identity)
            if found is not None:
                self._kept.move_to_end(identity)
                return found
        if not (self.place(study) / "cells.parquet").is_file():  # which is written last
            return None
        try:
            result = open_result(self.place(study), partial=True)
        except FileNotFoundError:
            return None
        if not result.complete:
            return None
        self._keep(result)
        return result

    async def result(
        self, study: Study, rank: int, is_gone: Callable[[], Awaitable[bool]], *, is_saved: bool
    ) -> Result:
        """Return the result of a study once it is trained, unless it is known.

        Raises
        ------
        Abandoned
            If ``is_gone`` returns True before. The study is then trained no further, unless others wait for it.
        BusyError
            If too many studies wait.
        """
        found = await asyncio.to_thread(self.known, study)
        if found is not None:
            return found
        job = self._join(study, rank, is_saved=is_saved)
        try:
            done = asyncio.wrap_future(job.done)
            while True:
                finished, _ = await asyncio.wait({done}, timeout=_POLL_SECONDS)
                if finished:
                    return done.result()
                if self.is_ending() or await is_gone():
                    raise Abandoned
        finally:
            self._leave(job)

    def wait(self, study: Study, rank: int, *, is_saved: bool) -> Result:
        """Return the result of a study as :meth:`result` does, to a caller without an event loop."""
        found = self.known(study)
        if found is not None:
            return found
        job = self._join(study, rank, is_saved=is_saved)
        try:
            return job.done.result()
        finally:
            self._leave(job)

    def _join(self, study: Study, rank: int, *, is_saved: bool) -> _Job:
        """Wait for a study, together with others that wait for it."""
        with self._changed:
            job = self._jobs.get(study.identity)
            if job is None:
                job = _Job(study, (rank, next(self._number)), is_saved=is_saved)
                if study.identity in self._kept:  # trained since the caller looked for it
                    job.done.set_result(self._kept[study.identity])
                elif len(self._jobs) >= _MOST_WAITING:
                    raise BusyError(f"{_MOST_WAITING} tiles are waiting already; ask again later")
                else:
                    self._jobs[study.identity] = job
            job.n_waiting += 1
            self._changed.notify_all()
            return job

    def _leave(self, job: _Job) -> None:
        with self._changed:
            job.n_waiting -= 1
            self._last_left = time.monotonic()
            if not job.n_waiting and not job.done.done():
                self._remove(job)

    def _remove(self, job: _Job) -> None:
        """Forget a job, but not one of the same study that others have waited for since."""
        if self._jobs.get(job.study.identity) is job:
            del self._jobs[job.study.identity]

    def _work(self) -> None:
        """Train a slice of the most wanted study, again and again."""
        while True:
            with self._changed:
                job = self._changed.wait_for(self._most_wanted)
            assert job is not None
            try:
                result = self._train_slice(job)
            except BaseException as error:
                self._end(job, error)
                continue
            if result is not None:
                if job.is_saved and job.parts is not None:
                    with self._changed:
                        self._unsaved.append(job.parts)
                        self._changed.notify_all()
                self._end(job, result)

    def _most_wanted(self) -> _Job | None:
        """Return the job to train next; None if there is none, or if it must be written and too many wait for that."""
        job = min(self._jobs.values(), key=lambda each: each.rank, default=None)
        return None if job is not None and job.is_saved and self._n_unsaved() >= _MOST_UNSAVED else job

    def _n_unsaved(self) -> int:
        """Return how many runs wait to be written."""
        return sum(parts.plan.n_runs for parts in self._unsaved)

    def _end(self, job: _Job, outcome: Result | BaseException) -> None:
        """Give those who wait for a job its result, or what went wrong."""
        if not isinstance(outcome, BaseException):
            self._keep(outcome)
        with self._changed:
            self._remove(job)
            if isinstance(outcome, BaseException):
                job.done.set_exception(outcome)
            else:
                job.done.set_result(outcome)

    def _train_slice(self, job: _Job) -> Result | None:
        """Train for a short time, and return the result once it is complete."""
        start = time.monotonic()
        if job.plan is None:
            check_custom_components(job.study)
            job.plan = Plan(job.study)
            if not job.is_saved or estimate(job.plan, self._threads).most < _LONG_SECONDS:
                job.parts = MemoryParts(job.plan, "runs", self._bits)
        if job.parts is None:
            out = self.place(job.study)
            options = RunOptions(out=out, threads=self._threads, progress=False, time_budget=_SLICE_SECONDS)
            result = run_in_parts(job.study, options)
        else:
            training = Coordinator(job.plan, job.parts, Limits(seconds=_SLICE_SECONDS), False)
            result = complete(training, partial(ThreadExecutor, self._threads), time.time(), self._threads)
        self._seconds += time.monotonic() - start
        if not result.complete:
            return None
        self._n_trained += 1
        self._n_networks += job.study.n_runs
        return result

    def _keep(self, result: Result) -> None:
        with self._changed:
            self._kept[result.study.identity] = result
            self._kept.move_to_end(result.study.identity)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)

    def _save(self) -> None:
        """Write results into their folders, one after the other, while no page waits."""
        while True:
            with self._changed:
                while not self._may_save():
                    self._changed.wait(_QUIET_SECONDS if self._unsaved else None)
                parts = self._unsaved[0]
            try:
                save_trained(parts, self.place(parts.plan.study))
                self.save_fault = ""
            except Exception as error:  # without this thread, training would wait forever
                reason = error.strerror if isinstance(error, OSError) and error.strerror else error
                fault = f"tiles are not kept: {one_line(str(reason))}; choose another folder with --out"
                if not self.save_fault:
                    print(fault, file=sys.stderr, flush=True)
                self.save_fault = fault
            with self._changed:
                self._unsaved.popleft()
                self._changed.notify_all()
            del parts
            _return_memory()

    def _may_save(self) -> bool:
        is_quiet = not self._jobs and time.monotonic() - self._last_left >= _QUIET_SECONDS
        return bool(self._unsaved) and (is_quiet or self._n_unsaved() >= _MANY_UNSAVED)


def _return_memory() -> None:
    """Free results, which refer to themselves, and return their memory to the system, as glibc does not by itself."""
    gc.collect()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)

"""Train the shards of a plan that are missing, on threads, into a store or memory."""

from __future__ import annotations

import pkgutil
import secrets
import time
from functools import cache
from importlib import import_module
from threading import Lock

import kernels
from kernels.simd.compiling import CompileWatch
from sweep.aggregate import Aggregate
from sweep.interrupts import Interrupts
from sweep.plan import Plan, Shard
from sweep.progress import SweepProgress
from sweep.shard import Worker
from sweep.speed import note_speed
from sweep.store.memory import Memory
from sweep.store.store import Store
from sweep.threads import work_in_threads

# Parts read after each shard: more than one, to catch up, and few, to go on training.
_READ_AT_ONCE = 2


class Training:
    """What is known of the shards of a plan, and the training of those that are missing.

    Parameters
    ----------
    plan
        What to train.
    parts
        Where results of shards go, and those of earlier calls are.
    n_threads
        Worker threads.
    shown
        Whether to show progress.

    Attributes
    ----------
    commits : dict
        The commits of finished shards by number.
    aggregate : Aggregate
        Statistics and digest of the shards that were read, in shard order.

    Raises
    ------
    StoreError
        If a commit of an earlier call is not one of this plan.
    """

    def __init__(self, plan: Plan, parts: Store | Memory, n_threads: int, shown: bool) -> None:
        self.commits = parts.commits()
        for commit in self.commits.values():
            commit.check(plan.study.identity, plan.shard(commit.shard))
        self.aggregate = Aggregate(plan, parts)
        self._plan, self._parts, self._n_threads, self._shown = plan, parts, n_threads, shown
        missing = [index for index in range(plan.n_shards) if index not in self.commits]
        if parts.shared:  # each in an order of its own, so that they seldom train the same shard
            secrets.SystemRandom().shuffle(missing)
        self._missing = [plan.shard(index) for index in missing]
        self._interrupts = Interrupts()
        self._worker, self._session = Worker(plan, self._interrupts.check), secrets.token_hex(8)
        self._operations, self._seconds = 0.0, 0.0  # of this call, over all threads
        self._progress = SweepProgress(plan.n_runs, plan.operations, min(n_threads, len(missing)), shown)
        self._watch = CompileWatch(self._progress.compiling)
        self._n_read = 0
        self._counting, self._reading = Lock(), Lock()

    def run(self) -> None:
        """Train what is missing, and read all parts.

        Raises
        ------
        KeyboardInterrupt
            If interrupted; shards that were under way for less than a second or so are finished.
        StoreError
            If a part cannot be written or read.
        """
        with self._interrupts as interrupts:
            import_all_kernels()
            interrupts.check()
            with self._progress as progress:
                for commit in self.commits.values():
                    progress.skip(commit.stop - commit.start, self._plan.shard(commit.shard).cost)
                progress.tick()
                with self._watch:
                    if self._shown:
                        self._watch.expect(self._worker.uncompiled(self._missing))
                    work_in_threads(self._finish, iter(self._missing), self._n_threads, interrupts, progress.tick)
                note_speed(self._operations, self._seconds)
                progress.reading()
                while self._n_read < self._plan.n_shards:
                    interrupts.check()
                    self._read_on(_READ_AT_ONCE)

    def _finish(self, shard: Shard) -> None:
        """Train a shard, unless another process has, and read a part or two."""
        commit = self._parts.commit_of(shard)
        if commit:
            with self._counting:
                self.commits[shard.index] = commit
                self._progress.skip(shard.n_runs, shard.cost)
        else:
            self._train(shard)
        if self._reading.acquire(blocking=False):  # else another thread is at it
            try:
                self._read_on(_READ_AT_ONCE)
            finally:
                self._reading.release()

    def _train(self, shard: Shard) -> None:
        """Train a shard and commit its results; seconds of waiting for machine code do not count."""
        started = self._watch.clock()
        result = self._worker.train(shard)
        end = time.time()
        begin = end - (self._watch.clock() - started)
        commit = self._parts.write_part(result, session=self._session, begin=begin, end=end)
        with self._counting:
            self.commits[shard.index] = commit
            seconds = self._watch.clock() - started
            self._operations += self._plan.operations_of(shard, commit.net_steps)
            self._seconds += seconds
            self._progress.advance(shard.n_runs, shard.cost, commit.net_steps, seconds)

    def _read_on(self, most: int) -> None:
        """Read at most so many of the parts whose turn it is."""
        while self._n_read in self.commits and most > 0:
            self.aggregate.add(self.commits[self._n_read])
            self._n_read, most = self._n_read + 1, most - 1


@cache
def import_all_kernels() -> None:
    """Import in this thread what the others need, so that none of them waits for an import that was interrupted."""
    from numba.core.registry import cpu_target

    for module in pkgutil.walk_packages(kernels.__path__, "kernels."):
        import_module(module.name)
    for name in ("numba.core.boxing", "pyarrow.dataset"):  # by its compiler, by its reader of Parquet
        import_module(name)
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()

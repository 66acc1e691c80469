"""Train parts on the workers of a dask cluster, which write and commit them."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NoReturn

from sweep.errors import SweepError
from sweep.schedule.waves import Part
from sweep.store.commits import Commit
from sweep.training.component_trials import sent_components
from sweep.training.executors.address import local_workers
from sweep.training.executors.chunks import Chunks
from sweep.training.executors.connection import all_ended, connected
from sweep.training.executors.executor import Executor, Work
from sweep.training.executors.remote import Job, own_sources, stop, stop_compiling, train_chunk
from sweep.training.speed import noted_speed

if TYPE_CHECKING:
    from distributed import Client, Future

Chunk = tuple[Part, ...]

# Chunks of each worker thread, in training or queued, so that it does not wait for the next one.
_IN_FLIGHT = 2
# Seconds between checks for interrupts, and for workers that joined or left.
_WAKE_SECONDS, _LOOK_SECONDS = 0.1, 1.0

_logger = logging.getLogger("sweep")


class ClusterExecutor(Executor):
    """Trains parts on the workers of a dask cluster, including workers that join later."""

    def __init__(self, cluster: str, work: Work) -> None:
        self.session, self.n_threads, self.here = secrets.token_hex(8), 1, local_workers(cluster) is not None
        self._cluster, self._work = cluster, work
        self._job = _job(work, self.session)
        self._client: Client
        self._looked, self._slots = 0.0, 0  # time of the last check, and threads of all workers then
        self._known: set[str] = set()  # addresses of workers on which xor-sweep can be imported
        self._n_sent, self._deaths, self._out_of_time = 0, 0, False
        self._stack = ExitStack()  # holds the connection, once there is one

    def __exit__(self, *details: object) -> None:
        """Leave the cluster, and end its processes if they are local."""
        self._stack.close()

    def map(self, parts: Iterator[Part], operations: float) -> Generator[Commit, None, None]:
        """Train parts, one chunk at a time in each thread of each worker; then name parts that killed workers."""
        chunks = Chunks(parts, operations, noted_speed(self._work.plan.study))
        if not self._looked:
            self._client = self._stack.enter_context(connected(self._cluster))
        suspects = yield from self._train(chunks, lambda: chunks.take(self._slots))
        killers: list[Part] = []
        for part in suspects:  # each alone, since any part of a lost worker may be the cause
            killers += yield from self._train(chunks, partial(next, iter([(part,)]), ()))
        if killers:
            raise SweepError(
                f"{_named(killers)} of this study killed every worker that trained it, {self._deaths} in turn; all "
                "other parts are kept; run the same command again to retry"
            )

    def _train(self, chunks: Chunks, take: Callable[[], Chunk]) -> Generator[Commit, None, list[Part]]:
        """Train all chunks; return the parts of chunks whose workers were lost again and again."""
        from distributed import KilledWorker

        done: SimpleQueue[Future] = SimpleQueue()
        flying: dict[str, tuple[Future, Chunk]] = {}
        suspects: list[Part] = []
        error: BaseException | None = None
        more, stopped = True, False
        self._look()
        while more or flying:
            if not stopped and (error or self._work.interrupts.count):
                self._run_on_workers(stop)
                more, stopped = False, True
            if self._work.budget.is_over and not self._out_of_time:
                self._run_on_workers(stop_compiling)
                self._out_of_time = True
            if stopped and not self._slots:  # no worker is left to wait for
                break
            while more and len(flying) < _IN_FLIGHT * self._slots:
                if chunk := take():
                    self._send(chunk, flying, done)
                more = bool(chunk)
            future = self._next(done)
            if future is None:
                continue
            _, chunk = flying.pop(future.key)
            made = self._outcome(future)
            if isinstance(made, list):
                for commit in made:
                    if commit.session == self.session:
                        chunks.learn(self._work.plan.part(commit.part).cost, commit.end - commit.begin)
                    yield commit
            elif isinstance(made, KilledWorker):
                self._deaths = made.allowed_failures + 1
                suspects += chunk
            else:
                error = error or made
        self._work.interrupts.check()
        if error:
            raise error
        return suspects

    def _send(self, chunk: Chunk, flying: dict[str, tuple[Future, Chunk]], done: SimpleQueue[Future]) -> None:
        """Send a chunk to the cluster; its future goes into a queue once it has ended."""
        self._n_sent += 1
        key = f"train-chunk-{self.session}-{self._n_sent}"
        future = self._client.submit(train_chunk, self._job, chunk, key=key, pure=False)
        flying[future.key] = future, chunk
        future.add_done_callback(done.put)

    def _outcome(self, future: Future) -> list[Commit] | BaseException:
        """Return the commits of a chunk that has ended, or its error."""
        if future.status == "cancelled":  # not by this process
            self._lost()
        try:
            commits: list[Commit] = future.result()
        except CancelledError:
            self._lost()
        except Exception as error:
            missing = error.__cause__
            return self._lacking("its scheduler", missing) if isinstance(missing, ImportError) else error
        return commits

    def _next(self, done: SimpleQueue[Future]) -> Future | None:
        """Return a chunk that has ended, or None after a while; regularly check which workers exist."""
        if time.monotonic() - self._looked >= _LOOK_SECONDS:
            self._look()
        try:
            return done.get(timeout=_WAKE_SECONDS)
        except Empty:
            self._work.progress.tick()
            return None

    def _look(self) -> None:
        """Update the known workers and their threads."""
        try:
            threads = self._client.nthreads()
            new = [address for address in threads if address not in self._known]
            answers = self._client.run(_missing_packages(), workers=new, on_error="ignore") if new else {}
        except OSError:
            self._lost()
        for address, missing in answers.items():
            if missing:
                raise self._lacking(f"its worker {address}", missing)
        self._known.update(new)
        if not threads and all_ended(self._client):
            raise SweepError(
                f"the processes of cluster {self._cluster!r} ended and could not be started again; finished parts are "
                "kept; run the same command again to resume"
            )
        if not (threads or self._looked):
            _logger.warning("cluster %r has no workers yet; training starts when one joins", self._cluster)
        self._looked, self._slots = time.monotonic(), sum(threads.values())
        self.n_threads = max(self.n_threads, self._slots)
        self._work.progress.trained_by(self._slots, len(threads))

    def _run_on_workers(self, what: Callable[[str], None]) -> None:
        """Call :func:`stop` or :func:`stop_compiling` for this call on all workers."""
        try:
            self._client.run(what, self.session, on_error="ignore")
        except OSError:
            self._lost()

    def _lacking(self, who: str, missing: object) -> SweepError:
        return SweepError(
            f"cluster {self._cluster!r} cannot train: {who} lacks a package ({missing}); install the same version of "
            "xor-sweep on scheduler and workers"
        )

    def _lost(self) -> NoReturn:
        raise SweepError(
            f"cluster {self._cluster!r} was lost while it trained; finished parts are kept; run the same "
            "command again to resume"
        )


def _missing_packages() -> Callable[[], str | None]:
    """Return a function that, in a worker, returns the error of a missing package, or None.

    A worker that cannot import the code of a task ends without a message. Dask sends the code of this local function.
    """

    def missing() -> str | None:
        try:
            import sweep.training.executors.remote  # noqa: F401
        except ImportError as error:
            return str(error)
        return None

    return missing


def _job(work: Work, session: str) -> Job:
    """Return the data that all chunks share."""
    store = work.parts
    place = str(store.directory.absolute()) if store.directory else store.place
    assert place is not None  # the workers write into it
    reuse = tuple(source.path for source in work.reuse.sources) if work.reuse else ()
    return Job(
        store.plan.study.identity,
        store.keep,
        place,
        session,
        own_sources(),
        work.plan.part_runs,
        reuse,
        sent_components(store.plan.study),
    )


def _named(parts: list[Part]) -> str:
    """Return the numbers of parts as text, with ranges: "parts 3, 12 to 19"."""
    numbers = sorted(part.index for part in parts)
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1].append(number)
        else:
            ranges.append([number])
    names = [str(each[0]) if len(each) == 1 else f"{each[0]} to {each[-1]}" for each in ranges]
    return f"part{'s' if len(numbers) > 1 else ''} {', '.join(names)}"

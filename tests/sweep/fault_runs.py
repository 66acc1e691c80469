"""Commands in separate processes that start fast: forks of a process that has already trained their studies.

That process has a single Python thread when it forks; threads of libraries handle forks themselves. The processes
run :func:`sweep.__main__.run_command`, so exit codes and errors are those that users get.
"""

from __future__ import annotations

import functools
import gc
import json
import math
import os
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.sweep.fault_disk import Disk
from tests.sweep.faults import Fault, System
from tests.waiting import LONG

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Request:
    """A command to run."""

    arguments: tuple[str, ...]  # after ``sweep``
    root: str  # the watched folder: it contains the results folder and nothing else
    part_runs: int  # runs in a part
    fault: Fault | None = None  # what happens to one of the system calls; without it, calls are not watched
    # Text of :meth:`Disk.noted` of an earlier process, ``""`` for a new disk; without it, no disk is simulated
    disk: str | None = None
    vault: str = ""  # folder of the disk's files
    kill_after: float | None = None  # seconds until SIGKILL
    most_bytes: int | None = None  # no file may be larger
    # Interval of syncing the names of commits: always, or only at the end, so that tests do not depend on time
    sync_seconds: float = math.inf
    answer: bool = False  # whether to print the answer too, which takes longer than everything else

    def encode(self) -> str:
        """Return one line of text."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, line: str) -> Request:
        """Return the request of a line."""
        given = json.loads(line)
        fault = given.pop("fault")
        return cls(**{**given, "fault": fault and Fault(**{**fault, "kinds": tuple(fault["kinds"])})})


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int  # its exit code; the number of a signal, negative, if that ended it
    # What it printed
    out: str
    err: str
    calls: list[str] = field(default_factory=list)  # kinds of the numbered calls
    unseen: list[str] = field(default_factory=list)  # what it did in the folder without a watched call
    disk: str = ""  # text of :meth:`Disk.noted`


class Zygote:
    """The process that forks. It first trains the studies, in parts of ``part_runs`` runs."""

    def __init__(self, study_files: list[Path], part_runs: int) -> None:
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "200"}
        options = [sys.executable, "-m", "tests.sweep.fault_runs", str(part_runs), *map(str, study_files)]
        self._process = subprocess.Popen(
            options, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
        )

    def __enter__(self) -> Zygote:
        """Return it; the process already runs."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._process.communicate(timeout=LONG)

    def run(self, request: Request) -> Ended:
        """Run one command to its end."""
        return self.run_all([request])[0]

    def run_all(self, requests: list[Request]) -> list[Ended]:
        """Run commands at the same time, all to their end."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps([request.encode() for request in requests]) + "\n")
        stdin.flush()
        return [Ended(**ended) for ended in json.loads(stdout.readline())]


class _Child:
    """A forked process, as its parent sees it."""

    def __init__(self, request: Request) -> None:
        self.request, self.begun = request, time.monotonic()
        self.status: int | None = None
        self.report = tempfile.TemporaryFile()  # noqa: SIM115
        self.pipes = [os.pipe() for _ in range(2)]  # which no limit of files concerns
        self.pid = os.fork()
        if self.pid == 0:
            _be_command(request, [end for _, end in self.pipes], self.report.fileno())
        for _, end in self.pipes:
            os.close(end)

    def look(self) -> bool:
        """Return whether it has ended; kill it after its time limit."""
        if self.status is None:
            seconds = LONG if self.request.kill_after is None else self.request.kill_after
            if time.monotonic() - self.begun > seconds:
                os.kill(self.pid, signal.SIGKILL)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = status if pid else None
        return self.status is not None

    def ended(self) -> dict[str, Any]:
        """Return how it ended."""
        texts = []
        for end, _ in self.pipes:
            with os.fdopen(end, "rb") as pipe:
                texts.append(pipe.read().decode())
        with self.report as file:
            file.seek(0)
            report = json.loads(file.read() or b"{}")
        return asdict(Ended(os.waitstatus_to_exitcode(self.status or 0), *texts, **report))


def _be_command(request: Request, outputs: list[int], report: int) -> None:
    """Run as the process of a command, and never return."""
    code: Any = 1
    try:
        for number, output in enumerate(outputs, 1):
            os.dup2(output, number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        code = _command(request, report)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


def _command(request: Request, report: int) -> Any:
    """Run a command and return its exit code."""
    from sweep.__main__ import run_command
    from sweep.store import store
    from sweep.terminal import printed
    from sweep.training import run as training
    from tests.sweep.in_parts import run_in_parts

    if not request.answer:
        printed.print_summary = lambda _: None
    training.run = functools.partial(run_in_parts, part_runs=request.part_runs)
    assert hasattr(store, "_SYNC_SECONDS")
    store._SYNC_SECONDS = request.sync_seconds
    sys.argv = ["sweep", *request.arguments]
    disk = None if request.disk is None else Disk.load(request.root, request.vault, request.disk)

    def note() -> None:
        noted = {"calls": system.calls, "unseen": system.unseen, "disk": disk.noted() if disk else ""}
        os.pwrite(report, json.dumps(noted).encode(), 0)

    system = System(request.root, request.fault or Fault(), disk, note)
    if request.fault or disk:
        system.install()
    if request.most_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request.most_bytes, request.most_bytes))
    try:
        run_command()
    except SystemExit as end:
        return end.code or 0
    finally:
        if request.most_bytes is None:
            note()
    return 0


def _remember_statistics() -> None:
    """Cache the statistics of cells by their counts: they take most of the time of a fork."""
    from sweep.results import aggregate

    compute, known = aggregate.summarize, {}

    def summarize(tally: Any, grid: Any) -> Any:
        key = pickle.dumps((grid.axes, grid.fixed, grid.n_seeds, tally))
        if key not in known:
            known[key] = compute(tally, grid)
        return known[key].copy()

    aggregate.summarize = summarize


def _serve(part_runs: int, study_files: list[str]) -> None:
    """Train the studies, then run the requests, line by line."""
    from sweep import load_study
    from tests.sweep.in_parts import run_in_parts
    from tests.sweep.support import command

    warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads: those of libraries
    _remember_statistics()
    for file in study_files:
        with tempfile.TemporaryDirectory() as folder:
            run_in_parts(load_study(file), Path(folder, "parts"), 1, part_runs=part_runs)
            for _ in range(2):
                assert command("run", file, "--out", f"{folder}/r", "--threads", "1").code == 0
    gc.freeze()  # objects so far stay in memory that forks share
    for line in sys.stdin:
        children = [_Child(Request.decode(each)) for each in json.loads(line)]
        while sum(child.look() for child in children) < len(children):
            time.sleep(0.0005)
        print(json.dumps([child.ended() for child in children]), flush=True)


if __name__ == "__main__":
    _serve(int(sys.argv[1]), sys.argv[2:])

"""Compilation of kernels: none starts after an interrupt or the time limit, and progress shows it."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import threading
from pathlib import Path
from threading import Event

import pytest

import sweep
from kernels.numba import jit
from sweep.schedule.plan import Plan
from sweep.system.signals import Interrupts
from sweep.training.executors import remote
from sweep.training.executors.threads import work_in_threads
from sweep.training.limits import Budget, Limits, OutOfTime
from tests.kernels.support import compiled_only
from tests.sweep.support import command, make_study, write_study
from tests.waiting import LONG

# Three kernels of little work.
OPTIONS = {"hidden": 2, "learning_rate": 0.1, "activation": "identity", "optimizer": ["gd", "momentum", "nesterov"]}
STUDY = make_study(count=2, max_steps=20, **OPTIONS)

ROOT = Path(sweep.__path__[0]).parent


def kernels_on_disk(cache: Path) -> list[str]:
    """Return the names of the kernels in a cache."""
    return [path.name.partition("-")[0] for path in cache.glob("xor-sweep/*/*.bin")]


@pytest.mark.wide
@compiled_only
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)])
def test_interrupt_while_a_kernel_is_compiled(tmp_path: Path, number: signal.Signals) -> None:
    """The current kernel is finished and kept, no thread starts another one, and progress shows the wait."""
    study = write_study(tmp_path / "small.toml", STUDY)
    options = [sys.executable, "-m", "sweep", "run", study, "--out", tmp_path / "r", "--threads", "3"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    lines = []
    with subprocess.Popen(options, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as run:
        for line in run.stderr or ():
            lines.append(line)
            if "compiling kernel 1 of 3" in line:
                run.send_signal(number)
    assert run.returncode == 130
    # The first line is printed again every ten seconds.
    first, *others = dict.fromkeys(line.rpartition("  ")[2].strip() for line in lines if "compil" in line)
    assert first == "compiling kernel 1 of 3"
    assert set(others) <= {"stopping once the current kernel is compiled"}  # unless it is finished at once
    assert kernels_on_disk(tmp_path) == ["train"]


@pytest.mark.soak
@compiled_only
def test_time_budget_counts_compiling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time limit, only the first compilation of a call starts, so that each call makes progress."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    study = make_study(count=2, loss="half_squared", **OPTIONS)
    file, out = write_study(tmp_path / "small.toml", study), tmp_path / "r"
    options = [sys.executable, "-m", "sweep", "run", file, "--out", out, "--time-budget", "0.001", "--threads", "2"]
    for n_kernels in (1, 2):
        done = subprocess.run(options, cwd=ROOT, capture_output=True, text=True)
        assert (done.returncode, len(kernels_on_disk(tmp_path))) == (4, n_kernels), done.stderr
        assert done.stdout.startswith("nothing is trained yet: the time budget ended while kernels were compiled")
    assert subprocess.run(options, cwd=ROOT, capture_output=True).returncode == 0
    assert sorted(kernels_on_disk(tmp_path)) == ["train", "train", "train"]


def test_first_kernel_of_a_call() -> None:
    """It may start at any time, unless a part is already finished; others only within the time limit."""
    plan = Plan(STUDY)
    for limits in (Limits(), Limits(seconds=LONG)):
        budget = Budget(limits, plan)
        budget.begin_kernel()
        budget.begin_kernel()
        assert not budget.is_over
    over = Budget(Limits(seconds=-1.0), plan)
    assert over.is_over
    over.begin_kernel()
    with pytest.raises(OutOfTime):
        over.begin_kernel()
    used = Budget(Limits(seconds=-1.0), plan)
    used.is_used = True
    with pytest.raises(OutOfTime):
        used.begin_kernel()


def test_an_item_that_runs_out_of_time_ends_all_threads() -> None:
    """Current items are finished, no more are started, and there is no error."""
    started: list[int] = []
    ending: list[threading.Thread] = []
    over = Event()

    def work(item: int) -> int:
        started.append(item)
        if item == 1:
            ending.append(threading.current_thread())
            over.set()
            raise OutOfTime
        assert over.wait(LONG)
        ending[0].join(LONG)
        return item

    made = list(work_in_threads(work, iter(range(1000)), 2, Interrupts(), lambda: None))
    assert made == [0]
    assert sorted(started) == [0, 1]


@compiled_only
def test_no_kernel_starts_after_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an error in one thread, the others compile nothing for their current items."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    started = Event()

    @jit.kernel("of a test: never compiled")
    def identity(x: int) -> int:
        return x

    def work(item: int) -> int:
        if item == 0:
            assert started.wait(LONG)
            raise ValueError("the first item fails")
        started.set()
        for thread in threading.enumerate():
            if thread.name.startswith("sweep-") and thread is not threading.current_thread():
                thread.join(LONG)
        return identity(item)

    with pytest.raises(ValueError, match="the first item fails"):
        list(work_in_threads(work, iter(range(2)), 2, Interrupts(), lambda: None))
    assert not identity.overloads  # type: ignore[attr-defined]


@pytest.mark.wide
@compiled_only
def test_seconds_of_kernels_are_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sweep plan` estimates the compilation from the most kernels and the last seconds per kernel."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    study = write_study(tmp_path / "small.toml", STUDY)
    assert re.search(r"kernels +at most 3 to compile.*, some seconds each\n", command("plan", study).out)
    options = [sys.executable, "-m", "sweep", "run", study, "--out", tmp_path / "r"]
    subprocess.run(options, cwd=ROOT, capture_output=True, check=True)
    assert len(kernels_on_disk(tmp_path)) == 3
    assert re.search(r"kernels +at most 3 to compile.*, in about \d+ s at this machine", command("plan", study).out)


def test_a_worker_of_a_cluster_without_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time limit of a call, a worker compiles no more, unless it has done no work yet."""
    monkeypatch.setattr(remote._thread, "stopped", lambda: False, raising=False)
    busy, fresh, other = (secrets.token_hex(8) for _ in range(3))
    remote._begin_kernel(busy)
    for session in (busy, fresh):
        remote.stop_compiling(session)
    with pytest.raises(remote._Stopped):
        remote._begin_kernel(busy)
    remote._begin_kernel(fresh)
    with pytest.raises(remote._Stopped):
        remote._begin_kernel(fresh)
    for _ in range(2):
        remote._begin_kernel(other)
    monkeypatch.setattr(remote._thread, "stopped", lambda: True)
    with pytest.raises(remote._Stopped):
        remote._begin_kernel(other)

"""Processes that compile for a run change none of its rows, end with it, and leave no damage."""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sweep
from kernels.numba.compiling import CompileWatch
from kernels.numba.machine_code import KernelKey
from sweep.training.compiling import compiler_pool
from sweep.training.compiling.compiler_pool import Compilers
from sweep.training.compiling.kernel_items import Item
from tests.kernels.support import compiled_only
from tests.sweep.caches import ROOT, kernels_in
from tests.sweep.support import make_study, write_study
from tests.waiting import LONG, until

# Three kernels.
STUDY = make_study(
    count=40, hidden=5, learning_rate=[0.05, 0.1], optimizer=["gd", "momentum", "nesterov"], max_steps=200
)
# This variable in their environment marks the processes of a test.
MARK = "TEST_OF_COMPILERS"


def processes(mark: str) -> dict[int, str]:
    """Return the commands of all processes with a mark, by process id."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().decode()
        except OSError:
            continue
    return found


def start(folder: Path, cache: Path, mark: str) -> subprocess.Popen[str]:
    """Start a process that trains the study into a folder."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), MARK: mark}
    file = write_study(folder / "s.toml", STUDY)
    options = [sys.executable, "-m", "sweep", "run", str(file), "--out", str(folder / "r"), "--threads", "2"]
    return subprocess.Popen(
        options, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture(scope="module")
def digest() -> str:
    """Return the digest of the study."""
    found: str = sweep.run(STUDY, threads=1).facts["digest"]
    return found


@pytest.mark.wide
@compiled_only
def test_no_process_is_left(tmp_path: Path, digest: str) -> None:
    """A run also compiles in another process, and at its end no process is left."""
    mark, beside = secrets.token_hex(8), set[str]()
    with start(tmp_path, tmp_path / "cache", mark) as run:
        while run.poll() is None:
            beside |= {command for command in processes(mark).values() if "compiler_process" in command}
            time.sleep(0.02)
        assert run.returncode == 0
        assert digest in run.communicate()[0]
    assert processes(mark) == {}
    assert len(beside) == 1
    assert len(kernels_in(tmp_path / "cache")) == 3


def kill_at_a_random_moment(folder: Path, digest: str, rng: random.Random) -> None:
    """Kill a run, or the process that compiles for it; then resume, and check the result."""
    mark, cache = secrets.token_hex(8), folder / "cache"
    folder.mkdir()
    with start(folder, cache, mark) as run:
        time.sleep(rng.uniform(0.3, 7.0))
        beside = [number for number, command in processes(mark).items() if "compiler_process" in command]
        victim = rng.choice([run.pid, *beside])
        if run.poll() is None:
            os.kill(victim, signal.SIGKILL)
        if victim == run.pid:
            until(lambda: not processes(mark))
        run.communicate()
    with start(folder, cache, mark) as run:
        out, err = run.communicate()
        assert run.returncode == 0, err
        assert digest in out
    until(lambda: not processes(mark))
    assert not [path for path in cache.rglob("*") if path.is_file() and path.suffix not in (".bin", ".part", ".json")]


@compiled_only
@pytest.mark.soak
def test_many_kills(tmp_path: Path, digest: str) -> None:
    """Whichever process is killed at any moment, no process is left, and the same command completes the study."""
    rng = random.Random(340)
    for number in range(50):
        kill_at_a_random_moment(tmp_path / str(number), digest, rng)


@pytest.mark.soak
@compiled_only
def test_a_cache_that_cannot_be_written(tmp_path: Path, digest: str) -> None:
    """Without a writable cache, a run compiles all kernels itself."""
    (tmp_path / "cache").write_text("a file where a folder should be")
    with start(tmp_path, tmp_path / "cache", secrets.token_hex(8)) as run:
        assert digest in run.communicate()[0]


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that replaces the program of processes; the program answers with ``say``."""
    head = "import json, os, sys, time\ndef say(what): answers.send_bytes(str(what).encode())\n"
    return lambda program: monkeypatch.setattr(compiler_pool, "_PROGRAM", "\n" + head + program)


ITEMS: dict[KernelKey, Item] = {("train", str(k)): Item("train", k, "normal", "mt19937") for k in range(4)}


def make_compilers(check: Any = lambda: None) -> tuple[Compilers, CompileWatch, list[Any]]:
    """Return one process for four kernels."""
    events: list[Any] = []
    watch = CompileWatch(events.append)
    watch.expect(ITEMS)
    return Compilers(STUDY, ITEMS, 1, watch, check), watch, events


def test_a_process_compiles_all_kernels(beside: Callable[[str], None]) -> None:
    """A process compiles one kernel after the other, and its seconds are counted."""
    beside("input(); say('ready')\nfor _ in sys.stdin: say(2.5)")
    together, watch, events = make_compilers()
    counts: list[int] = []
    with together:
        assert together.wait(counts.append)
        with together.claim(("train", "2")):
            pass
    assert counts[-1] == 4
    assert watch.seconds == [2.5] * 4
    assert events[-1] is None
    assert all(not compilation.here for compilation in events if compilation)


@pytest.mark.parametrize(
    "program",
    [
        "",
        "input(); say('ready')",
        "input(); say('ready'); input()",
        "input(); say('ready'); input(); say('wrong'); input()",
        "time.sleep(600)",
        "input(); say('ready'); input(); os.kill(os.getpid(), 19)",
    ],
    ids=["ends at once", "ends when ready", "ends at work", "answers nonsense", "hangs", "is stopped"],
)
def test_kernels_of_failed_processes_are_compiled_here(
    beside: Callable[[str], None], program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a process ends early, or answers nonsense or nothing, threads of the run compile its kernels."""
    monkeypatch.setattr(compiler_pool, "_LONGEST_SECONDS", 2.0)
    beside(program)
    together, watch, _ = make_compilers()
    with together:
        assert not together.wait(lambda n_done: None)
        for key in ITEMS:
            with together.claim(key):
                pass
        assert together.wait(lambda n_done: None)
    assert watch.seconds == []


def test_a_thread_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process is ended, and all kernels are compiled here."""

    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    mark = secrets.token_hex(8)
    monkeypatch.setenv(MARK, mark)
    monkeypatch.setattr(threading.Thread, "start", fail)
    together, watch, _ = make_compilers()
    with together, together.claim(("train", "0")):
        assert processes(mark) == {}
        assert watch.n_processes == 1


def test_the_kernel_that_is_waited_for_comes_first(beside: Callable[[str], None], tmp_path: Path) -> None:
    """A kernel that a thread waits for is compiled before all others."""
    go = tmp_path / "go"
    beside(
        f"input()\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
        "say('ready')\nfor line in sys.stdin: say(json.loads(line)[1])"
    )
    waits = []

    def check() -> None:
        if together._awaited["train", "1"] and not go.exists():
            go.touch()
            waits.append(time.monotonic())

    together, watch, _ = make_compilers(check)
    with together, together.claim(("train", "0")), together.claim(("train", "1")):  # as in another thread
        assert watch.seconds[0] == 1
    assert waits


def test_the_kernel_that_is_needed_last_comes_next(beside: Callable[[str], None]) -> None:
    """Processes take the last kernels first, since threads take the first ones."""
    beside("input(); say('ready')\nfor line in sys.stdin: say(json.loads(line)[1])")
    together, watch, _ = make_compilers()
    with together:
        assert together.wait(lambda n_done: None)
    assert watch.seconds == [3, 2, 1, 0]


def test_a_wait_ends_with_the_call(beside: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A waiting thread checks whether the call is to end, and then no process gets another kernel."""
    monkeypatch.setattr(compiler_pool, "_LONGEST_SECONDS", 2 * LONG)
    beside("input(); say('ready'); input(); time.sleep(1e6)")
    ends: list[bool] = []

    def check() -> None:
        if ends:
            raise KeyboardInterrupt

    together, _, events = make_compilers(check)
    begin = time.monotonic()
    with together:
        until(lambda: events)
        ends.append(True)
        with pytest.raises(KeyboardInterrupt), together.claim(("train", "3")):
            pass
    assert time.monotonic() - begin < LONG

"""Ctrl-C and errors while threads train: the first one ends the run cleanly, the second one at once."""

from __future__ import annotations

import ctypes
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

import sweep
from kernels.loop.run_arrays import Columns
from sweep import SweepError
from sweep.schedule.waves import Part
from sweep.store.store import Store
from sweep.system.signals import Interrupts
from sweep.training.executors.threads import work_in_threads
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.part_result import PartResult
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import make_study
from tests.waiting import LONG, until

STUDY = make_study(count=10)
PART_RUNS = 4


def threads_of_runs() -> list[threading.Thread]:
    """Return the threads that train, or have just ended their work."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("sweep-")]


def interrupt_main_thread() -> None:
    """Send an interrupt from another thread, and wait until the main thread has counted it."""
    interrupts = signal.getsignal(signal.SIGINT).__self__  # type: ignore[union-attr]
    before = interrupts.count
    os.kill(os.getpid(), signal.SIGINT)
    until(lambda: interrupts.count > before)


@pytest.fixture(autouse=True)
def default_handler() -> Iterator[None]:
    """Handle Ctrl-C as Python does by default, however the tests were started."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_first_interrupt_keeps_current_parts(tmp_path: Path) -> None:
    """Parts in training are committed after the signal, and no other part is started."""
    train, trained = PartTrainer.train, []

    def watched(worker: PartTrainer, part: Part) -> PartResult:
        trained.append(part.index)
        if len(trained) == 3:
            interrupt_main_thread()
        return train(worker, part)

    with mock.patch.object(PartTrainer, "train", watched), pytest.raises(KeyboardInterrupt):
        run_in_parts(STUDY, out=tmp_path / "r", threads=1, part_runs=PART_RUNS)
    assert len(trained) == 3
    assert list(Store.open(tmp_path / "r").commits()) == sorted(trained)
    expected = sweep.run(STUDY).facts["digest"]
    assert run_in_parts(STUDY, out=tmp_path / "r", part_runs=PART_RUNS).facts["digest"] == expected


def test_first_interrupt_ends_one_very_long_network(tmp_path: Path) -> None:
    """A network of two billion steps does not delay Ctrl-C, and leaves nothing behind."""
    study = make_study(count=1, hidden=2, learning_rate=1e-6, max_steps=2**31 - 1, criterion="none")
    train = PartTrainer.train

    def interrupted(worker: PartTrainer, part: Part) -> PartResult:
        os.kill(os.getpid(), signal.SIGINT)
        return train(worker, part)

    with mock.patch.object(PartTrainer, "train", interrupted), pytest.raises(KeyboardInterrupt):
        sweep.run(study, out=tmp_path / "r")
    until(lambda: not threads_of_runs())
    assert list((tmp_path / "r" / "parts").iterdir()) == []


@pytest.mark.parametrize(("seconds", "n_pieces"), [(-1.0, 1), (math.inf, 3)])
def test_first_interrupt_ends_a_long_part_between_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, n_pieces: int
) -> None:
    """A part with several shapes ends between two of them once it has taken long; otherwise it is finished."""
    monkeypatch.setattr("sweep.training.networks.part_trainer._LONG_SECONDS", seconds)
    study = make_study(count=1, hidden=[1, 2, 3], learning_rate=0.5)
    sweep.run(study)  # no kernel is compiled after an interrupt
    train, trained = PartTrainer._train_piece, []

    def interrupted(worker: PartTrainer, piece: Part) -> tuple[Columns, int]:
        if not trained:
            interrupt_main_thread()
        trained.append(piece)
        return train(worker, piece)

    with mock.patch.object(PartTrainer, "_train_piece", interrupted), pytest.raises(KeyboardInterrupt):
        sweep.run(study, out=tmp_path / "r", threads=1)
    assert len(trained) == n_pieces
    assert len(Store.open(tmp_path / "r").commits()) == n_pieces // 3


def test_second_interrupt_does_not_wait(tmp_path: Path) -> None:
    """A second Ctrl-C ends a run whose threads do not end; they write nothing afterward."""
    release, left = threading.Event(), threading.Event()
    train = PartTrainer.train

    def stuck(worker: PartTrainer, part: Part) -> PartResult:
        for _ in range(2):
            interrupt_main_thread()
        assert release.wait(LONG)
        try:
            return train(worker, part)
        finally:
            left.set()

    with mock.patch.object(PartTrainer, "train", stuck), pytest.raises(KeyboardInterrupt):
        run_in_parts(STUDY, out=tmp_path / "r", threads=1, part_runs=PART_RUNS)
    assert not left.is_set()
    release.set()
    until(lambda: not threads_of_runs())
    assert left.is_set()
    assert Store.open(tmp_path / "r").commits() == {}
    assert list((tmp_path / "r" / "parts").iterdir()) == []


def test_interrupt_while_parts_are_read(tmp_path: Path) -> None:
    """An interrupt at the end, while parts are read, also counts."""
    with pytest.raises(KeyboardInterrupt), mock.patch.object(Store, "write_cells", side_effect=KeyboardInterrupt):
        run_in_parts(STUDY, out=tmp_path / "r", part_runs=PART_RUNS)
    table = Store.table

    def interrupted(store: Store, *given: object) -> object:
        os.kill(os.getpid(), signal.SIGINT)
        return table(store, *given)  # type: ignore[arg-type]

    with mock.patch.object(Store, "table", interrupted), pytest.raises(KeyboardInterrupt):
        run_in_parts(STUDY, out=tmp_path / "r", part_runs=PART_RUNS)


def test_interrupt_that_a_callback_swallows(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt in a callback of the compiler is counted without a message; errors are reported."""
    messages: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda swallowed: messages.append(str(swallowed.exc_value)))

    @ctypes.CFUNCTYPE(None)
    def interrupted() -> None:
        signal.raise_signal(signal.SIGINT)

    @ctypes.CFUNCTYPE(None)
    def failing() -> None:
        raise ValueError("of a callback")

    with Interrupts() as interrupts:
        for callback in (interrupted, interrupted, failing):
            callback()
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
    assert interrupts.count == 2
    interrupted()
    assert messages[0] == "of a callback"
    assert len(messages) == 2


def test_handlers_of_others_are_left_alone() -> None:
    """Existing handlers of Ctrl-C are kept, and outside the main thread none is set."""
    seen: list[int] = []
    for handler in (lambda number, frame: seen.append(number), signal.SIG_IGN):
        signal.signal(signal.SIGINT, handler)
        with Interrupts() as interrupts:
            assert signal.getsignal(signal.SIGINT) is handler
            signal.raise_signal(signal.SIGINT)
            interrupts.check()
        signal.signal(signal.SIGINT, signal.default_int_handler)
    assert seen == [signal.SIGINT]
    handlers = []

    def in_thread() -> None:
        with Interrupts():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=in_thread)
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler]


def test_threads_that_do_not_start() -> None:
    """If the system cannot start all threads, those that run end, and the error says how many there were."""
    start, started = threading.Thread.start, []

    def few(thread: threading.Thread) -> None:
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    with (
        mock.patch.object(threading.Thread, "start", few),
        pytest.raises(SweepError, match=r"threads: must be at most 2 .*, got 64"),
    ):
        list(work_in_threads(lambda _: time.sleep(0.01), iter(range(1000)), 64, Interrupts(), lambda: None))
    until(lambda: not any(thread.is_alive() for thread in started))


def test_error_in_one_thread_ends_all() -> None:
    """The first error is raised once the other threads have finished their items."""
    done: list[int] = []
    fails = threading.Event()

    def work(item: int) -> None:
        if item == 5:
            failing.append(threading.current_thread())
            fails.set()
            raise ZeroDivisionError("item 5")
        if item > 5:
            assert fails.wait(LONG)
            failing[0].join(LONG)
        done.append(item)

    failing: list[threading.Thread] = []
    with pytest.raises(ZeroDivisionError, match="item 5"):
        list(work_in_threads(work, iter(range(1000)), 3, Interrupts(), lambda: None))
    assert set(range(5)) <= set(done) <= {*range(5), 6, 7}
    until(lambda: not threads_of_runs())


def test_threads_import_nothing(tmp_path: Path) -> None:
    """All modules are imported before the first thread starts, which might wait for an interrupted import."""
    code = """
import sys
import sweep
from sweep.training.executors import threads
from tests.sweep.in_parts import run_in_parts

work_in_threads = threads.work_in_threads

def watched(*given):
    before = set(sys.modules)
    yield from work_in_threads(*given)
    print(*sorted(set(sys.modules) - before))

threads.work_in_threads = watched
study = sweep.load_study("xor", {"seeds.count": 3, "hidden": 2, "max_steps": 60})
for keep in ("runs", "cells"):
    for out in (None, sys.argv[1] + keep):
        run_in_parts(study, out=out, keep=keep, part_runs=10)
"""
    options = [sys.executable, "-c", code, str(tmp_path / "r")]
    finished = subprocess.run(options, capture_output=True, text=True, check=True, cwd=Path(sweep.__path__[0]).parent)
    assert finished.stdout.split() == []

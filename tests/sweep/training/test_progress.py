"""Progress: a percentage, speed and remaining time from training alone, and the current wait."""

from __future__ import annotations

import io
import re
import sys
import threading
import time
from types import SimpleNamespace
from typing import ClassVar
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core import event

import sweep
from kernels.effort import Effort
from kernels.numba.compiling import Compilation
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from sweep.store.run_facts import _seconds_within
from sweep.system.progress import Pace, SweepProgress, print_finished
from sweep.training.compiling.kernel_items import uncompiled
from sweep.training.networks import part_trainer
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.part_result import PartResult
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import make_study


class Clock:
    """A clock that the test advances."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the clock."""
    return Clock(monkeypatch)


def hidden_progress(n_runs: int = 100, cost: float = 100.0, threads: int = 1) -> SweepProgress:
    """Return progress that is not shown."""
    return SweepProgress(n_runs, cost, threads, shown=False)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 50), st.floats(0.1, 1e9)), min_size=1, max_size=30))
def test_percentage_is_that_of_the_count(parts: list[tuple[bool, int, float]]) -> None:
    """The percentage is that of the runs, whatever the costs of parts, and 100 only at the end."""
    n_runs = sum(n for _, n, _ in parts) + 1
    progress = hidden_progress(n_runs, sum(cost for *_, cost in parts) + 1.0)
    done = 0
    for before, n, cost in parts:
        if before:
            progress.skip(n, cost)
        else:
            progress.advance(n, cost, 1000, 0.1)
        done += n
        percent, count = re.match(r" *(\d+) %  ([\d,]+) of ", progress.text()).groups()  # type: ignore[union-attr]
        assert int(count.replace(",", "")) == done
        assert int(percent) == 100 * done // n_runs < 100
    progress.advance(1, 1.0, 1000, 0.1)
    assert progress.text().startswith("100 %")


def test_compiling_counts_neither_in_speed_nor_in_estimate(clock: Clock) -> None:
    """Speed and remaining time do not depend on the seconds of compilation."""
    progress = hidden_progress()
    assert progress.text() == "  0 %  0 of 100 runs"
    progress.compiling(Compilation(1, 2))
    clock.now += 300
    assert progress.text() == "  0 %  0 of 100 runs  compiling kernel 1 of 2"
    progress.compiling(None)
    progress.advance(10, 10.0, 50_000_000, 1.0)
    assert progress.text() == " 10 %  10 of 100 runs  50 M steps/s  about 9 s left"
    progress.compiling(Compilation(2, 2))
    assert progress.text().endswith("compiling kernel 2 of 2")
    clock.now += 300
    progress.compiling(None)
    assert progress.text() == " 10 %  10 of 100 runs  50 M steps/s  about 9 s left"


def test_estimate_is_of_the_last_seconds(clock: Clock) -> None:
    """The estimate uses the last seconds, without old parts and without those of earlier calls."""
    progress = hidden_progress(1000, 1000.0, threads=2)
    progress.skip(500, 500.0)
    assert progress.text() == " 50 %  500 of 1,000 runs  resuming"
    merged = hidden_progress(10, 10.0, threads=2)
    merged.skip(10, 10.0)
    assert merged.text() == "100 %  10 of 10 runs"
    for _ in range(4):
        progress.advance(10, 10.0, 1_000_000, 10.0)  # both threads: 2 a second
    assert progress.text().endswith("0.2 M steps/s  about 3 min 50 s left")
    for _ in range(4):
        clock.now += 6
        progress.advance(10, 10.0, 1_000_000, 1.0)
    assert progress.text().endswith("2 M steps/s  about 21 s left")


def test_elsewhere(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """A file, though asked for colors, gets a line at the start, for each compilation, and every ten seconds."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    with SweepProgress(40, 4.0, 1, shown=True) as progress:
        progress.tick()
        clock.now += 1
        progress.compiling(Compilation(1, 1))
        clock.now += 5
        progress.compiling(None)
        progress.advance(10, 1.0, 40_000_000, 20.0)
        clock.now += 9
        progress.tick()
        clock.now += 9
        progress.tick()
        progress.tick()
        clock.now += 11
        progress.advance(10, 1.0, 40_000_000, 20.0)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "  0 %  0 of 40 runs",
        "  0 %  0 of 40 runs  compiling kernel 1 of 1",
        " 25 %  10 of 40 runs  2 M steps/s  about 1 min 00 s left",
        " 50 %  20 of 40 runs  2 M steps/s  about 40 s left",
    ]


def test_long_work_alone_by_default(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """Unless it is requested, progress appears after a second on a terminal, and elsewhere after ten."""
    for terminal, delay in (("xterm", 1), ("dumb", 10)):
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        monkeypatch.setenv("TERM", terminal)
        with SweepProgress(40, 4.0, 1, shown=None) as progress:
            progress.tick()
            clock.now += delay - 0.1
            progress.compiling(Compilation(1, 1))
            assert capsys.readouterr() == ("", "")
            clock.now += 0.1
            progress.advance(10, 1.0, 40_000_000, 20.0)
        assert "25 %  10 of 40 runs  compiling kernel 1 of 1" in capsys.readouterr().err
        progress.tick()
        assert capsys.readouterr() == ("", "")


class Cell:
    """The output of a notebook's cell, as the handle of IPython shows it."""

    lines: ClassVar[list[str]] = []

    def display(self, bundle: dict[str, str], raw: bool) -> None:
        """Add a line."""
        assert raw
        self.lines.append(bundle["text/plain"])

    def update(self, bundle: dict[str, str], raw: bool) -> None:
        """Replace the last line."""
        assert raw
        self.lines[-1] = bundle["text/plain"]


def test_in_a_notebook(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """A notebook has one line that changes, after a second, and is empty at the end; IPython on a terminal has none."""
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setattr(Cell, "lines", [])
    shell = SimpleNamespace(kernel=None)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(DisplayHandle=Cell))
    with SweepProgress(40, 4.0, 1, shown=None) as progress:
        progress.tick()
        assert Cell.lines == []
        for seconds, shown in ((1.0, 10), (0.15, 10), (0.15, 30)):
            clock.now += seconds
            progress.advance(10, 1.0, 40_000_000, 20.0)
            assert len(Cell.lines) == 1
            assert f"{shown} of 40 runs" in Cell.lines[0]
    assert Cell.lines == [""]
    del shell.kernel
    clock.now += 100
    with SweepProgress(40, 4.0, 1, shown=True) as progress:
        progress.tick()
    assert Cell.lines == [""]
    assert capsys.readouterr().err == "  0 %  0 of 40 runs\n"


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [
        ([(10, 12)], 2),
        ([(10, 12), (12, 13)], 3),
        ([(10, 12), (20, 23)], 5),  # a kernel was compiled between
        ([(10, 14), (11, 12), (13, 15)], 5),
        ([(13, 15), (10, 14), (11, 12)], 5),
        ([], 0),
    ],
)
def test_seconds_in_which_a_thread_trained(spans: list[tuple[float, float]], seconds: float) -> None:
    """Overlapping spans count once, and gaps do not count."""
    assert _seconds_within(spans) == seconds


def test_kernel_seconds_exclude_compiling() -> None:
    """Seconds that threads wait for the compiler do not count as training."""
    train, waited = PartTrainer.train, 0.3

    def slow(worker: PartTrainer, part: Part) -> PartResult:
        event.start_event("numba:compiler_lock")
        time.sleep(waited)
        event.end_event("numba:compiler_lock")
        return train(worker, part)

    start = time.time()
    with mock.patch.object(PartTrainer, "train", slow):
        result = run_in_parts(make_study(count=4, hidden=2, learning_rate=0.1), threads=1, part_runs=2)
    assert 0 < result.facts["kernel_seconds"] <= time.time() - start - 2 * waited


def test_kernels_to_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernels of missing parts are known in advance, and all are compiled after training."""
    trained = Plan(make_study(count=4))
    sweep.run(trained.study)
    assert uncompiled(PartTrainer(trained), range(trained.n_shapes), settles=False) == {}
    for module in ("train", "start.numbers"):
        monkeypatch.setattr(f"kernels.{module}.is_compiled", lambda *_: False)
    for name, value in (("study_effort", Effort.MOST), ("draws_by_numpy", False)):
        monkeypatch.setattr(part_trainer, name, lambda *_, value=value: value)
    worker = PartTrainer(Plan(make_study(hidden=[2, 3, 4], learning_rate=0.1, activation=["relu", "identity"])))
    found = uncompiled(worker, range(worker.plan.n_shapes), settles=False)
    assert len(found) == 5  # two units and any number, of two activations; and drawing
    assert [item.task for item in found.values()] == ["train", "draw", "train", "train", "train"]
    relu = [shape for shape in range(6) if worker.plan.grid.cell(worker.plan.first_cell(shape))["activation"] == "relu"]
    assert len(uncompiled(worker, relu, settles=False)) == 3
    assert len(uncompiled(worker, relu, settles=True)) == 4  # which is one for all numbers of units
    from_numpy = PartTrainer(Plan(make_study(count=4, hidden=2, generator="pcg64")))
    assert len(uncompiled(from_numpy, [0], settles=False)) == 1


def test_time_until_all_is_compiled(clock: Clock) -> None:
    """Progress estimates the seconds of all kernels, also of those compiled by other processes."""
    progress = hidden_progress()
    progress.compiling(Compilation(1, 9, 21.2))
    assert progress.text().endswith("compiling kernel 1 of 9, about 22 s for all")
    progress.compiling(Compilation(2, 9, 11.0, here=False))
    progress.stopping()
    assert progress.text().endswith("compiling kernel 2 of 9, about 11 s for all")
    progress.compiling(Compilation(3, 9, 11.0, at_most=True))
    assert progress.text().endswith("compiling kernel 3 of at most 9, at least about 11 s")
    progress.compiling(Compilation(3, 9, None, here=True))
    progress.stopping()
    assert progress.text().endswith("stopping once the current kernel is compiled")


def test_a_stop_is_printed_once(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    """Without a terminal, compilations by other processes do not repeat the line."""
    progress = SweepProgress(10, 1.0, 2, shown=True)
    for number in (1, 2):
        progress.compiling(Compilation(number, 3))
        progress.stopping()
        progress.tick()
    lines = capsys.readouterr().err.splitlines()
    assert [line.rpartition("  ")[2] for line in lines] == [
        "compiling kernel 1 of 3",
        "stopping once the current kernel is compiled",
    ]


def test_a_closed_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training continues if standard error is closed."""

    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", Gone())
    progress = SweepProgress(10, 10.0, 1, shown=True)
    with progress:
        progress.advance(5, 5.0, 100, 0.1)
        progress.show("reading trained parts")
    print_finished({"name": "xor", "n_runs": 10}, "r")


def test_pace_is_read_while_threads_add_to_it() -> None:
    """A thread that reads the pace while others add parts sees a consistent state."""
    pace, stop, errors = Pace(2), threading.Event(), []

    def read() -> None:
        try:
            while not stop.is_set():
                assert pace.steps_per_second >= 0
        except BaseException as error:
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        pace.add(1.0, 1, 0.1)
        threads = [threading.Thread(target=read) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(2000):
            pace.add(1.0, 1, 0.1)
        stop.set()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert errors == []

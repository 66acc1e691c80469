"""Faults while a study records everything, so that its folder is complete only after a second pass."""

from __future__ import annotations

import errno
import random
import signal

import pytest

from tests.sweep.fault_lab import N_PARTS, PART_RUNS, Lab, assert_told, numbered, thorough
from tests.sweep.fault_runs import Request
from tests.sweep.faults import SPACE, Fault
from tests.sweep.store import test_crashes, test_io_errors, test_kills
from tests.sweep.store.test_io_errors import FAULTS


@pytest.mark.wide
@thorough(11, "half", [False], [False, True])
def test_crash_at_any_call(recording_lab: Lab, half: bool, stride: int) -> None:
    """A folder with all rows but without intact curves is not complete."""
    test_crashes.test_crash_at_any_call(recording_lab, half, stride)


@thorough(67, "name", ["full_for_ever"], FAULTS)
def test_error_of_any_call(recording_lab: Lab, name: str, stride: int) -> None:
    """Errors of the disk are reported, whichever file is being written."""
    test_io_errors.test_error_of_any_call(recording_lab, name, stride)


@pytest.mark.parametrize("kills", [2, pytest.param(60, marks=pytest.mark.soak)])
def test_kills_while_curves_are_recorded(recording_lab: Lab, kills: int) -> None:
    """After a kill behind the last row, all rows are kept, and the next process repeats the pass."""
    choice, root, n_killed = random.Random(5), recording_lab.root(), 0
    recording_lab.crash(root, Fault(("create",), number=2 * N_PARTS + 3))  # the first draft after the last commit
    assert recording_lab.readable(root / "r") == recording_lab.truth.study.n_runs
    while n_killed < kills:
        ended = recording_lab.run(root, fault=None, kill_after=choice.uniform(0.0, 0.1))
        assert recording_lab.readable(root / "r") == recording_lab.truth.study.n_runs
        n_killed += ended.code == -signal.SIGKILL
        if ended.code == 0:
            recording_lab.truth.check_finished(root / "r")
            root = recording_lab.root()
            recording_lab.crash(root, Fault(("create",), number=2 * N_PARTS + 3))
    recording_lab.complete(root)


@pytest.mark.parametrize("times", [1, pytest.param(30, marks=pytest.mark.soak)])
def test_processes_that_finish_at_once(recording_lab: Lab, times: int) -> None:
    """Eight processes record the curves of one folder, and print the same digest."""
    test_kills.test_eight_processes_share_a_folder(recording_lab, times)


@pytest.mark.soak
def test_figures_on_a_full_disk(recording_lab: Lab) -> None:
    """The figure is written completely or not at all, and a full disk is reported."""
    root = recording_lab.root()
    recording_lab.run(root)
    options = ("figure", str(root / "r"), "curves", "--out", str(root / "curves.png"))
    for each in numbered(Fault(SPACE, error=errno.ENOSPC), 1, 1):
        ended = recording_lab.zygote.run(Request(options, str(root), PART_RUNS, each))
        if len(ended.calls) < each.number:
            break
        if ended.calls[-1] != "close":
            assert_told(ended, f"'{root / 'curves.png'}' cannot be written: No space left on device")
        assert not list(root.glob(".*"))
    assert ended.code == 0, ended
    assert each.number > 5
    recording_lab.truth.check_finished(root / "r")

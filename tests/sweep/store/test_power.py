"""A loss of power at any moment: unsynced data may be lost, but no reader sees wrong data."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from tests.sweep.fault_disk import Loss, losses
from tests.sweep.fault_lab import OTHER, STUDY, Lab, assert_told, numbered, thorough
from tests.sweep.faults import LASTING, Fault

pytestmark = pytest.mark.slow

ALL = list(losses(6))


def chosen(number: int, stride: int) -> list[Loss]:
    """Return the losses to try after a call: all of them, or a different one for each call."""
    return ALL if stride == 1 else [ALL[5 * number % len(ALL)]]


def check_all(lab: Lab, root: Path, noted: str, losses: list[Loss], words: tuple[str, ...] = ()) -> list[int]:
    """Require that each loss leaves correct data, which the same command completes; return the runs kept."""
    found = []
    for loss, left in lab.without_power(root, noted, losses):
        try:
            found.append(lab.readable(left / "r"))
            lab.complete(left, words=words)
        except AssertionError as error:
            raise AssertionError(f"{loss} of {noted}") from error
    return found


@thorough(17)
@pytest.mark.parametrize("sync_seconds", [0.0, math.inf], ids=["always", "in_the_end"])
def test_loss_of_power_at_any_call(lab: Lab, sync_seconds: float, stride: int) -> None:
    """The remaining data is intact and can be completed; synced commits are kept."""
    n_cases, most = 0, 0
    for each in numbered(Fault(LASTING), 3 if stride > 1 else 1, stride):
        root = lab.root()
        crashed = lab.crash(root, each, **lab.on_disk(root), sync_seconds=sync_seconds)
        if crashed is None:
            break
        found = check_all(lab, root, crashed.disk, chosen(each.number, stride))
        n_cases, most = n_cases + len(found), max(most, *found)
        shutil.rmtree(root)
    assert most == STUDY.n_runs
    print(f"{n_cases} losses, calls up to {each.number - 1}")


def test_loss_of_power_after_the_end(lab: Lab) -> None:
    """A result lasts once a command has printed its digest."""
    root = lab.root()
    ended = lab.run(root, fault=Fault(LASTING), **lab.on_disk(root))
    assert ended.code == 0
    for _, left in lab.without_power(root, ended.disk, ALL):
        lab.truth.check_finished(left / "r")


@thorough(17, "first", [25], range(1, 60, 6))
def test_loss_of_power_while_resuming(lab: Lab, first: int, stride: int) -> None:
    """The next process does not rely on data that a killed one wrote and did not sync."""
    n_cases = 0
    for each in numbered(Fault(LASTING), 1 + first % stride, stride):
        root = lab.root()
        killed = lab.crash(root, Fault(LASTING, first), **lab.on_disk(root))
        if killed is None:
            assert first > 50
            return
        crashed = lab.crash(root, each, **lab.on_disk(root, killed.disk))
        if crashed is None:
            break
        n_cases += len(check_all(lab, root, crashed.disk, chosen(each.number, 5)))
    print(f"after call {first}: {n_cases} losses, calls up to {each.number - 1}")


@pytest.mark.parametrize("first", [2, 11, 40, *(pytest.param(k, marks=pytest.mark.soak) for k in range(1, 60))])
def test_loss_of_power_after_resuming(lab: Lab, first: int) -> None:
    """A result lasts once a command has completed the work of another."""
    root = lab.root()
    killed = lab.crash(root, Fault(LASTING, first), **lab.on_disk(root))
    if killed is None:
        assert first > 50
        return
    ended = lab.run(root, fault=Fault(LASTING), **lab.on_disk(root, killed.disk))
    assert ended.code == 0
    for _, left in lab.without_power(root, ended.disk, ALL):
        assert lab.readable(left / "r") == STUDY.n_runs


@pytest.mark.wide
@thorough(19)
def test_loss_of_power_while_overwriting(lab: Lab, stride: int) -> None:
    """Results of the old and the new study never mix."""
    n_cases = 0
    for each in numbered(Fault(LASTING), 4 if stride > 1 else 1, stride):
        root = lab.root()
        assert lab.run(root, name="other").code == 0
        crashed = lab.crash(root, each, **lab.on_disk(root), words=("--overwrite",))
        if crashed is None:
            break
        n_cases += len(check_all(lab, root, crashed.disk, chosen(each.number, stride), ("--overwrite",)))
        for _, left in lab.without_power(root, crashed.disk, [Loss("gone", "kept")]):
            ended = lab.run(left, name="other")  # the study that is being removed
            if ended.code == 0:
                lab.truths[OTHER.identity].check_finished(left / "r")
            else:
                assert_told(ended, str(left / "r"))
    print(f"{n_cases} losses, calls up to {each.number - 1}")

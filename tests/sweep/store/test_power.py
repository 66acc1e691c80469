"""A loss of power at any moment: what was not synced may be gone, and nothing false is left to be read."""

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
    """Return the losses to try after a call: all of them, or another one for each call."""
    return ALL if stride == 1 else [ALL[5 * number % len(ALL)]]


def check_all(lab: Lab, root: Path, noted: str, losses: list[Loss], words: tuple[str, ...] = ()) -> list[int]:
    """Require of what each loss leaves that it is true, and completed by the same command; return how much is read."""
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
    """Whatever lasts of a run is whole, and goes on to the right end; commits that were synced are there."""
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
    """What a command has told the digest of lasts."""
    root = lab.root()
    ended = lab.run(root, fault=Fault(LASTING), **lab.on_disk(root))
    assert ended.code == 0
    for _, left in lab.without_power(root, ended.disk, ALL):
        lab.truth.check_finished(left / "r")


@thorough(17, "first", [25], range(1, 60, 6))
def test_loss_of_power_while_going_on(lab: Lab, first: int, stride: int) -> None:
    """What a killed process wrote and did not sync is not taken for safe by the next one."""
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
def test_loss_of_power_after_going_on(lab: Lab, first: int) -> None:
    """The result of a command that completes what another has begun lasts too."""
    root = lab.root()
    killed = lab.crash(root, Fault(LASTING, first), **lab.on_disk(root))
    if killed is None:
        assert first > 50
        return
    ended = lab.run(root, fault=Fault(LASTING), **lab.on_disk(root, killed.disk))
    assert ended.code == 0
    for _, left in lab.without_power(root, ended.disk, ALL):
        assert lab.readable(left / "r") == STUDY.n_runs


@thorough(19)
def test_loss_of_power_while_overwriting(lab: Lab, stride: int) -> None:
    """Results of another study that are being removed are never mixed with those of the new one."""
    n_cases = 0
    for each in numbered(Fault(LASTING), 4 if stride > 1 else 1, stride):
        root = lab.root()
        assert lab.run(root, name="other").code == 0
        crashed = lab.crash(root, each, **lab.on_disk(root), options=("--overwrite",))
        if crashed is None:
            break
        n_cases += len(check_all(lab, root, crashed.disk, chosen(each.number, stride), ("--overwrite",)))
        for _, left in lab.without_power(root, crashed.disk, [Loss("gone", "kept")]):
            check_removed(lab, left)
    print(f"{n_cases} losses, calls up to {each.number - 1}")


def check_removed(lab: Lab, root: Path) -> None:
    """Require that who goes on with the study that is being removed is refused, or has all of it."""
    ended = lab.run(root, name="other")
    if ended.code == 0:
        lab.truths[OTHER.identity].check_finished(root / "r")
    else:
        assert_told(ended, str(root / "r"))

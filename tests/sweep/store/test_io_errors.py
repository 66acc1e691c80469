"""System calls that fail, one after another: one sentence, exit code 2, no wrong data and no leftovers."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.sweep.fault_lab import STUDY, Lab, assert_told, numbered, thorough
from tests.sweep.faults import EVERY, READING, RIGHTS, SPACE, Fault

pytestmark = pytest.mark.slow

FAULTS = {
    "full": Fault(SPACE, error=errno.ENOSPC),
    "full_for_ever": Fault(SPACE, error=errno.ENOSPC, for_ever=True),
    "disk": Fault(EVERY, error=errno.EIO),
    "disk_for_ever": Fault(EVERY, error=errno.EIO, for_ever=True),
    "reading_for_ever": Fault(READING, error=errno.EIO, for_ever=True),
    "rights": Fault(RIGHTS, error=errno.EACCES),
    "rights_for_ever": Fault(RIGHTS, error=errno.EACCES, for_ever=True),
}

# None of this is true if a disk fails, and such advice would make users remove good results.
FALSE = ("start over", "--overwrite", "not a results folder", "have lost", "is damaged", "another study")


def check_failed(lab: Lab, root: Path, fault: Fault) -> bool | None:
    """Run the study with a fault and check the outcome; return whether it failed, None if no call was hit."""
    ended = lab.run(root, fault=fault, answer=True)
    if len(ended.calls) < fault.number:
        assert ended.code == 0, ended
        return None
    assert "Traceback" not in ended.err, ended.err
    if ended.code == 0:
        assert not fault.for_ever or ended.calls[fault.number - 1] in ("close", "unlink", "stat"), ended
        assert f"digest {lab.truth.digest}" in ended.out.splitlines()
        return False
    assert fault.error is not None
    assert_told(ended, str(root))
    assert not any(options in ended.err for options in FALSE)
    return True


def left_over(folder: Path) -> list[str]:
    """Return the names of drafts, and of parts that no commit names."""
    committed = {path.stem for path in folder.glob("commits/*.json")}
    parts = [path for path in folder.glob("parts/*") if path.name.split("-")[0] not in committed]
    return [path.name for path in (*folder.rglob(".*"), *parts)]


@thorough(67, "name", FAULTS, FAULTS)
def test_error_of_any_call(lab: Lab, name: str, stride: int) -> None:
    """Each call fails, alone or with all that follow; a full disk leaves nothing that no commit names."""
    fault, failed = FAULTS[name], []
    first = 1 + list(FAULTS).index(name)
    for each in numbered(fault, first if stride > 1 else 1, stride):
        root = lab.root()
        found = check_failed(lab, root, each)
        if found is None:
            break
        failed.append(found)
        lab.readable(root / "r")
        if each.error == errno.ENOSPC:
            assert left_over(root / "r") == []
        lab.complete(root)
    assert sum(failed) > len(failed) / 2
    print(f"{len(failed)} errors, {sum(failed)} of which end the run, calls up to {each.number - 1}")


@thorough(83, "name", ["disk", "rights_for_ever"], FAULTS)
def test_error_of_any_call_while_resuming(lab: Lab, name: str, stride: int) -> None:
    """The same where a killed process has left a commit, a part without one, and a draft."""
    fault, failed = FAULTS[name], []
    first = 1 + list(FAULTS).index(name)
    for each in numbered(fault, first if stride > 1 else 1, stride):
        root = lab.root()
        assert lab.crash(root, Fault(("write",), 6, half=True))
        found = check_failed(lab, root, each)
        if found is None:
            break
        failed.append(found)
        assert lab.readable(root / "r") in range(4, STUDY.n_runs + 1)
        lab.complete(root)
    print(f"{len(failed)} errors, {sum(failed)} of which end the run, calls up to {each.number - 1}")


@thorough(31, "name", ["disk"], ["disk", "disk_for_ever", "rights", "rights_for_ever"])
def test_error_of_any_call_for_a_finished_result(lab: Lab, name: str, stride: int) -> None:
    """A finished result is read or an error is reported; it is never trained again or changed."""
    root = lab.root()
    assert lab.run(root).code == 0
    for each in numbered(FAULTS[name], 1, stride):
        if check_failed(lab, root, each) is None:
            break
        lab.truth.check_finished(root / "r")
    print(f"calls up to {each.number - 1}")


@pytest.mark.wide
def test_disk_that_does_not_list_files(lab: Lab) -> None:
    """A file that cannot be looked up does not count as missing."""
    failed = []
    for each in numbered(Fault(("stat",), error=errno.EIO), 1, 1):
        root = lab.root()
        assert lab.crash(root, Fault(("write",), 6, half=True))
        found = check_failed(lab, root, each)
        if found is None:
            break
        failed.append(found)
    assert sum(failed) > 5


def test_reason_of_the_system(lab: Lab) -> None:
    """The sentence contains the system's own message."""
    for name in ("full_for_ever", "disk_for_ever", "rights_for_ever"):
        root, fault = lab.root(), FAULTS[name]
        ended = lab.run(root, fault=Fault(("create",), 5, fault.error, for_ever=True))
        assert_told(ended, str(root / "r" / "parts"), "cannot be written", os.strerror(fault.error or 0))

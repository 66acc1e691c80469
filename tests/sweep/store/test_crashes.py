"""Processes that end at any moment: no reader sees wrong data, and the same command completes the result."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.sweep.fault_lab import N_PARTS, PART_RUNS, STUDY, Lab, numbered, thorough
from tests.sweep.faults import CHANGES, Fault

pytestmark = pytest.mark.slow

# Files that are created under their names beside commits: run.json and study.toml.
HEAD = 2


def test_every_call_is_seen(lab: Lab) -> None:
    """All changes that a run makes to its folder go through the system calls that the tests interrupt."""
    root = lab.root()
    ended = lab.run(root, fault=Fault(), answer=True)
    counts = Counter(ended.calls)
    assert counts["link"] == N_PARTS + HEAD
    assert counts["create"] == counts["write"] == 2 * N_PARTS + 4  # and study.toml, run.json twice, the cells
    assert counts["fsync"] > counts["write"]
    assert counts.keys() == {*CHANGES, "fsync", "close", "open", "read", "list", "stat", "lock"}
    lab.truth.check_finished(root / "r")


@thorough(7)
@pytest.mark.parametrize("half", [False, True], ids=["before", "half"])
def test_crash_at_any_call(lab: Lab, half: bool, stride: int) -> None:
    """The process ends before each change of the folder, or when half of a file is written."""
    fault = Fault(("write",) if half else CHANGES, half=half)
    seen = []
    for each in numbered(fault, 1, 3 if half and stride > 1 else stride):
        root = lab.root()
        crashed = lab.crash(root, each)
        if crashed is None:
            break
        linked = crashed.calls[:-1].count("link")
        readable = lab.readable(root / "r")
        assert half or readable == max(linked - HEAD, 0) * PART_RUNS
        seen.append(readable)
        again = lab.complete(root, fault=Fault(("link",)))
        assert 0 <= len(again.calls) - (N_PARTS - readable // PART_RUNS) <= HEAD
    assert sorted(seen) == seen
    assert seen[0] == 0
    assert seen[-1] == STUDY.n_runs
    print(f"{len(seen)} crashes, calls up to {each.number - 1}")


@thorough(5, "first", [20], range(1, 40, 3))
def test_crash_while_resuming(lab: Lab, first: int, stride: int) -> None:
    """A run that resumes a crashed one may crash as well, at any call."""
    seen = []
    for each in numbered(Fault(CHANGES), 2 if stride > 1 else 1, stride):
        root = lab.root()
        before = lab.crash(root, Fault(CHANGES, first))
        if before is None:
            assert first > 35
            return
        crashed = lab.crash(root, each)
        if crashed is None:
            break
        readable = lab.readable(root / "r")
        linked = before.calls[:-1].count("link") + crashed.calls[:-1].count("link")
        assert readable == max(linked - HEAD, 0) * PART_RUNS
        seen.append(readable)
        lab.complete(root)
    assert sorted(seen) == seen
    print(f"after call {first}: {len(seen)} crashes, calls up to {each.number - 1}")

"""Full disks and limits of file sizes: one sentence, exit code 2, and a result that can be completed afterward."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sweep.fault_lab import STUDY, Lab, assert_told, thorough

pytestmark = pytest.mark.slow

PAGE = os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("most_bytes", [0, 1500, *(pytest.param(n, marks=pytest.mark.soak) for n in (1, 500, 5000))])
def test_file_that_may_not_grow(lab: Lab, most_bytes: int) -> None:
    """A limit of file sizes, such as a quota, is reported in one sentence, and no incomplete file stays."""
    root = lab.root()
    ended = lab.run(root, fault=None, most_bytes=most_bytes)
    assert_told(ended, str(root / "r"), "cannot be written", "File too large")
    assert not list((root / "r" / "parts").iterdir())
    assert not list(root.rglob(".*"))
    lab.complete(root)


@pytest.fixture
def mount(lab: Lab) -> Iterator[Callable[[str], Path]]:
    """Return what mounts a file system in memory of a certain size."""
    mounted = []

    def mount_one(size: str) -> Path:
        root = lab.root()
        options = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(root)]
        done = subprocess.run(options, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
        mounted.append(root)
        return root

    if not sys.platform.startswith("linux") or os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root mounts a small file system, on Linux")
    yield mount_one
    for root in mounted:
        subprocess.run(["umount", str(root)], check=True)


@thorough(3)
@pytest.mark.parametrize("what", ["bytes", "files"])
def test_full_disk(lab: Lab, mount: Callable[[str], Path], what: str, stride: int) -> None:
    """A full disk is reported, whatever does not fit, and the study can be completed later."""
    option, unit = {"bytes": ("size", PAGE), "files": ("nr_inodes", 1)}[what]
    sizes = range(2, 60, stride)
    for size in sizes:
        root = mount(f"{option}={size * unit}")
        ended = lab.run(root, fault=None)
        if ended.code == 0:
            break
        assert_told(ended, str(root / "r"), "cannot be written", "No space left on device")
        assert lab.readable(root / "r") <= STUDY.n_runs
        assert not list(root.rglob(".*"))
        subprocess.run(["mount", "-o", "remount,size=10m,nr_inodes=1000", str(root)], check=True)
        ended = lab.run(root, fault=None)
        assert ended.code == 0, ended
        lab.truth.check_finished(root / "r")
    assert ended.code == 0
    lab.truth.check_finished(root / "r")
    assert sizes.index(size) >= 4
    print(f"{sizes.index(size)} sizes that are too small")

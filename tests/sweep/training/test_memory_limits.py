"""Processes with a memory limit: one sentence or an error, never a hang, and no wrong data in the folder."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import sweep
from tests.sweep.caches import ROOT
from tests.sweep.support import make_study, write_study
from tests.waiting import LONG

STUDY = make_study(count=5, curves={"seeds": 2})
# Enough address space to load all libraries. With less they raise MemoryError or, those in Rust, abort the process.
LOADED = 800
PROGRAM = """
import sys, sweep
try:
    print(sweep.run(sys.argv[1], sys.argv[2], threads=int(sys.argv[3])).facts["digest"])
except sweep.SweepError as error:
    sys.exit(f"refused: {error}")
"""


def limited(folder: Path, megabytes: int, threads: int = 2) -> subprocess.CompletedProcess[str]:
    """Run the study in a process with limited address space, without the JIT; one that hangs fails the test."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))

    arguments = [sys.executable, "-c", PROGRAM, write_study(folder / "s.toml", STUDY), folder / "r", str(threads)]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    options = {"capture_output": True, "text": True, "cwd": ROOT, "env": environment, "preexec_fn": limit}
    return subprocess.run(arguments, check=False, timeout=LONG, **options)  # type: ignore[call-overload, no-any-return]


def check_finished_without_the_limit(folder: Path) -> None:
    """Require that the same call completes the folder."""
    assert sweep.run(STUDY, folder / "r").facts["digest"] == sweep.run(STUDY).facts["digest"]
    assert sweep.verify(folder / "r").intact
    assert not list((folder / "r").rglob(".*"))


@pytest.mark.parametrize("megabytes", [LOADED, pytest.param(1300, marks=pytest.mark.soak)])
def test_too_few_addresses(tmp_path: Path, megabytes: int) -> None:
    """Too little address space is refused, since libraries without memory abort the process or hang."""
    ended = limited(tmp_path, megabytes)
    assert ended.returncode == 1
    assert ended.stderr.startswith("refused: ulimit -v: address space must be at least ")
    assert not (tmp_path / "r").exists()


@pytest.mark.soak
@pytest.mark.parametrize("megabytes", range(100, 4100, 200))
def test_any_limit(tmp_path: Path, megabytes: int) -> None:
    """If memory is short anywhere, the process ends, and the same call without a limit completes the study."""
    for threads in (2, 64):
        ended = limited(tmp_path, megabytes, threads)
        assert ended.returncode in (0, 1) if megabytes >= LOADED else ended.returncode, ended
        assert ended.stderr or ended.stdout
    check_finished_without_the_limit(tmp_path)

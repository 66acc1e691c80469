"""The goals of make run each test, whatever its markers are, and none of them runs a test twice."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OPTIONS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
MARKERS = [line.partition(":")[0] for line in OPTIONS["markers"]]
ANY_MARKERS = [marks for n in range(len(MARKERS) + 1) for marks in itertools.combinations(MARKERS, n)]


@cache
def recipe(goal: str) -> list[str]:
    """Return the lines of the shell that make runs for a goal where nothing is installed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    options = ["make", "--dry-run", "--always-make", goal]
    lines = subprocess.run(options, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    return lines.splitlines()


@cache
def selections(goal: str) -> dict[bool, list[str]]:
    """Return the marker expressions of a goal's test runs on this CPU, compiled and interpreted."""
    found: dict[bool, list[str]] = {True: [], False: []}
    for line in recipe(goal):
        expression = re.search(r'/pytest .* -m "?(.*?)(?:"|$| tests/)', line)
        if expression and "NUMBA_CPU_NAME" not in line:
            found["NUMBA_DISABLE_JIT=1" not in line].append(expression[1])
    return found


def counts(goal: str, marks: tuple[str, ...]) -> list[int]:
    """Count how often a goal runs a test with these markers with the JIT, and without."""
    names = {name: name in marks for name in MARKERS}
    return [sum(bool(eval(expression, {}, names)) for expression in each) for each in selections(goal).values()]


@pytest.mark.parametrize("marks", ANY_MARKERS, ids=lambda marks: " ".join(marks) or "none")
def test_each_test_runs_once_in_some_ring(marks: tuple[str, ...]) -> None:
    """Tests with kernels run once with the JIT and once without, up to soak; each ring contains the one before."""
    quick, test, whole, soak = (counts(goal, marks) for goal in ("quick", "test", "test-all", "soak"))
    assert whole == ([0, 0] if "soak" in marks else [1, 1])
    assert soak == ([1, 1] if "soak" in marks else [0, 0])
    assert sum(quick) <= sum(test) <= 1


def test_compiling_is_announced() -> None:
    """Installing says that it compiles, which takes many seconds."""
    compiling = [line for line in recipe("lint") if "-m compileall" in line]
    assert len(compiling) == 2
    assert all(line.startswith('echo "compiling') for line in compiling)

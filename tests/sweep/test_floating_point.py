"""Studies and results do not depend on the state of the floating-point unit that other code has left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sweep
from tests.floating_point import STATES, in_state, state_here

ROOT = Path(__file__).parents[2]
BY_STATE = pytest.mark.parametrize("state", STATES)

# Denormal starts, rates that are computed, and few steps.
CHANGES: dict[str, Any] = {
    "hidden": 2,
    "learning_rate": {"logspace": [1e-3, 1.0, 7]},
    "scale": [1.0, 3e-310],
    "gain": {"linspace": [0.1, 0.7, 4]},
    "optimizer": "momentum",
    "max_steps": 6,
    "seeds.count": 5,
}


def run() -> sweep.Result:
    """Read a study and train it."""
    return sweep.run(sweep.load_study("xor", CHANGES), threads=2)


@BY_STATE
def test_runs_have_the_same_bits(state: str) -> None:
    """Values, rows, statistics and the replay of a run are those of the default state, which is not kept."""
    expected = run()
    with in_state(state):
        found = run()
        replayed = sweep.trace(found, 3)
        assert state_here() == state
    assert found.study.identity == expected.study.identity
    assert found.facts["digest"] == expected.facts["digest"]
    assert found.cells.equals(expected.cells)
    assert not replayed.mismatches


@BY_STATE
def test_a_process_that_begins_in_another_state(state: str) -> None:
    """Modules that are imported in another state compute the same constants."""
    lines = (
        "from tests.floating_point import in_state",
        "from tests.sweep.test_floating_point import run",
        f"with in_state({state!r}):",
        "    print(run().facts['digest'])",
    )
    words = [sys.executable, "-c", "\n".join(lines)]
    ended = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stdout.strip() == run().facts["digest"]

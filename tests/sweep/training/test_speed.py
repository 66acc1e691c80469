"""The speed of a machine is noted, and used to estimate the time of a study."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import sweep
from kernels.numba.jit import ENABLED
from sweep.schedule.plan import Plan
from sweep.training.speed import estimated_seconds, note_speed, noted_speed
from tests.sweep.support import command, make_study


def test_seconds_are_estimated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The estimate uses the last noted speed; without a valid note there is none."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    plan = Plan(make_study(count=10_000))
    assert estimated_seconds(plan, 2) is None
    assert "not known yet" in command("plan", "xor").out
    note_speed(plan.parts.operations, 8.0)
    assert estimated_seconds(plan, 2) == pytest.approx(4.0)
    note_speed(1.0, 0.001)  # too short to tell
    assert estimated_seconds(plan, 1) == pytest.approx(8.0)
    assert re.search(r"seconds +up to about \d.* of training on ", command("plan", "xor").out)
    for text in ("", "[]", json.dumps({"operations_per_second": "fast"}), json.dumps({"operations_per_second": 0})):
        (tmp_path / "xor-sweep" / "speed.json").write_text(text)
        assert estimated_seconds(plan, 1) is None


def test_speed_is_noted_from_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The speed follows from the steps of the runs."""
    plan = Plan(make_study(count=100), part_runs=50)
    part = plan.part(0)
    steps = plan.study.training.max_steps
    assert plan.parts.wave_of(part).operations_of(part, part.n_runs * steps) == pytest.approx(part.cost)
    assert plan.parts.wave_of(part).operations_of(part, part.n_runs * steps // 2) == pytest.approx(part.cost / 2)
    assert plan.parts.operations == pytest.approx(sum(plan.part(k).cost for k in range(plan.n_parts)))


def test_only_compiled_kernels_are_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels that NumPy interprets are a thousand times slower, and say nothing about the next study."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sweep.training.speed._LEAST_OPERATIONS", 1.0)
    monkeypatch.setattr("sweep.training.speed._LEAST_SECONDS", 0.0)
    sweep.run(make_study(count=2), threads=1)
    assert (noted_speed() is not None) == ENABLED

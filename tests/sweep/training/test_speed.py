"""The speed of a machine is noted, and used to estimate the time of a study."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import sweep
from kernels.numba.jit import ENABLED
from sweep.schedule.plan import Plan
from sweep.training.speed import estimated_seconds, has_own_speed, note_speed, noted_speed
from tests.sweep.support import command, make_study


def test_seconds_are_estimated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The estimate uses the last noted speed; without a valid note there is none."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    plan = Plan(make_study(count=10_000))
    assert estimated_seconds(plan, 2) is None
    assert "not known yet" in command("plan", "xor").out
    note_speed(plan.study, plan.parts.operations, 8.0)
    assert estimated_seconds(plan, 2) == pytest.approx(4.0)
    note_speed(plan.study, 1.0, 0.001)  # too short to tell
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
    assert (noted_speed(make_study()) is not None) == ENABLED


def test_networks_of_each_kind_have_their_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other networks use the latest speed until they are trained; the hidden size changes no kind."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    relu, tanh = make_study(), make_study(activation="tanh")
    note_speed(relu, 1e9, 1.0)
    assert noted_speed(tanh) == 1e9
    assert not has_own_speed(tanh)
    note_speed(tanh, 2e9, 1.0)
    assert (noted_speed(relu), noted_speed(tanh)) == (1e9, 2e9)
    assert has_own_speed(make_study(hidden=[5, 6], count=3))
    assert noted_speed(make_study(hidden=[5])) == 1e9
    assert noted_speed(make_study(optimizer="adam")) == 2e9
    assert "latest speed, which was with other networks" in command("plan", "xor", "--set", "batch=1").out
    assert "latest speed with such networks" in command("plan", "xor", "--set", "hidden=9").out

"""The speed of a machine is noted, and used to estimate the time of a study."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sweep
from kernels.numba.jit import ENABLED
from sweep.schedule.plan import Plan
from sweep.training.speed import FEW_STEPS, Trained, estimate, note_training, noted_speed
from tests.kernels.support import compiled_only
from tests.sweep.support import command, make_study

pytestmark = pytest.mark.usefixtures("own_cache")  # without notes


def seconds_line(*options: str) -> str:
    """Return what ``sweep plan xor`` says about the time of training."""
    lines = command("plan", "xor", *options).out.splitlines()
    return next(line for line in lines if line.startswith("seconds ")).removeprefix("seconds").strip()


def test_seconds_are_estimated(tmp_path: Path) -> None:
    """Speed and share of steps are those of the last training of such networks; invalid notes are as good as none."""
    plan = Plan(make_study(count=1_000_000))
    first = estimate(plan, 2)
    assert (first.expected, first.is_measured) == (None, False)
    most = plan.parts.operations
    note_training(plan.study, [Trained(most / 2, most / 8, most / 4, 8.0), Trained(most / 2, most / 8, most / 4, 8.0)])
    assert estimate(plan, 2) == pytest.approx((16.0, 4.0, True))
    note_training(plan.study, [Trained(4.0, 2.0, 2.0, 0.001)])  # too short for a speed
    assert estimate(plan, 1) == pytest.approx((32.0, 16.0, True))
    for text in ("", "[]", *(json.dumps(dict.fromkeys(notes(tmp_path), each)) for each in ("fast", 0))):
        (tmp_path / "xor-sweep" / "speed.json").write_text(text)
        assert estimate(plan, 2) == first


def notes(folder: Path) -> dict[str, float]:
    """Return what was noted."""
    found: dict[str, float] = json.loads((folder / "xor-sweep" / "speed.json").read_text())
    return found


def test_plan_gives_a_range_until_it_knows_how_early_runs_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The most and the fewest seconds are a range; after a run there is one number, beside the most."""
    monkeypatch.setattr("sweep.terminal.plan_page.available_threads", lambda: 2)
    most = Plan(sweep.load_study("xor")).parts.operations
    note_training(make_study(), [Trained(most, most, most / 5, 10.0)])  # of other patterns and limits, but such kernels
    assert seconds_line() == "1 s to 26 s of training on 2 threads, depending on how early runs end"
    note_training(sweep.load_study("xor"), [Trained(most, most / 5, most / 5, 10.0)])
    known = "about 51 s of training on 2 threads if runs end as early as the latest such runs, at most 4 min 11 s"
    assert seconds_line("--set", "seeds.count=10000") == known
    first = "of training on 2 threads (such networks were not trained on this machine yet)"
    assert seconds_line("--set", "criterion=none").endswith(first)


def test_lanes_without_runs_cost_time() -> None:
    """Two networks train as long as eight side by side, and some cells with one seed train side by side."""
    one, eight = (Plan(make_study(count=count)).parts for count in (1, 4))
    assert one.lane_operations == pytest.approx(eight.lane_operations)
    assert eight.lane_operations == pytest.approx(eight.operations)
    cells = Plan(make_study(count=1, learning_rate=[0.01 * k for k in range(1, 17)])).parts
    assert cells.lane_operations == pytest.approx(cells.operations)


def test_speed_is_noted_from_steps() -> None:
    """The speed follows from the steps of the runs."""
    plan = Plan(make_study(count=100), part_runs=50)
    part = plan.part(0)
    steps = plan.study.values_of("max_steps")[0]
    assert plan.parts.wave_of(part).operations_of(part, part.n_runs * steps) == pytest.approx(part.cost)
    assert plan.parts.wave_of(part).operations_of(part, part.n_runs * steps // 2) == pytest.approx(part.cost / 2)
    assert plan.parts.operations == pytest.approx(sum(plan.part(k).cost for k in range(plan.n_parts)))


def test_only_compiled_kernels_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels that NumPy interprets are a thousand times slower, and say nothing about the next study."""
    monkeypatch.setattr("sweep.training.speed._LEAST_OPERATIONS", 1.0)
    monkeypatch.setattr("sweep.training.speed._LEAST_SECONDS", 0.0)
    sweep.run(make_study(count=2), threads=1)
    assert (noted_speed(make_study()) is not None) == ENABLED


def test_networks_of_each_kind_have_their_speed() -> None:
    """Others are estimated at the mean of noted speeds and the usual one; the hidden size changes no kind."""
    relu, tanh, adam = make_study(), make_study(activation="tanh"), make_study(optimizer="adam")
    usual = Plan(adam).parts.lane_operations / estimate(Plan(adam), 1).most
    note_training(relu, [Trained(1e9, 1e9, usual / 100, 1.0)])
    note_training(tanh, [Trained(1e9, 1e9, usual / 10, 1.0)])
    assert (noted_speed(relu), noted_speed(tanh)) == pytest.approx((usual / 100, usual / 10))
    assert noted_speed(make_study(hidden=[5, 6], count=3)) == noted_speed(relu)
    assert noted_speed(adam) is None
    assert Plan(adam).parts.lane_operations / estimate(Plan(adam), 1).most == pytest.approx(usual / 10)


def test_limits_of_steps_that_differ_are_averaged() -> None:
    """Runs without a criterion take all their steps, which need not be the most of all cells."""
    plan = Plan(make_study(criterion="none", max_steps=[0, 100, 200]))
    assert estimate(plan, 1).expected == pytest.approx(estimate(plan, 1).most / 2)


@compiled_only
@pytest.mark.wide
@pytest.mark.parametrize("name", ["xor", "hinton-xor-scale", "function-prior", "chauvin-rate", "genann", "monks-1"])
def test_few_seeds_tell_the_steps_of_all(name: str) -> None:
    """After a run of a few seeds of each cell, all others take between a third and three times the expected steps."""
    n_cells = sweep.load_study(name).n_cells
    few, many = max(1, 500 // n_cells), max(1, 5000 // n_cells)
    sweep.run(sweep.load_study(name, {"seeds.count": few}), progress=False)
    plan = Plan(sweep.load_study(name, {"seeds.base": few, "seeds.count": many}))
    expected = estimate(plan, 1)
    sweep.run(plan.study, progress=False)
    actual = estimate(plan, 1)
    assert expected.expected is not None
    assert actual.expected is not None
    assert 1 / 3 < expected.expected / expected.most / (actual.expected / actual.most) < 3
    assert FEW_STEPS < actual.expected / actual.most <= 1

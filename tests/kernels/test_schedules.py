"""Learning rates that change: schedules, compiled in float64, equal the oracle's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kernels import vocabulary
from kernels.components.declarations import Schedule
from kernels.lanes.arithmetic import Lanes
from tests.kernels.compare import assert_as_oracle, train_kernel
from tests.kernels.runs import draw_runs
from tests.kernels.specs import Spec
from tests.kernels.support import assert_equal, sized, some_compiled


@pytest.mark.parametrize("schedule", some_compiled(vocabulary.SCHEDULES, {"cosine", "step"}.__contains__))
def test_schedules_as_oracle(schedule: str) -> None:
    """The schedule cosine takes neither settings nor states, so the functions that load both have equal code."""
    spec = Spec(activation="tanh", schedule=schedule)
    assert_as_oracle(spec, draw_runs(spec, 2, sized(40, 8), 3, sized(40, 12)))


def _linear_by_three(t: Lanes, steps: Lanes, end_factor: Lanes, gamma: Lanes, decay_rate: Lanes) -> Lanes:
    return 1.0 + (end_factor - 1.0) * ((t - 1.0) / steps) + 0.0 * (gamma * decay_rate)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_schedule_takes_any_number_of_settings(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A schedule with three settings, of which two change nothing, gives the losses of the one with only the first."""
    settings = [vocabulary.COMPONENT_SETTINGS[name] for name in ("end_factor", "gamma", "decay_rate")]
    monkeypatch.setitem(vocabulary.SCHEDULES, "linear_by_three", Schedule(_linear_by_three, settings=tuple(settings)))
    spec = Spec(activation="tanh", schedule="linear", dtype=dtype)
    runs = draw_runs(spec, 2, 8, 3, 12).having(gamma=0.5, decay_rate=0.25, schedule_steps=0)
    found, expected = (train_kernel(replace(spec, schedule=each), runs) for each in ("linear_by_three", "linear"))
    assert_equal(found.losses, expected.losses, "losses")

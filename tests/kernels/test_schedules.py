"""Learning rates that change: schedules compiled in float64, as the oracle has them."""

from __future__ import annotations

import pytest

from tests.kernels.compare import assert_as_oracle
from tests.kernels.runs import draw_runs
from tests.kernels.specs import SCHEDULES, Spec
from tests.kernels.support import sized, some_compiled


@pytest.mark.parametrize("schedule", some_compiled(SCHEDULES, {"cosine", "step"}.__contains__))
def test_schedules_as_oracle(schedule: str) -> None:
    """The schedule cosine takes neither settings nor states, so the functions that load both have equal code."""
    spec = Spec(activation="tanh", schedule=schedule)
    assert_as_oracle(spec, draw_runs(spec, 2, sized(40, 8), 3, sized(40, 12)))

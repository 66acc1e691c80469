"""Results do not depend on the state in which other code left the floating-point unit."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from kernels.floating_point import default_floating_point
from kernels.start.initialize import Start, initial_weights
from tests.floating_point import STATES, in_state, state_here
from tests.kernels.compare import train_kernel
from tests.kernels.runs import draw_weights, join, make_runs
from tests.kernels.specs import Spec
from tests.kernels.support import Array

BY_STATE = pytest.mark.parametrize("state", STATES)
BY_PLACE = pytest.mark.parametrize("in_thread", [False, True], ids=["main thread", "another thread"])

SPEC = Spec()


def compute(work: Callable[[], Any], state: str, in_thread: bool) -> Any:
    """Run work in a thread with a state, and require that the state is restored."""

    def compute_here() -> Any:
        with in_state(state):
            found = work()
            assert state_here() == state, "the state was not restored"
            return found

    with ThreadPoolExecutor(1) as other:
        return other.submit(compute_here).result() if in_thread else compute_here()


def bits(outcome: Any) -> list[bytes]:
    """Return all numbers of an outcome, with the signs of zeros."""
    arrays: list[Array] = [*outcome.columns, outcome.final_weights, outcome.predictions, outcome.losses]
    return [array.tobytes() for array in arrays]


@BY_PLACE
@BY_STATE
def test_training_gives_the_same_bits(state: str, in_thread: bool) -> None:
    """Ordinary weights show how numbers are rounded; denormal ones show whether they are kept."""
    ordinary = draw_weights(SPEC, 2, 20, seed=0)
    runs = join(make_runs(ordinary, max_steps=8), make_runs(1e-310 * ordinary, learning_rate=1e-3, max_steps=8))
    expected = train_kernel(SPEC, runs)
    assert (np.abs(expected.final_weights[20:]) < 1e-300).any()
    assert bits(compute(lambda: train_kernel(SPEC, runs), state, in_thread)) == bits(expected)


@BY_PLACE
@BY_STATE
@pytest.mark.parametrize("generator", ["mt19937", "pcg64"])
@pytest.mark.parametrize("distribution", ["normal", "uniform"])
@pytest.mark.parametrize("scale", [1.0, 1e-309])
def test_initial_weights_have_the_same_bits(
    distribution: str, generator: str, scale: float, state: str, in_thread: bool
) -> None:
    """NumPy and kernels draw, scale and round the same numbers."""
    start = Start(distribution=distribution, scale=scale, bias_scale=scale / 3, generator=generator)

    def draw() -> bytes:
        return initial_weights(start, np.arange(50), SPEC.recipe.architecture, 3, "float64").tobytes()

    assert compute(draw, state, in_thread) == draw()


@BY_STATE
def test_the_state_is_restored_after_an_error(state: str) -> None:
    """The state is restored however the work ends."""

    @default_floating_point
    def fail() -> None:
        assert state_here() == "default"
        raise ArithmeticError

    with in_state(state):
        with pytest.raises(ArithmeticError):
            fail()
        assert state_here() == state

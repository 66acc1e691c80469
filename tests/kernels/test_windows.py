"""Steps of some patterns: windows in file order or shuffled, evaluated at ends of epochs and at the last step."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kernels import vocabulary
from tests.kernels.compare import assert_as_oracle, train_kernel
from tests.kernels.runs import Runs, draw_runs, draw_weights, make_runs
from tests.kernels.specs import ORDERS, Spec
from tests.kernels.support import assert_equal, in_soak_if_compiled, sized, some_compiled

# A dead ReLU and inputs of 0: only the output bias c moves, by the learning rate times 2 * (c - target).
TWO = Spec("relu", batch=1, task="two targets")
SAME = replace(TWO, task="same target")
BATCHES = (1, 3, 7, 19)


def _bias_at(*values: float, **settings: Any) -> Runs:
    """Make networks whose output is c."""
    weights = [[0.0, 0.0, 0.0, value] for value in values]
    return make_runs(weights, **({"learning_rate": 0.5, "threshold": 0.0, "from_step": 99} | settings))


@pytest.mark.parametrize(
    ("optimizer", "order", "batch"),
    some_compiled(
        itertools.product(
            [name for name, component in vocabulary.OPTIMIZERS.items() if not component.full_batch], ORDERS, BATCHES
        ),
        ("adam", "shuffled", 7).__eq__,
        lambda case: (
            ([*vocabulary.OPTIMIZERS].index(case[0]) + ORDERS.index(case[1]) + BATCHES.index(case[2])) % 2 == 1
        ),
    ),
)
def test_windows_as_oracle(optimizer: str, order: str, batch: int) -> None:
    """Windows of one pattern, of less than a block, of more than one and of all but one give equal results."""
    spec = Spec("tanh", optimizer=optimizer, batch=batch, order=order, task="many numbers", reduction="mean")
    assert_as_oracle(spec, draw_runs(spec, 3, sized(40, 12), batch, sized(60, 2 * spec.n_windows + 1)))


@pytest.mark.parametrize("batch", some_compiled((1, 2, 3), lambda _: False))
@pytest.mark.parametrize("optimizer", some_compiled(["gd", "momentum"], "momentum".__eq__))
def test_limits_within_an_epoch_as_oracle(optimizer: str, batch: int) -> None:
    """A run whose last step is within an epoch is evaluated there, and neighbors continue as if alone."""
    spec = Spec("relu", batch=batch, optimizer=optimizer)
    runs = make_runs(draw_weights(spec, 3, 33, 2), learning_rate=0.05, threshold=0.9, max_steps=np.arange(33) % 15)
    result = assert_as_oracle(spec, runs)
    assert set(result.status) >= {"converged", "exhausted"}
    assert (result.steps % spec.n_windows != 0).any() or spec.n_windows == 1
    assert_equal(result.epochs, result.steps // spec.n_windows, "epochs")


def test_a_repeated_loss_alone_is_no_stall() -> None:
    """Where an epoch's updates cancel each other, the loss repeats and no run stalls; at a rate of 0 it does."""
    result = assert_as_oracle(TWO, _bias_at(0.0, 0.0, learning_rate=[0.5, 0.0], max_steps=18))
    assert (result.status.tolist(), result.steps.tolist()) == (["exhausted", "stalled"], [18, 2])


def test_stall_at_the_last_step_within_an_epoch() -> None:
    """The last step is evaluated like an end of an epoch, and all patterns are tried from there."""
    result = assert_as_oracle(TWO, _bias_at(0.0, 1.0, learning_rate=[0.0, 0.5], max_steps=1))
    # The second is at the target of its first update, so that its loss repeats; the other pattern would move it.
    assert result.status.tolist() == ["stalled", "exhausted"]


def test_stall_is_detected_from_evaluation_to_evaluation() -> None:
    """A run that comes to rest within an epoch stalls an epoch later, though a neighbor is evaluated in between."""
    result = assert_as_oracle(SAME, _bias_at(0.0, 0.0, max_steps=[9, 1]))
    assert (result.status.tolist(), result.steps.tolist()) == (["stalled", "exhausted"], [4, 1])


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", some_compiled(vocabulary.OPTIMIZERS, "adam".__eq__))
def test_a_stall_needs_constant_states(optimizer: str) -> None:
    """At the target no parameter moves, but a run has not stalled while a state does.

    The powers of Adam, here of 1 / 32, are 0 after 215 updates in float64, and after 30 in float32.
    """
    for dtype, most in (("float64", 215), ("float32", 30)):
        spec = Spec("relu", optimizer=optimizer, task="one target", dtype=dtype)
        steps = most if vocabulary.OPTIMIZERS[optimizer].clocks else 1
        weights = _bias_at(1.0).weights
        result = assert_as_oracle(
            spec, make_runs(weights, dtype, threshold=0.0, from_step=9, beta1=1 / 32, beta2=1 / 32, max_steps=240)
        )
        assert (result.status[0], result.steps[0]) == ("stalled", steps)


@pytest.mark.parametrize("batch", some_compiled([None, 1], lambda _: False))
def test_a_stall_needs_a_constant_velocity(batch: int | None) -> None:
    """At a learning rate of 0 no parameter moves, but a velocity grows until it reaches its limit."""
    spec = Spec("relu", optimizer="momentum", batch=batch, task="same target")
    result = assert_as_oracle(spec, _bias_at(0.5, learning_rate=0.0, momentum=0.5, max_steps=500))
    assert result.status[0] == "stalled"
    assert result.steps[0] > 50


@pytest.mark.parametrize("components", some_compiled([{"order": "shuffled"}, {"criterion": "none"}], lambda _: False))
def test_never_stalled(components: dict[str, str]) -> None:
    """Without a criterion, or with shuffled minibatches, a run that no longer changes continues to its last step."""
    result = assert_as_oracle(replace(TWO, **components), _bias_at(0.0, learning_rate=0.0, max_steps=9))
    assert (result.status[0], result.steps[0]) == ("exhausted", 9)
    whole = replace(TWO, batch=2, order="shuffled")  # where all patterns are in a step, their order does not matter
    assert assert_as_oracle(whole, _bias_at(0.0, learning_rate=0.0, max_steps=9)).status[0] == "stalled"


@in_soak_if_compiled
def test_order_depends_on_the_seed_alone() -> None:
    """Runs with equal seeds have the same order of patterns in every lane, cell and call; others do not."""
    spec = Spec("tanh", batch=1, order="shuffled", task="adder")
    weights = np.repeat(draw_weights(spec, 3, 1, 7), 30, axis=0)
    runs = make_runs(weights, threshold=0.0, max_steps=20).having(seeds=np.arange(30) % 10 * 2**28)
    outcome = train_kernel(spec, runs)
    assert_equal(outcome.final_weights[10:], outcome.final_weights[:20], "runs of equal seeds")
    assert len(np.unique(outcome.final_weights, axis=0)) == 10
    assert_as_oracle(spec, runs[:12])


def test_seeds_up_to_the_largest() -> None:
    """All 32 bits of a seed matter."""
    spec = Spec("tanh", batch=1, order="shuffled", task="adder")
    seeds = np.array([0, 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1])
    runs = make_runs(np.repeat(draw_weights(spec, 3, 1, 7), 6, axis=0), max_steps=20).having(seeds=seeds)
    result = assert_as_oracle(spec, runs)
    assert len(np.unique(result.weights, axis=0)) == 6

"""Patterns belong to the caller, and how many there are is not visible in results."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.architecture import Architecture
from kernels.simd import jit
from kernels.train import Trainer
from tests.kernels.support import (
    ACTIVATIONS,
    CRITERIA,
    DTYPES,
    TASKS,
    Array,
    Spec,
    assert_as_oracle,
    assert_same_outcome,
    draw_batch,
    sized,
    train_kernel,
)

SPECS = st.builds(
    Spec,
    activation=st.sampled_from(ACTIVATIONS),
    output=st.sampled_from(ACTIVATIONS),
    bias=st.booleans(),
    loss=st.sampled_from(("sse", "mse")),
    criterion=st.sampled_from(CRITERIA),
    dtype=st.sampled_from(DTYPES),
    task=st.just("drawn"),
)


def _draw_task(n_patterns: int, n_inputs: int, n_outputs: int, seed: int) -> tuple[Array, Array]:
    """Draw numbers, half of the inputs being bits and some targets alike."""
    random = np.random.default_rng(seed)
    inputs = random.uniform(-2, 2, (n_patterns, n_inputs))
    inputs = np.where(random.random(inputs.shape) < 0.5, random.integers(0, 2, inputs.shape), inputs)
    return inputs, random.choice(random.uniform(-1, 2, 3), (n_patterns, n_outputs))


@pytest.mark.skipif(jit.ENABLED, reason="every example would compile kernels of its own")
@settings(max_examples=150)
@given(
    spec=SPECS,
    shape=st.tuples(st.integers(1, 9), st.integers(1, 6), st.integers(1, 4)),
    hidden=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_task_as_oracle(spec: Spec, shape: tuple[int, int, int], hidden: int, seed: int) -> None:
    """Any shape, patterns and functions, on either side of the limit for constants, as the oracle."""
    with patch.dict(TASKS, drawn=_draw_task(*shape, seed)):
        assert_as_oracle(spec, draw_batch(spec, hidden, 10, seed, 12))


@pytest.mark.parametrize("dtype", DTYPES)
def test_patterns_stay_the_callers(dtype: str) -> None:
    """A trainer neither freezes the caller's arrays nor follows what becomes of them."""
    spec = Spec("relu", dtype=dtype)
    batch = draw_batch(spec, 2, 4, 41, 10)
    inputs, targets = (array.astype(dtype) for array in TASKS["xor"])
    trainer = Trainer(Architecture(2, 1, "relu", "identity", True), inputs, targets, dtype=dtype, width=sized(None, 4))
    assert inputs.flags.writeable
    assert targets.flags.writeable
    inputs[:], targets[:] = 7.0, 7.0
    outcome = trainer.train(batch.settings, batch.weights, final_weights=True, losses=True)
    assert_same_outcome(outcome, train_kernel(spec, batch), dtype)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_constant_and_other_patterns_give_equal_results(monkeypatch: pytest.MonkeyPatch, activation: str) -> None:
    """The same patterns as constants of a kernel and read at run time give equal outcomes."""
    spec = Spec(activation)
    batch = draw_batch(spec, 5, sized(200, 20), 42, sized(200, 20))
    constant = train_kernel(spec, batch)
    monkeypatch.setattr("kernels.train.CONSTANT_LIMIT", 0)
    assert_same_outcome(constant, train_kernel(spec, batch), activation)


def test_every_step_of_a_trace_is_there() -> None:
    """A trace has the losses of steps 0 to the last, the first and last as reported, and NaN after it."""
    spec = Spec("tanh")
    batch = draw_batch(spec, 2, 16, 43, 20)
    outcome = train_kernel(spec, batch)
    assert outcome.losses.shape == (16, 21)
    columns = outcome.columns
    for run, losses in enumerate(outcome.losses):
        if np.isfinite(columns.final_loss[run]):
            assert losses[0] == columns.initial_loss[run]
            assert losses[columns.steps[run]] == columns.final_loss[run]
        assert np.isnan(losses[columns.steps[run] + 1 :]).all()

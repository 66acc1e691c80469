"""Every number that training reports equals the oracle's."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from tests import oracle
from tests.kernels.support import (
    ACTIVATIONS,
    CRITERIA,
    DTYPES,
    TUNINGS,
    Spec,
    assert_as_oracle,
    assert_equal,
    covering_specs,
    draw_batch,
    draw_weights,
    is_compiled,
    join,
    name_of,
    same_settings,
    sized,
    some_compiled,
    train_kernel,
    train_oracle,
)

HIDDEN = (1, 2, 3, 5, 8, 16, 41)  # units: unrolled, in two passes a step, and in one
RUNS = sized(40, 16)  # of each hidden size, with biases or without
MOST_STEPS = {hidden: sized(100, 40) if hidden <= 8 else sized(40, 20) for hidden in HIDDEN}
ALL_SIZES_COMPILED = {
    ("relu", "float64", True),
    ("relu", "float32", False),
    ("tanh", "float64", False),
    ("sigmoid", "float32", True),
    ("identity", "float64", True),
}


@pytest.mark.parametrize(
    ("activation", "dtype", "bias"),
    some_compiled(itertools.product(ACTIVATIONS, DTYPES, (True, False)), ALL_SIZES_COMPILED.__contains__),
)
def test_networks_of_all_sizes_as_oracle(activation: str, dtype: str, bias: bool) -> None:
    """Runs that converge, diverge, stall and exhaust are equal, and all of these occur."""
    seen: list[str] = []
    for hidden in HIDDEN:
        spec = Spec(activation, bias=bias, dtype=dtype)
        batch = draw_batch(spec, hidden, RUNS, 100 * hidden + bias, MOST_STEPS[hidden])
        seen.extend(assert_as_oracle(spec, batch).status)
    assert set(seen) == set(oracle.STATUSES)


@pytest.mark.parametrize(
    ("tuning", "dtype", "bias"),
    some_compiled(
        itertools.product(TUNINGS, DTYPES, (True, False)),
        lambda case: case[1] == "float64" and case[2] == (list(TUNINGS).index(case[0]) % 2 == 0),
    ),
)
def test_every_way_of_a_step_as_oracle(tuning: str, dtype: str, bias: bool) -> None:
    """Loops over units are equal with maxima, gated products, four units at a time, one pass and narrow rows."""
    for hidden in (3, 5, 8):
        spec = Spec("relu", bias=bias, dtype=dtype, tuning=tuning)
        assert_as_oracle(spec, draw_batch(spec, hidden, RUNS, 50 * hidden + bias, MOST_STEPS[hidden]))


@pytest.mark.parametrize(
    ("activation", "criterion"),
    some_compiled(
        itertools.product(("relu", "tanh"), ("none", "loss")), {("relu", "none"), ("tanh", "loss")}.__contains__
    ),
)
def test_few_units_in_one_pass_as_oracle(activation: str, criterion: str) -> None:
    """Where even one or two units exceed the first cache, they take their steps in one pass and equal the oracle."""
    spec = Spec(activation, criterion=criterion, tuning="one pass")
    for hidden in (1, 2):
        assert_as_oracle(spec, draw_batch(spec, hidden, sized(60, 20), hidden, 30))


@pytest.mark.parametrize(
    ("dtype", "criterion"),
    some_compiled(
        itertools.product(DTYPES, ("none", "loss", "max_error")),
        {("float64", "none"), ("float32", "loss")}.__contains__,
    ),
)
def test_three_batches_as_oracle(dtype: str, criterion: str) -> None:
    """Networks equal the oracle where three batches take turns, some of them with empty lanes."""
    spec = Spec("relu", criterion=criterion, dtype=dtype, tuning="three batches")
    for hidden, count in itertools.product((1, 2, 5) if criterion == "none" else (1, 2), (sized(200, 30), 20)):
        assert_as_oracle(spec, draw_batch(spec, hidden, count, 10 * hidden + count, sized(100, 20)))


def test_covering_specs_cover() -> None:
    """Every activation meets every criterion, and in float64 every activation and output meets every loss."""
    specs = covering_specs()
    assert {(spec.activation, spec.criterion) for spec in specs} == set(itertools.product(ACTIVATIONS, CRITERIA))
    pairs = set(itertools.product(ACTIVATIONS, ("sse", "mse")))
    precise = [spec for spec in specs if spec.dtype == "float64"]
    assert {(spec.activation, spec.loss) for spec in precise} == pairs
    assert {(spec.output, spec.loss) for spec in precise} == pairs
    both = set(itertools.product(("adder", "numbers", "parity", "many numbers"), DTYPES))
    assert {(spec.task, spec.dtype) for spec in specs} == both
    assert {(spec.bias, spec.dtype) for spec in specs} == set(itertools.product((True, False), DTYPES))


@pytest.mark.parametrize("spec", some_compiled(covering_specs(), is_compiled), ids=name_of)
def test_outputs_losses_criteria_and_tasks_as_oracle(spec: Spec) -> None:
    """Several outputs, numbers of any sign, and few and many patterns are equal under every criterion."""
    seen: list[str] = []
    for hidden in (1, 3, 8):
        batch = draw_batch(spec, hidden, sized(40, 20), hidden, sized(30, 20))
        seen.extend(assert_as_oracle(spec, batch).status)
    assert "exhausted" in seen
    assert spec.criterion != "none" or {"converged", "stalled"}.isdisjoint(seen)


@pytest.mark.parametrize(
    ("activation", "bias"),
    some_compiled(
        itertools.product(ACTIVATIONS, (True, False)),
        {("relu", True), ("tanh", False), ("sigmoid", True)}.__contains__,
    ),
)
def test_many_patterns_as_oracle(activation: str, bias: bool) -> None:
    """Patterns too many to be constants of a kernel give equal results."""
    spec = Spec(activation, bias=bias, task="many bits")
    batch = draw_batch(spec, 3, sized(40, 20), 7, sized(40, 20))
    assert_as_oracle(spec, replace(batch, below=batch.below * 6))


@pytest.mark.parametrize(("activation", "dtype"), [("relu", "float32"), ("tanh", "float32"), ("relu", "float64")])
def test_long_runs_as_oracle(activation: str, dtype: str) -> None:
    """Runs that go on to an exact fixed point, or oscillate around one, are equal."""
    spec = Spec(activation, dtype=dtype)
    batch = draw_batch(spec, 2, sized(64, 16), 3, 1200)
    batch = replace(batch, below=np.zeros(len(batch)), learning_rate=np.geomspace(0.05, 0.5, len(batch)))
    result = assert_as_oracle(spec, batch)
    if activation == "relu":
        assert (result.steps[result.status == "stalled"] > 20).any()


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_numpy_functions_agree_after_100_steps(activation: str) -> None:
    """With the tanh and sigmoid of NumPy the oracle agrees to 1e-9."""
    spec, steps = Spec(activation), 100
    weights = draw_weights(spec, 4, sized(64, 8), 11)
    batch = same_settings(weights, "float64", learning_rate=0.02, below=0.0, max_steps=steps)
    functions = {"tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x))}
    given, expected = train_kernel(spec, batch), train_oracle(spec, batch, functions)
    assert (expected.steps == steps).all()
    np.testing.assert_allclose(given.losses, expected.losses, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(given.final_weights, expected.weights, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "spec",
    some_compiled((spec for spec in covering_specs() if spec.criterion in ("loss", "max_error")), is_compiled),
    ids=name_of,
)
def test_thresholds_are_strict(spec: Spec) -> None:
    """A loss or error equal to the threshold has not converged; below the next larger threshold it has."""
    start = same_settings(draw_weights(spec, 2, 8, 5), spec.dtype, below=0.0, max_steps=0)
    name = {"loss": "initial_loss", "max_error": "max_error"}[spec.criterion]
    measured = getattr(train_kernel(spec, start).columns, name)
    above = np.nextafter(measured, np.array(np.inf, spec.dtype))
    batch = join(replace(start, below=measured), replace(start, below=above))
    assert assert_as_oracle(spec, batch).status.tolist() == ["exhausted"] * 8 + ["converged"] * 8


def test_middle_of_the_targets_is_wrong() -> None:
    """An output of exactly 0.5 is on neither side: not correct for a target of 1, nor for 0."""
    spec = Spec("relu", criterion="correct")
    exact = [1.0, 1, 1, 1, 0.5, -1, 0, -1]  # y = 0, 0.5, 0.5, 0 and c on top
    weights = [[*exact, c] for c in (0.0, 1e-3, 0.499, 0.5, -0.1)]
    result = assert_as_oracle(spec, same_settings(weights, "float64", max_steps=0))
    assert result.n_correct.tolist() == [2, 4, 4, 2, 2]
    assert (result.status == "converged").tolist() == [False, True, True, False, False]


def test_settings_are_rounded_to_the_dtype() -> None:
    """In float32 a learning rate and a threshold count as rounded."""
    spec = Spec("relu", dtype="float32")
    weights = draw_weights(spec, 3, 16, 9)
    batch = same_settings(weights, "float32", learning_rate=0.1, below=0.7)
    rounded = same_settings(weights, "float32", float(np.float32(0.1)), float(np.float32(0.7)))
    given, expected = train_kernel(spec, batch), train_kernel(spec, rounded)
    assert_equal(given.final_weights, expected.final_weights, "final weights")
    assert_equal(given.losses, expected.losses, "losses")

"""Networks of all sizes and tasks, thresholds and settings: every number that training reports equals the oracle's."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from kernels.vocabulary import LOSSES, OPTIMIZERS
from tests import oracle
from tests.kernels.compare import assert_as_oracle, train_kernel
from tests.kernels.runs import Kinds, Runs, draw_runs, draw_weights, join, make_runs
from tests.kernels.specs import Spec
from tests.kernels.support import DTYPES, assert_equal, in_soak_if_compiled, sized, some_compiled
from tests.oracle.components import OWN_OUTPUTS

HIDDEN = (1, 2, 3, 5, 8, 16, 41)  # units: unrolled, in whole blocks and in parts, within the first cache and beyond
FEW_HIDDEN = sized((3, 8, 41), (2, 5, 41))  # where one or two units need no separate kernels
RUNS = sized(40, 16)  # of each hidden size, with biases or without
MOST_STEPS = {hidden: sized(100, 40) if hidden <= 8 else sized(40, 12) for hidden in HIDDEN}
# Slopes from a, from z and from both, and a choice in place of a product.
SHAPES = ("relu", "tanh", "silu", "leaky_relu")


def _start(weights: Any, dtype: str = "float64", **settings: Any) -> Runs:
    """Evaluate networks before they move."""
    return make_runs(weights, dtype, max_steps=0, **settings)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "dtype", "bias"),
    some_compiled(
        itertools.product(SHAPES, DTYPES, (True, False)),
        {("relu", "float64", True), ("tanh", "float32", False)}.__contains__,
        lambda case: (SHAPES.index(case[0]) + DTYPES.index(case[1]) + case[2]) % 2 == 1,
    ),
)
def test_networks_of_all_sizes_as_oracle(activation: str, dtype: str, bias: bool) -> None:
    """Runs that converge, diverge, stall and exhaust are equal, and all of these occur."""
    seen: list[str] = []
    for hidden in HIDDEN if activation == "relu" else FEW_HIDDEN:
        spec = Spec(activation, bias=bias, dtype=dtype)
        runs = draw_runs(spec, hidden, RUNS, 100 * hidden + bias, MOST_STEPS[hidden], Kinds(divergence_threshold="own"))
        seen.extend(assert_as_oracle(spec, runs).status)
    assert set(seen) == set(oracle.STATUSES) - {"plateau"}


@pytest.mark.parametrize("optimizer", some_compiled(OPTIMIZERS, lambda _: False))
def test_states_of_all_sizes_as_oracle(optimizer: str) -> None:
    """The states of an optimizer overlap with nothing else, for any number of units."""
    spec = Spec("tanh", optimizer=optimizer, skip=True, task="adder")
    for hidden in FEW_HIDDEN:
        assert_as_oracle(spec, draw_runs(spec, hidden, sized(20, 8), hidden, sized(30, 5)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "dtype"),
    some_compiled([("relu", "float32"), ("tanh", "float32"), ("relu", "float64")], ("relu", "float64").__eq__),
)
def test_long_runs_as_oracle(activation: str, dtype: str) -> None:
    """Runs that reach an exact fixed point, or oscillate around one, are equal."""
    spec = Spec(activation, dtype=dtype)
    runs = make_runs(draw_weights(spec, 2, sized(64, 16), 3), dtype, threshold=0.0, max_steps=sized(1200, 200))
    result = assert_as_oracle(spec, runs.having(learning_rate=np.geomspace(0.05, 0.5, len(runs))))
    if activation == "relu":
        assert (result.steps[result.status == "stalled"] > 20).any()


@pytest.mark.parametrize("bias", some_compiled([True, False], lambda bias: bias))
@pytest.mark.parametrize("batch", some_compiled([None, 1], lambda batch: batch == 1))
def test_one_pattern_as_oracle(batch: int | None, bias: bool) -> None:
    """A single pattern is a window, an epoch and a block."""
    spec = Spec("sigmoid", batch=batch, bias=bias, task="one pattern", reduction="mean")
    assert_as_oracle(spec, draw_runs(spec, 3, sized(40, 16), 4, 30))


def _thresholds() -> list[tuple[str, str, str]]:
    return [("loss", *rest) for rest in itertools.product(LOSSES, DTYPES)] + [
        ("max_error", "squared", dtype) for dtype in DTYPES
    ]


@pytest.mark.parametrize(
    ("criterion", "loss", "dtype"),
    some_compiled(_thresholds(), ("loss", "squared", "float64").__eq__),
)
def test_thresholds_are_strict(criterion: str, loss: str, dtype: str) -> None:
    """A loss or error equal to the threshold has not converged; below the next larger threshold it has."""
    spec = Spec("relu", OWN_OUTPUTS.get(loss, "identity"), loss, criterion=criterion, dtype=dtype)
    start = _start(draw_weights(spec, 3, 8, 5), dtype, threshold=0.0)
    name = {"loss": "initial_loss", "max_error": "max_error"}[criterion]
    measured = getattr(train_kernel(spec, start).columns, name)
    above = np.nextafter(measured.astype(dtype), np.array(np.inf, dtype))
    runs = join(start.having(threshold=measured), start.having(threshold=above))
    assert assert_as_oracle(spec, runs).status.tolist() == ["exhausted"] * 8 + ["converged"] * 8


@pytest.mark.parametrize("criterion", some_compiled(["loss", "none"], "loss".__eq__))
def test_divergence_threshold_is_strict(criterion: str) -> None:
    """A loss equal to the divergence threshold has not diverged; one above has, at any step, with any criterion."""
    spec = Spec("relu", criterion=criterion)
    start = _start(draw_weights(spec, 3, 8, 5), threshold=0.0)
    measured = train_kernel(spec, start).columns.initial_loss
    runs = join(
        start.having(divergence_threshold=measured), start.having(divergence_threshold=np.nextafter(measured, 0.0))
    )
    result = assert_as_oracle(spec, runs)
    assert result.status.tolist() == ["exhausted"] * 8 + ["diverged"] * 8
    growing = make_runs(
        start.weights, learning_rate=5.0, threshold=0.0, divergence_threshold=np.geomspace(10, 1e30, 8), max_steps=20
    )
    result = assert_as_oracle(spec, growing)
    assert (result.status == "diverged").sum() >= 4
    assert len(set(result.steps)) > 2


def test_convergence_is_evaluated_from_a_step_on() -> None:
    """A run that meets the criterion earlier ends at that step if it still does; all else is evaluated as usual."""
    spec = Spec("relu")
    runs = make_runs(draw_weights(spec, 3, 30, 6), threshold=3.0, max_steps=8, from_step=np.arange(30) % 10)
    result = assert_as_oracle(spec, runs)
    converged = result.status == "converged"
    assert (result.steps[converged] >= runs.settings["from_step"][converged]).all()
    assert (result.steps[converged] == runs.settings["from_step"][converged]).sum() >= 5
    assert "exhausted" in result.status


@in_soak_if_compiled
def test_output_on_the_decision_threshold_is_wrong() -> None:
    """An output of exactly 0.5 is on neither side: not correct for a target of 1, nor for 0."""
    spec = Spec("relu", criterion="correct")
    exact = [1.0, 1, 1, 1, 0.5, -1, 0, -1]  # y = 0, 0.5, 0.5, 0 and c on top
    result = assert_as_oracle(spec, _start([[*exact, c] for c in (0.0, 1e-3, 0.499, 0.5, -0.1)]))
    assert result.n_correct.tolist() == [2, 4, 4, 2, 2]
    assert (result.status == "converged").tolist() == [False, True, True, False, False]


@pytest.mark.parametrize("optimizer", some_compiled(OPTIMIZERS, lambda _: False))
def test_settings_are_rounded_to_the_dtype(optimizer: str) -> None:
    """In float32 every setting is rounded first, the gain after its product with the scale of the layer."""
    spec = Spec("leaky_relu", dtype="float32", optimizer=optimizer, scaling="ntk", used=("gain",))
    weights = draw_weights(spec, 3, 16, 9)
    given = {
        "learning_rate": 0.013,
        "output_learning_rate": 0.007,
        "threshold": 0.7,
        "divergence_threshold": 3.3,
        "negative_slope": 0.3,
    }
    given |= {"momentum": 0.9, "alpha": 0.99, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    rounded = {name: float(np.float32(value)) for name, value in given.items()}
    results = [train_kernel(spec, make_runs(weights, "float32", gain=1.7, **numbers)) for numbers in (given, rounded)]
    assert_equal(results[0].final_weights, results[1].final_weights, "final weights")
    assert_equal(results[0].losses, results[1].losses, "losses")
    assert_as_oracle(spec, make_runs(weights, "float32", gain=1.7, **given))

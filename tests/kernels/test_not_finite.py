"""NaN and infinity: in initial weights, after extreme updates, and where products with zero decide."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from kernels import vocabulary
from tests.kernels.cases import Case, covering_cases
from tests.kernels.compare import assert_as_oracle, assert_same_columns, pick, statuses, train_kernel, train_oracle
from tests.kernels.runs import Runs, draw_runs, draw_weights, join, make_runs
from tests.kernels.specs import Spec
from tests.kernels.support import Array, assert_equal, in_soak_if_compiled, sized, some_compiled
from tests.oracle.components import VALUES
from tests.oracle.support import FUNCTIONS

# Patterns with zeros and ones, which are constants of a kernel, and others.
SPECS = [
    Spec("relu"),
    Spec("relu", bias=False, used=("gain",)),
    Spec("tanh", skip=True, optimizer="adam"),
    Spec("leaky_relu", optimizer="momentum", batch=3, used=("gain",)),
    Spec("sigmoid", "sigmoid", "bce", task="adder", bias=False, skip=True),
    Spec("silu", loss="hinge", optimizer="rmsprop", task="adder", used=("gain",)),
    Spec("sin", optimizer="rprop", task="numbers"),
    Spec("relu", "relu", optimizer="nesterov", order="shuffled", batch=1, dtype="float32"),
    Spec("relu", optimizer="momentum", tuning="no constants"),
    Spec("relu", below=(3,), used=("gain",)),
    Spec("sin", below=(2, 2), bias=False, skip=True, optimizer="adam", task="adder"),
    Spec("silu", below=(4,), optimizer="momentum", batch=3, scaling="ntk"),
]
COMPILED = (0,)
BY_SPEC = pytest.mark.parametrize(
    "spec", some_compiled(SPECS, lambda spec: SPECS.index(spec) in COMPILED), ids=lambda spec: f"{SPECS.index(spec)}"
)


def _with_one(weights: Array, value: float) -> Array:
    """Copy the first network once for each parameter, and set that parameter to ``value``."""
    rows = np.repeat(weights[:1], weights.shape[1], axis=0)
    np.fill_diagonal(rows, value)
    return rows


@pytest.mark.parametrize(
    "case", some_compiled(covering_cases(), lambda case: covering_cases().index(case) == 0), ids=str
)
def test_nan_weight_diverges_at_once(case: Case) -> None:
    """NaN of either sign in any parameter is detected at step 0 with every component, and affects no neighbor."""
    spec, sound = case.spec, case.draw(21)[:8]
    sound = sound.having(max_steps=np.minimum(sound.settings["max_steps"], 4))
    weights = np.concatenate([_with_one(sound.weights, float(np.copysign(np.nan, sign))) for sign in (1, -1)])
    ill = make_runs(weights, spec.dtype, threshold=1e30, max_steps=3)
    outcome = train_kernel(spec, join(sound, ill))
    columns = pick(outcome.columns, slice(8, None))
    assert set(statuses(columns)) == {"diverged"}
    assert (columns.steps == 0).all()
    assert (columns.n_correct == 0).all()
    for name in ("initial_loss", "final_loss", "max_error"):
        assert np.isposinf(getattr(columns, name)).all(), name
    assert_equal(outcome.final_weights[8:], ill.weights, "weights")
    alone = train_kernel(spec, sound)
    assert_same_columns(pick(outcome.columns, slice(8)), alone.columns, "neighbors")
    assert_equal(outcome.final_weights[:8], alone.final_weights, "weights of neighbors")


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@BY_SPEC
def test_infinite_weight_as_oracle(spec: Spec, value: float) -> None:
    """An infinite weight anywhere has the consequences that the contract defines."""
    weights = _with_one(draw_weights(spec, 3, 1, 22), value)
    result = assert_as_oracle(spec, make_runs(weights, spec.dtype, threshold=0.0, max_steps=20))
    if spec.task == "xor":  # an infinite input weight meets an input of 0
        assert (result.status[:6] == "diverged").all()
        assert (result.steps[:6] == 0).all()


@pytest.mark.parametrize("activation", some_compiled(vocabulary.ACTIVATIONS, {"relu"}.__contains__))
def test_infinite_sums_as_oracle(activation: str) -> None:
    """An infinite hidden bias makes infinite sums, which some activations bound and others hide."""
    spec = Spec(activation)
    weights = _with_one(draw_weights(spec, 3, 1, 23), np.inf)[9:12]
    runs = make_runs(np.concatenate([weights, -weights]), threshold=0.0, max_steps=20)
    result = assert_as_oracle(spec, runs)
    with np.errstate(all="ignore"):
        hides = np.isfinite(VALUES[activation](np.array([-np.inf]), {"negative_slope": 0.1}, FUNCTIONS)).all()
    assert ("exhausted" in result.status) == hides


@pytest.mark.parametrize("bias", some_compiled([True, False], lambda _: False))
def test_nan_of_finite_weights(bias: bool) -> None:
    """Infinite products of opposite signs make NaN from finite weights; ReLU must not read its sign bit."""
    spec = Spec("relu", bias=bias, task="doubled")
    weights = np.concatenate([[1.5e308, 1.5e308, 1.0], [0.0, 0.0][: 2 * bias]])
    result = assert_as_oracle(spec, make_runs([weights], max_steps=4))
    assert (result.status[0], result.steps[0]) == ("diverged", 0)


def _extreme_runs(spec: Spec, hidden: int, count: int) -> Runs:
    """Draw runs with weights and learning rates from tiny to huge, some starting from infinities."""
    random = np.random.default_rng([hidden, SPECS.index(spec)])
    top = {"float64": 300.0, "float32": 37.0}[spec.dtype]
    runs = draw_runs(spec, hidden, count, hidden, 12)
    scale = 10.0 ** random.uniform(-top, top, (count, 1)) * 10.0 ** random.uniform(-2, 2, runs.weights.shape)
    scale[: count // 2] = 10.0 ** random.uniform(-3, 3, scale[: count // 2].shape)
    with np.errstate(over="ignore"):
        weights = (runs.weights * scale).astype(spec.dtype)
    weights[random.random(weights.shape) < 0.01] = -np.inf
    return runs.having(weights=weights, learning_rate=10.0 ** random.uniform(10, top, count))


@pytest.mark.parametrize("hidden", some_compiled([3, 1], lambda hidden: hidden == 3))
@BY_SPEC
def test_extreme_runs_as_oracle(spec: Spec, hidden: int) -> None:
    """Overflow, infinite weights and 0 times infinity follow the contract, with skipped zeros or without."""
    result = assert_as_oracle(spec, _extreme_runs(spec, hidden, sized(400, 100)))
    assert np.isinf(result.weights).any()
    assert {"diverged", "exhausted"} <= set(result.status)


# One hidden unit: w0, w1, v and with biases b, c. Where input 1 is 0, 0 * w1 must be NaN.
DEAD_AT_START = {True: [0.5, -np.inf, 1.0, 0.25, 0.5], False: [0.5, -np.inf, 1.0]}
# From here the first update takes w1 to infinity, while every product but 0 * w1 stays finite.
DEAD_AFTER_A_STEP = {True: [-1.0, 2e-160, 1e160, 0.0, 0.0], False: [-1.0, 2e-160, 1e160]}


@pytest.mark.parametrize("bias", some_compiled([True, False], lambda bias: bias))
@pytest.mark.parametrize(
    ("start", "rate", "diverges_at"), [(DEAD_AT_START, 0.1, 0), (DEAD_AFTER_A_STEP, 1e150, 1)], ids=["start", "step"]
)
def test_zero_times_infinity_is_not_skipped(
    start: dict[bool, list[float]], rate: float, diverges_at: int, bias: bool
) -> None:
    """A ReLU unit dead at -inf would hide 0 times infinity if the product were never computed."""
    spec = Spec("relu", bias=bias)
    result = assert_as_oracle(spec, make_runs([start[bias]], learning_rate=rate, threshold=0.0, max_steps=4))
    assert (result.status[0], result.steps[0]) == ("diverged", diverges_at)


@pytest.mark.parametrize("skip", some_compiled([True, False], lambda _: False))
def test_dead_unit_of_an_infinite_output_weight(skip: bool) -> None:
    """Where inputs are 0, 0 times an infinite output weight or skip connection is NaN, even if the unit is dead."""
    spec = Spec("relu", task="blank", skip=skip)
    rows = [[0.5, 0.5, np.inf, -0.25, 0.5, *[0.1, 0.1][: 2 * skip]]]
    rows += [[0.5, 0.5, 1.0, -0.25, 0.5, np.inf, 0.1]] * skip
    result = assert_as_oracle(spec, make_runs(rows, threshold=0.0, max_steps=4))
    assert (result.status == "diverged").all()
    assert (result.steps == 0).all()


@pytest.mark.parametrize("bias", some_compiled([True, False], lambda _: False))
def test_infinite_gradient_of_inputs_of_zero(bias: bool) -> None:
    """Where all inputs are 0, an infinite gradient of the unit is 0 times infinity for each input weight.

    Without that product the bias would be -inf, or without biases nothing would change, and the loss stay finite.
    """
    spec = Spec("tanh", bias=bias, task="steep")
    start = [0.0, 0.0, 0.8e154, 0.0, 0.0] if bias else [0.0, 0.0, 0.8e154]
    result = assert_as_oracle(spec, make_runs([start], learning_rate=1e-200, threshold=0.0))
    assert (result.status[0], result.steps[0]) == ("diverged", 1)
    assert result.final_loss[0] == np.inf
    assert np.isfinite(result.initial_loss[0])


@pytest.mark.parametrize(
    ("optimizer", "batch"),
    some_compiled([("momentum", None), ("adam", None), ("gd", 1), ("momentum", 1)], lambda _: False),
)
def test_infinite_state_of_a_dead_unit(optimizer: str, batch: int | None) -> None:
    """A state of an optimizer may be infinite or NaN while every parameter is finite, and counts as not finite.

    The first target is so far away that gradients overflow, at a learning rate of 0 for the layer concerned or not.
    """
    spec = Spec("tanh", optimizer=optimizer, batch=batch, task="steep")
    rows = np.tile([0.0, 0.0, 0.8e154, 0.0, 0.0], (3, 1))
    runs = make_runs(rows, learning_rate=[0.0, 1e-200, 1e-300], output_learning_rate=[0.0, 0.0, np.nan], threshold=0.0)
    assert_as_oracle(spec, runs)


@pytest.mark.parametrize("most_steps", [0, 5])
def test_traces_of_runs_that_hide_an_infinity(most_steps: int) -> None:
    """A run that is trained again and has a lower limit than another keeps its own trace, padded with NaN."""
    spec = Spec("relu")
    weights = draw_weights(spec, 3, 3, 24)
    weights[1, 9] = -np.inf  # a hidden bias: the unit is dead, and the run as finite as any
    result = assert_as_oracle(spec, make_runs(weights, threshold=0.0, max_steps=np.array([20, most_steps, 8])))
    assert result.status.tolist() == ["exhausted"] * 3


@in_soak_if_compiled
def test_hidden_infinities_in_windows() -> None:
    """The same holds in shuffled windows, where a run that is trained again needs its own seed."""
    spec = SPECS[7]
    assert spec.is_shuffled
    weights = draw_weights(spec, 3, 48, 24)
    weights[::3, 9] = -np.inf
    runs = make_runs(weights, spec.dtype, threshold=0.0, max_steps=20).having(seeds=np.arange(48)[::-1])
    result = assert_as_oracle(spec, runs)
    others = train_oracle(spec, runs.having(seeds=np.arange(48)))
    assert (others.weights != result.weights).any(axis=1)[::3].sum() >= 3


def test_overflow_in_the_criterion_is_no_convergence() -> None:
    """An infinite loss is not below an infinite threshold."""
    spec = Spec("relu")
    weights = np.abs(draw_weights(spec, 3, 8, 25)) * np.array([[1e200], [1.0]] * 4)
    result = assert_as_oracle(spec, make_runs(weights, threshold=np.inf, max_steps=2))
    assert result.status.tolist() == ["diverged", "converged"] * 4


@pytest.mark.parametrize(
    ("criterion", "dtype", "rate", "diverges_at"),
    some_compiled(
        [
            (criterion, *kind)
            for criterion, kind in itertools.product(
                ("none", "loss"),
                [("float64", 1e200, 1), ("float64", 1e100, 2), ("float32", 1e20, 1), ("float32", 1e12, 2)],
            )
        ],
        lambda case: case[:2] == ("none", "float64"),
    ),
)
def test_overflow_is_detected_at_its_step(criterion: str, dtype: str, rate: float, diverges_at: int) -> None:
    """A loss that overflows ends the run at once, but a huge one does not, with a criterion or without.

    The unit is dead; the output bias alone moves, by 8 times the rate times its distance from the mean.
    """
    spec = Spec("relu", criterion=criterion, dtype=dtype)
    runs = make_runs([[0.0, 0.0, 1.0, -1.0, 0.75]] * 3, dtype, learning_rate=[rate, 0.01, 0.125], max_steps=5)
    result = assert_as_oracle(spec, runs.having(threshold=0.0))
    assert result.status.tolist()[:2] == ["diverged", "exhausted"]
    assert result.steps[0] == diverges_at


@pytest.mark.parametrize(
    "optimizer",
    some_compiled(
        [name for name, component in vocabulary.OPTIMIZERS.items() if component.keeps_infinity], lambda _: False
    ),
)
def test_overflow_between_ends_of_epochs(optimizer: str) -> None:
    """Overflow within an epoch is detected at its end, or at the last step if that comes first."""
    spec = Spec("identity", optimizer=optimizer, batch=1)
    runs = make_runs(draw_weights(spec, 3, 24, 26), learning_rate=np.geomspace(1e-3, 1e200, 24), threshold=0.0)
    result = assert_as_oracle(spec, runs.having(max_steps=np.arange(24) % 12 + 1))
    assert "diverged" in result.status


@pytest.mark.slow
@pytest.mark.parametrize("dtype", some_compiled(["float64", "float32"], lambda dtype: dtype == "float64"))
def test_denormals_are_kept(dtype: str) -> None:
    """Velocities and weights that decay through denormals to 0 are equal, and a stall is detected where they are 0."""
    spec = Spec("relu", optimizer="momentum", dtype=dtype, task="one target")
    weights = np.tile([0.0, 0.0, 0.0, 1.0], (4, 1)) + np.array([[0.0], [1e-3], [1e-5], [0.1]]) * [0, 0, 0, 1]
    momentum = [1 / 16, 1 / 16, 1 / 16, 0.9]  # the distance of the first three falls to a quarter with each step
    runs = make_runs(weights, dtype, learning_rate=9 / 32, momentum=momentum, threshold=0.0, max_steps=600)
    result = assert_as_oracle(spec, runs)
    assert (result.status[:3] == "stalled").all() if dtype == "float32" else "stalled" in result.status

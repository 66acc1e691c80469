"""NaN and infinity: in initial weights, after extreme updates, and where products with zero decide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kernels.batch import RETRAIN
from tests.kernels.support import (
    ACTIVATIONS,
    Array,
    Batch,
    Spec,
    assert_as_oracle,
    assert_equal,
    assert_same_columns,
    covering_specs,
    draw_batch,
    draw_weights,
    is_compiled,
    join,
    name_of,
    pick,
    same_settings,
    sized,
    some_compiled,
    statuses,
    train_kernel,
)

XOR_SPECS = [Spec(activation, bias=bias) for activation in ACTIVATIONS for bias in (True, False)]
GATED_SPECS = [Spec("relu", bias=bias, tuning="gates") for bias in (True, False)]


def _with_one(weights: Array, value: float) -> Array:
    """Make of the first network one for each parameter, in which that parameter is ``value``."""
    rows = np.repeat(weights[:1], weights.shape[1], axis=0)
    np.fill_diagonal(rows, value)
    return rows


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("spec", some_compiled([*covering_specs(), *XOR_SPECS], is_compiled), ids=name_of)
def test_nan_weight_diverges_at_once(spec: Spec, sign: int) -> None:
    """NaN in any one parameter is seen at step 0, under every activation and criterion, and by no neighbour."""
    sound = draw_batch(spec, 2, sized(16, 8), 21, 20)
    weights = _with_one(sound.weights, float(np.copysign(np.nan, sign)))
    if spec.task in ("adder", "numbers"):  # a NaN before the hidden layer would compile one more kernel each
        n_inputs, n_outputs = spec.architecture.inputs, spec.architecture.outputs
        weights = weights[2 * n_inputs : 2 * (n_inputs + n_outputs)]
    ill = same_settings(weights, spec.dtype, below=1e30, max_steps=3)
    outcome = train_kernel(spec, join(sound, ill))
    first = len(sound)
    columns = pick(outcome.columns, slice(first, None))
    assert set(statuses(columns)) == {"diverged"}
    assert (columns.steps == 0).all()
    assert (columns.n_correct == 0).all()
    for name in ("initial_loss", "final_loss", "max_error"):
        assert np.isposinf(getattr(columns, name)).all(), name
    assert_equal(outcome.final_weights[first:], ill.weights, "weights")
    alone = train_kernel(spec, sound)
    assert_same_columns(pick(outcome.columns, slice(first)), alone.columns, "neighbours")
    assert_equal(outcome.final_weights[:first], alone.final_weights, "weights of neighbours")


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("spec", some_compiled(XOR_SPECS, is_compiled), ids=name_of)
def test_infinite_weight_as_oracle(spec: Spec, value: float) -> None:
    """An infinite input weight meets an input of 0 and diverges at once; elsewhere as the oracle says."""
    weights = _with_one(draw_weights(spec, 2, 1, 22), value)
    result = assert_as_oracle(spec, same_settings(weights, spec.dtype, max_steps=20))
    n_input_weights = spec.architecture.inputs * 2
    assert (result.status[:n_input_weights] == "diverged").all()
    assert (result.steps[:n_input_weights] == 0).all()


@pytest.mark.parametrize("bias", [True, False])
def test_nan_of_finite_weights(bias: bool) -> None:
    """Infinite products of opposite signs make NaN of finite weights, whose sign bit ReLU must not read."""
    spec = Spec("relu", bias=bias, task="doubled")
    weights = np.concatenate([[1.5e308, 1.5e308, 1.0], [0.0, 0.0][: 2 * bias]])
    result = assert_as_oracle(spec, same_settings([weights], "float64", max_steps=4))
    assert (result.status[0], result.steps[0]) == ("diverged", 0)


def _extreme_batch(spec: Spec, hidden: int, count: int) -> Batch:
    """Draw runs with weights and learning rates from tiny to huge, some starting from infinities."""
    random = np.random.default_rng([hidden, spec.bias])
    top = {"float64": 300.0, "float32": 37.0}[spec.dtype]
    batch = draw_batch(spec, hidden, count, hidden, 12)
    scale = 10.0 ** random.uniform(-top, top, (count, 1)) * 10.0 ** random.uniform(-2, 2, batch.weights.shape)
    scale[: count // 2] = 10.0 ** random.uniform(-3, 3, scale[: count // 2].shape)
    with np.errstate(over="ignore"):
        weights = (batch.weights * scale).astype(spec.dtype)
    weights[random.random(weights.shape) < 0.01] = -np.inf
    return replace(batch, weights=weights, learning_rate=10.0 ** random.uniform(10, top, count))


@pytest.mark.parametrize("hidden", [1, 3])
@pytest.mark.parametrize("spec", some_compiled([*XOR_SPECS, *GATED_SPECS], is_compiled), ids=name_of)
def test_extreme_runs_as_oracle(spec: Spec, hidden: int) -> None:
    """Overflow, infinite weights and 0 times infinity give what the contract says, skipped zeros or not."""
    result = assert_as_oracle(spec, _extreme_batch(spec, hidden, sized(400, 100)))
    assert np.isinf(result.weights).any()
    assert {"diverged", "exhausted"} <= set(result.status)


def test_extreme_float32_runs_as_oracle() -> None:
    """The narrower range of float32 overflows earlier, and equally."""
    spec = Spec("relu", dtype="float32")
    result = assert_as_oracle(spec, _extreme_batch(spec, 3, sized(400, 100)))
    assert np.isinf(result.weights).any()


# One hidden unit: w0, w1, v and with biases b, c. Where input 1 is 0, 0 * w1 must be NaN.
DEAD_AT_START = {True: [0.5, -np.inf, 1.0, 0.25, 0.5], False: [0.5, -np.inf, 1.0]}
# From here the first update takes w1 to infinity, while every product but 0 * w1 stays finite.
DEAD_AFTER_A_STEP = {True: [-1.0, 2e-160, 1e160, 0.0, 0.0], False: [-1.0, 2e-160, 1e160]}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("start", "rate", "diverges_at"), [(DEAD_AT_START, 0.1, 0), (DEAD_AFTER_A_STEP, 1e150, 1)], ids=["start", "step"]
)
def test_skipping_zeros_alone_would_differ(
    monkeypatch: pytest.MonkeyPatch, start: dict[bool, list[float]], rate: float, diverges_at: int, bias: bool
) -> None:
    """A ReLU unit dead at -inf hides 0 times infinity from a kernel that skips it; training again finds it."""
    spec = Spec("relu", bias=bias)
    batch = same_settings([start[bias]], "float64", learning_rate=rate, below=0.0, max_steps=4)
    result = assert_as_oracle(spec, batch)
    assert (result.status[0], result.steps[0]) == ("diverged", diverges_at)
    monkeypatch.setattr("kernels.train.RETRAIN", RETRAIN - 1)  # no status: never train again
    skipping = train_kernel(spec, batch)
    assert skipping.columns.status[0] == RETRAIN
    assert np.isfinite(skipping.losses[0, diverges_at])


def test_masking_products_alone_would_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where inputs are 0, a dead unit hides its infinite output weight, which no other pattern shows."""
    spec = Spec("relu", task="blank")
    batch = same_settings([[0.5, 0.5, np.inf, -0.25, 0.5]], "float64", below=0.0, max_steps=4)
    result = assert_as_oracle(spec, batch)
    assert (result.status[0], result.steps[0]) == ("diverged", 0)
    monkeypatch.setattr("kernels.train.RETRAIN", RETRAIN - 1)  # no status: never train again
    masking = train_kernel(spec, batch)
    assert masking.columns.status[0] == RETRAIN
    assert np.isfinite(masking.losses[0, 0])


@pytest.mark.parametrize("bias", [True, False])
def test_infinite_gradient_of_inputs_of_zero(bias: bool) -> None:
    """Where all inputs are 0, an infinite gradient of the unit is 0 times infinity for each input weight.

    Without that product the bias would be -inf, or without biases nothing would change, and the loss stay finite.
    """
    spec = Spec("tanh", bias=bias, task="steep")
    start = [0.0, 0.0, 0.8e154, 0.0, 0.0] if bias else [0.0, 0.0, 0.8e154]
    result = assert_as_oracle(spec, same_settings([start], "float64", learning_rate=1e-200, below=0.0))
    assert (result.status[0], result.steps[0]) == ("diverged", 1)
    assert result.final_loss[0] == np.inf
    assert np.isfinite(result.initial_loss[0])


@pytest.mark.parametrize("most_steps", [0, 5])
def test_training_again_keeps_traces_in_shape(most_steps: int) -> None:
    """A run trained again whose limit is lower than another's has its own trace, padded with NaN."""
    spec = Spec("relu")
    weights = draw_weights(spec, 2, 3, 24)
    weights[1, 6] = -np.inf  # a hidden bias: the unit is dead, and the run as finite as any
    batch = same_settings(weights, "float64", below=0.0)
    result = assert_as_oracle(spec, replace(batch, max_steps=np.array([20, most_steps, 8])))
    assert result.status.tolist() == ["exhausted"] * 3


def test_overflow_in_the_criterion_is_no_convergence() -> None:
    """An infinite threshold is not met by NaN, and strictly not by an infinite loss."""
    spec = Spec("identity")
    weights = draw_weights(spec, 2, 8, 25) * np.array([[1e200], [1.0]] * 4)
    batch = same_settings(weights, "float64", below=np.inf, max_steps=2)
    assert assert_as_oracle(spec, batch).status.tolist() == ["diverged", "converged"] * 4


@pytest.mark.parametrize("criterion", ["none", "loss"])
@pytest.mark.parametrize(
    ("dtype", "rate", "diverges_at"),
    some_compiled(
        [("float64", 1e200, 1), ("float64", 1e100, 2), ("float32", 1e20, 1), ("float32", 1e12, 2)],
        lambda case: case[0] == "float64",
    ),
)
def test_overflow_is_seen_at_its_step(criterion: str, dtype: str, rate: float, diverges_at: int) -> None:
    """A loss that overflows ends the run at once, and one that is only huge does not, whether or not it is judged.

    The unit is dead; the output bias alone moves, by 8 times the rate times its distance from the mean.
    """
    spec = Spec("relu", criterion=criterion, dtype=dtype)
    start = [0.0, 0.0, 1.0, -1.0, 0.75]
    batch = same_settings([start] * 3, dtype, learning_rate=rate, below=0.0, max_steps=5)
    batch = replace(batch, learning_rate=np.array([rate, 0.01, 0.125]))
    result = assert_as_oracle(spec, batch)
    assert result.status.tolist()[:2] == ["diverged", "exhausted"]
    assert result.steps[0] == diverges_at

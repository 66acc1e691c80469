"""Losses at their edges: overflow far from targets, sums that saturate a sigmoid, and margins of exactly 1."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.kernels.compare import assert_as_oracle
from tests.kernels.runs import draw_runs, draw_weights, make_runs
from tests.kernels.specs import Spec
from tests.kernels.support import DTYPES, assert_equal, sized, some_compiled

FAR = {"float64": "far", "float32": "less far"}


@pytest.mark.parametrize(
    ("dtype", "criterion"),
    some_compiled(itertools.product(DTYPES, ("none", "loss")), lambda _: False),
)
def test_small_outputs_far_from_their_targets(dtype: str, criterion: str) -> None:
    """A network whose squared error overflows diverges at once, however small its outputs are."""
    spec = Spec("relu", criterion=criterion, dtype=dtype, task=FAR[dtype])
    weights = 0.1 * draw_weights(spec, 3, sized(100, 10), 92)
    result = assert_as_oracle(
        spec, make_runs(weights, dtype)
    )  # no limit near the first step, where everything is evaluated
    assert set(result.status) == {"diverged"}
    assert (result.steps == 0).all()


@pytest.mark.parametrize(
    ("dtype", "bias", "criterion", "tuning"),
    some_compiled(
        [
            (*kind, criterion, tuning)
            for kind in (("float64", 1e160), ("float32", 1e25))
            for criterion in ("none", "loss")
            for tuning in ("plain", "three packets")
        ],
        lambda case: case[::2] == ("float64", "none") and case[3] == "plain",
    ),
)
def test_loss_that_is_infinite_once(dtype: str, bias: float, criterion: str, tuning: str) -> None:
    """In any packet a run ends where its loss is infinite, even if it would be finite again at the next step.

    The unit is dead, and with this learning rate a step takes the output bias to the mean of the targets.
    """
    spec = Spec("relu", criterion=criterion, dtype=dtype, tuning=tuning)
    for place in (3, 11, 19, 27, 43):
        weights = np.tile([0.0, 0.0, 1.0, -1.0, 0.75], (48, 1))
        weights[place, 4] = bias
        result = assert_as_oracle(spec, make_runs(weights, dtype, learning_rate=0.125, threshold=0.0, max_steps=5))
        assert np.flatnonzero(result.status == "diverged").tolist() == [place]
        assert result.steps[place] == 0


@pytest.mark.parametrize("dtype", some_compiled(DTYPES, lambda _: False))
def test_finite_loss_of_errors_too_large_to_double(dtype: str) -> None:
    """A finite loss counts as finite, even if doubled errors or a doubled bias would overflow on the way."""
    spec, largest = Spec("relu", criterion="none", dtype=dtype), float(np.finfo(dtype).max)
    weights = np.tile([0.0, 0.0, 1.0, -1.0, 0.75], (48, 1))
    weights[[5, 22, 40], 4] = 0.4 * largest**0.5  # four squares of it have a finite sum, their doubles do not
    weights[[9, 30], 2:] = -0.75 * largest, 1.0, 0.75 * largest  # the unit subtracts what the bias adds
    result = assert_as_oracle(spec, make_runs(weights, dtype, learning_rate=0.125, threshold=0.0, max_steps=5))
    assert (result.steps[[5, 22, 40]] == 5).all()
    assert (result.steps[[9, 30]] == 1).all()  # its gradients overflow


@pytest.mark.parametrize("dtype", some_compiled(DTYPES, lambda _: False))
def test_targets_of_two_and_more_as_oracle(dtype: str) -> None:
    """Without a criterion, outputs near large targets are no divergence, and errors are computed."""
    spec = Spec("relu", criterion="none", dtype=dtype, task="high")
    result = assert_as_oracle(spec, draw_runs(spec, 3, sized(100, 30), 3, 30))
    assert {"diverged", "exhausted"} == set(result.status)


@pytest.mark.parametrize("dtype", some_compiled(DTYPES, lambda _: False))
def test_bce_of_a_saturated_sigmoid(dtype: str) -> None:
    """The loss is computed from the sum u, not from y: finite and accurate where y is 0 or 1, for any target."""
    spec = Spec("identity", "sigmoid", "bce", dtype=dtype, task="one target")
    u = np.array([-1e30, -800, -100, -30, -1e-3, 0, 1e-3, 30, 100, 800, 1e30, -np.inf, np.inf], dtype)
    weights = np.zeros((len(u), spec.n_parameters(1)))
    weights[:, -1] = u  # the output bias
    result = assert_as_oracle(spec, make_runs(weights, dtype, learning_rate=1.0, threshold=0.0, max_steps=3))
    expected = np.logaddexp(0, -u.astype("f8"))  # -log y, for the target of 1
    tolerance = {"float64": 1e-14, "float32": 1e-6}[dtype]
    np.testing.assert_allclose(result.initial_loss[:-2], expected[:-2], rtol=tolerance, atol=1e-45)
    assert "diverged" not in result.status[:-2]
    assert set(result.status[-2:]) == {"diverged"}


@pytest.mark.parametrize("dtype", some_compiled(DTYPES, lambda _: False))
def test_hinge_at_its_margin(dtype: str) -> None:
    """At a margin of exactly 1 loss and gradient are 0; right below it neither is."""
    spec, one = Spec("identity", loss="hinge", dtype=dtype, task="one target"), np.ones(1, dtype)
    margins = np.concatenate([np.nextafter(one, 0 * one), one, np.nextafter(one, 2 * one), -one, 0 * one])
    weights = np.zeros((5, spec.n_parameters(1)), dtype)
    weights[:, -1] = margins  # the output bias, for the target of 1
    result = assert_as_oracle(spec, make_runs(weights, dtype, learning_rate=0.25, threshold=0.0, max_steps=3))
    assert_equal(result.initial_loss.astype(dtype), np.maximum(1 - margins, 0), "losses")
    assert_equal(result.weights[:, -1] != margins, margins < 1, "those that move")

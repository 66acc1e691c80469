"""What a step makes of outputs and targets: twice the error, and whether the loss can be infinite."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from kernels.losses import twice_the_error
from kernels.simd import jit, lanes
from tests.kernels.support import (
    DTYPES,
    Array,
    Spec,
    assert_as_oracle,
    assert_equal,
    draw_batch,
    draw_weights,
    same_settings,
    sized,
    some_compiled,
)

WIDTH = 8


def _numbers(dtype: str, count: int, seed: int) -> Array:
    """Draw numbers of all sizes, some of them special."""
    info, random = np.finfo(dtype), np.random.default_rng(seed)
    numbers = random.normal(size=count) * 2.0 ** random.uniform(info.minexp - 20, info.maxexp - 3, count)
    numbers[: count // 2] = random.normal(size=count // 2)
    special = [0.0, info.smallest_subnormal, info.tiny, 0.5, 1.0, 1 + info.eps, info.max / 2, info.max, np.inf, np.nan]
    numbers[: len(special)] = special
    return random.permutation(numbers).astype(dtype).reshape(-1, WIDTH)


@pytest.mark.parametrize("dtype", DTYPES)
def test_twice_the_error(dtype: str) -> None:
    """It has the bits of the error made first and doubled then, or is not finite where something huge is doubled."""
    memory = lanes.memory(dtype, WIDTH)
    load, store = memory.load, memory.store

    @jit.numba.njit
    def run(totals: Array, biases: Array, target: float, out: Array) -> None:
        for k in range(totals.shape[0]):
            store(out, k, twice_the_error(load(totals, k), load(biases, k), target))

    info = np.finfo(dtype)
    count = sized(4096, 1024)
    totals, biases, out = (lanes.aligned_rows(2 * count // WIDTH, WIDTH, dtype) for _ in range(3))
    totals[:], biases[:] = _numbers(dtype, 2 * count, 91), _numbers(dtype, 2 * count, 92)
    targets = [0.0, -0.0, 1.0, -1.0, 0.1, info.tiny, info.smallest_subnormal, 2.0**60, info.max / 2, info.max]
    for target in np.array(targets, dtype):
        with np.errstate(all="ignore"):
            # In half of the rows the bias is near the total, or what is missing to the target.
            near = (target * (np.arange(count // WIDTH) % 2)[:, None] - totals[: count // WIDTH]).astype(dtype)
            biases[: count // WIDTH] = near * (1 + info.eps * np.arange(-4, 4)).astype(dtype)
            run(totals, biases, target, out)
            expected = 2 * ((totals + biases) - target)
        huge = np.maximum(np.maximum(abs(totals), abs(biases)), abs(target)) > info.max / 4
        exact = ~huge | np.isfinite(out)
        assert_equal(out[exact], expected[exact].astype(dtype), f"target {target}")
        assert not np.isfinite(out[~exact]).any()
        assert exact.mean() > 0.8 or abs(target) > info.max / 4


@pytest.mark.parametrize(
    ("dtype", "task", "criterion"),
    some_compiled(
        [
            (*kind, criterion)
            for kind in (("float64", "far"), ("float32", "less far"))
            for criterion in ("none", "loss")
        ],
        lambda case: (case[0] == "float64") == (case[2] == "none"),
    ),
)
def test_small_outputs_far_from_their_targets(dtype: str, task: str, criterion: str) -> None:
    """However small its outputs, a network whose squared error overflows diverges at once."""
    spec = Spec("relu", criterion=criterion, dtype=dtype, task=task)
    weights = 0.1 * draw_weights(spec, 2, sized(100, 10), 92)
    batch = same_settings(weights, dtype)  # no limit near the first step, where all would be looked at
    result = assert_as_oracle(spec, batch)
    assert set(result.status) == {"diverged"}
    assert (result.steps == 0).all()


@pytest.mark.parametrize(
    ("dtype", "bias", "criterion", "tuning"),
    some_compiled(
        [
            (*kind, criterion, tuning)
            for kind in (("float64", 1e160), ("float32", 1e25))
            for criterion in ("none", "loss")
            for tuning in ("maxima", "three batches")
        ],
        lambda case: (case[0] == "float64") == (case[2] == "none"),
    ),
)
def test_loss_that_is_infinite_once(dtype: str, bias: float, criterion: str, tuning: str) -> None:
    """In any batch a run ends where its loss is infinite, though at the next step it would be finite again.

    The unit is dead, and with this learning rate a step takes the output bias to the mean of the targets.
    """
    spec = Spec("relu", criterion=criterion, dtype=dtype, tuning=tuning)
    for place in (3, 11, 19, 27, 43):
        weights = np.tile([0.0, 0.0, 1.0, -1.0, 0.75], (48, 1))
        weights[place, 4] = bias
        result = assert_as_oracle(spec, same_settings(weights, dtype, learning_rate=0.125, below=0.0, max_steps=5))
        assert np.flatnonzero(result.status == "diverged").tolist() == [place]
        assert result.steps[place] == 0


@pytest.mark.parametrize(
    ("dtype", "tuning"),
    some_compiled(
        itertools.product(DTYPES, ("maxima", "three batches")),
        lambda case: (case[0] == "float64") == (case[1] == "maxima"),
    ),
)
def test_finite_loss_of_errors_too_large_to_double(dtype: str, tuning: str) -> None:
    """A loss that is finite counts as finite, though doubled errors or a doubled bias would overflow on the way."""
    spec, largest = Spec("relu", criterion="none", dtype=dtype, tuning=tuning), float(np.finfo(dtype).max)
    weights = np.tile([0.0, 0.0, 1.0, -1.0, 0.75], (48, 1))
    weights[[5, 22, 40], 4] = 0.4 * largest**0.5  # four squares of it have a finite sum, their doubles not
    weights[[9, 30], 2:] = -0.75 * largest, 1.0, 0.75 * largest  # the unit takes back what the bias adds
    result = assert_as_oracle(spec, same_settings(weights, dtype, learning_rate=0.125, below=0.0, max_steps=5))
    assert (result.steps[[5, 22, 40]] == 5).all()
    assert (result.steps[[9, 30]] == 1).all()  # its gradients overflow


@pytest.mark.parametrize("dtype", some_compiled(DTYPES, lambda dtype: dtype == "float64"))
def test_targets_of_two_and_more_as_oracle(dtype: str) -> None:
    """Without a criterion outputs near large targets are no sign of divergence, and errors are looked at."""
    spec = Spec("relu", criterion="none", dtype=dtype, task="high")
    for hidden in (2, 3):
        result = assert_as_oracle(spec, draw_batch(spec, hidden, sized(100, 30), hidden, 30))
        assert {"diverged", "exhausted"} == set(result.status)

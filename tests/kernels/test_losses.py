"""What a step makes of outputs and targets: twice the error, and whether the loss can be infinite."""

from __future__ import annotations

import numpy as np
import pytest

from kernels import jit, lanes
from kernels.losses import twice_the_error
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
)

WIDTH = 8


def _numbers(dtype: str, count: int) -> Array:
    """Draw numbers of all sizes, some of them special."""
    info, random = np.finfo(dtype), np.random.default_rng(91)
    numbers = random.normal(size=count) * 2.0 ** random.uniform(info.minexp - 20, info.maxexp - 3, count)
    numbers[: count // 2] = random.normal(size=count // 2)
    special = [0.0, info.smallest_subnormal, info.tiny, 0.5, 1.0, 1 + info.eps, info.max / 2, info.max, np.inf, np.nan]
    numbers[: len(special)] = special
    return random.permutation(numbers).astype(dtype).reshape(-1, WIDTH)


@pytest.mark.parametrize("dtype", DTYPES)
def test_twice_the_error(dtype: str) -> None:
    """One operation or two have the bits of the error made first and doubled then, whatever output and target."""
    memory = lanes.memory(dtype, WIDTH)
    load, store = memory.load, memory.store

    @jit.numba.njit
    def run(outputs: Array, target: float, out: Array) -> None:
        for k in range(outputs.shape[0]):
            store(out, k, twice_the_error(load(outputs, k), target))

    info = np.finfo(dtype)
    outputs = _numbers(dtype, sized(4096, 1024))
    targets = [0.0, 1.0, -1.0, 0.1, info.tiny, info.smallest_subnormal, 2.0**59, 2.0**60, info.max / 2, info.max]
    for target in np.array(targets, dtype):
        given = lanes.aligned_rows(len(outputs) + 1, WIDTH, dtype)
        out = lanes.aligned_rows(len(given), WIDTH, dtype)
        with np.errstate(all="ignore"):
            given[:-1], given[-1] = outputs, target * (1 + info.eps * np.arange(-4, 4)).astype(dtype)
            run(given, target, out)
            assert_equal(out, given.dtype.type(2) * (given - target), f"target {target}")


@pytest.mark.parametrize("criterion", ["none", "loss"])
@pytest.mark.parametrize(("dtype", "task"), [("float64", "far"), ("float32", "less far")])
def test_small_outputs_far_from_their_targets(dtype: str, task: str, criterion: str) -> None:
    """However small its outputs, a network whose squared error overflows diverges at once."""
    spec = Spec("relu", criterion=criterion, dtype=dtype, task=task)
    weights = 0.1 * draw_weights(spec, 2, sized(100, 10), 92)
    batch = same_settings(weights, dtype)  # no limit near the first step, where all would be looked at
    result = assert_as_oracle(spec, batch)
    assert set(result.status) == {"diverged"}
    assert (result.steps == 0).all()


@pytest.mark.parametrize("criterion", ["none", "loss"])
@pytest.mark.parametrize(("dtype", "bias"), [("float64", 1e160), ("float32", 1e25)])
def test_loss_that_is_infinite_once(dtype: str, bias: float, criterion: str) -> None:
    """In any batch a run ends where its loss is infinite, though at the next step it would be finite again.

    The unit is dead, and with this learning rate a step takes the output bias to the mean of the targets.
    """
    spec = Spec("relu", criterion=criterion, dtype=dtype)
    for place in (3, 11, 19, 27):
        weights = np.tile([0.0, 0.0, 1.0, -1.0, 0.75], (32, 1))
        weights[place, 4] = bias
        result = assert_as_oracle(spec, same_settings(weights, dtype, learning_rate=0.125, below=0.0, max_steps=5))
        assert np.flatnonzero(result.status == "diverged").tolist() == [place]
        assert result.steps[place] == 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_targets_of_two_and_more_as_oracle(dtype: str) -> None:
    """Without a criterion outputs near large targets are no sign of divergence, and errors are looked at."""
    spec = Spec("relu", criterion="none", dtype=dtype, task="high")
    for hidden in (2, 3):
        result = assert_as_oracle(spec, draw_batch(spec, hidden, sized(100, 30), hidden, 30))
        assert {"diverged", "exhausted"} == set(result.status)

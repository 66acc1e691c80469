"""Networks in which each layer receives the outputs of all earlier ones, beside the oracle and other networks."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from kernels.start.initialize import Start, initial_weights
from tests.kernels.compare import assert_as_oracle, train_kernel
from tests.kernels.runs import Kinds, draw_runs
from tests.kernels.specs import Spec
from tests.kernels.support import assert_equal, in_soak_if_compiled, sized, some_compiled

LAYERS = ((4,), (2, 3), (1, 2, 3))  # below the last one
STEPS: dict[str, dict[str, Any]] = {
    "at once": {"task": "xor"},
    "zeros in memory": {"task": "xor", "tuning": "no constants"},
    "online": {"task": "xor", "batch": 1, "order": "shuffled"},
    "in blocks": {"task": "many numbers", "tuning": "uneven blocks"},
    "in packets": {"task": "adder", "tuning": "rows of 32 bytes"},
}
PENALIZED = {"penalty": True, "used": ("gain", "weight_decay")}
WITH: dict[str, dict[str, Any]] = {
    "states": {"optimizer": "adam", "activation": "tanh", "scaling": "ntk", "dtype": "float32"},
    "without biases": {"bias": False, "optimizer": "momentum"},
    "frozen": {"freeze": ("k2[0,1]", "k[5,0]", "k[1,0]", "w2[0,0]", "k2[1,0]"), "optimizer": "adam", "task": "xor"},
    "frozen arrays": {"freeze": ("k",)},
    "equal rows": {"share": (("k2[0]", "k2[1]"), ("k[0]", "k[2]"), ("w1[0]", "w1[1]")), "decays": ("w", "k")}
    | PENALIZED,
    "equal weights": {"share": (("k2[0,0]", "k2[1,1]"), ("k[0,0]", "k[2,0]")), "decays": ("k", "c")} | PENALIZED,
}


@pytest.mark.parametrize(
    ("below", "steps", "others"),
    some_compiled(
        itertools.product(LAYERS, STEPS, WITH),
        {((2, 3), "at once", "states"), ((2, 3), "in blocks", "equal rows")}.__contains__,
        lambda case: (LAYERS.index(case[0]) + list(STEPS).index(case[1]) + list(WITH).index(case[2])) % 3 == 0,
    ),
)
def test_layers_that_receive_all_earlier_ones_as_oracle(below: tuple[int, ...], steps: str, others: str) -> None:
    """Every number is equal, with all ways of taking a step and whatever names the arrays k2, k3, .. and k."""
    spec = Spec(**{"skip": "all", "below": below, **STEPS[steps], **WITH[others]})
    most = sized(12, 6) if spec.n_windows == 1 else 2 * spec.n_windows + 1
    assert_as_oracle(spec, draw_runs(spec, 3, sized(20, 8), 5, most, Kinds(output_rate="own")))


@in_soak_if_compiled
def test_one_hidden_layer_is_that_with_skip_connections_to_outputs() -> None:
    """With one hidden layer a network that joins all layers is one that joins inputs to outputs, bit for bit."""
    runs = draw_runs(Spec("tanh", skip=True), 3, 10, 6, 20)
    all_joined, joined = (train_kernel(Spec("tanh", skip=skip), runs) for skip in ("all", True))
    assert_equal(all_joined.final_weights, joined.final_weights, "final weights")
    assert_equal(all_joined.losses, joined.losses, "losses")


def test_initial_weights_take_the_arrays_in_their_order_of_drawing() -> None:
    """By default k2, k3, .. and k are drawn last; k in an order stands for those that it does not name."""
    architecture = Spec(skip="all", below=(2, 3), bias=False).recipe.architecture
    shapes = architecture.shapes((2, 3, 2))
    assert list(shapes) == ["w1", "w2", "w3", "v", "k2", "k3", "k"]
    assert [shapes[name] for name in ("k2", "k3", "k")] == [(2, 3), (4, 2), (7, 1)]
    numbers = np.random.RandomState(3).randn(architecture.n_parameters((2, 3, 2)))
    drawn = initial_weights(Start(), np.array([3]), architecture, (2, 3, 2), "float64")[0]
    np.testing.assert_array_equal(drawn, numbers)
    other = initial_weights(Start(order="k3 k v w b c"), np.array([3]), architecture, (2, 3, 2), "float64")[0]
    parts = architecture.split(other, (2, 3, 2))
    in_order = [parts[name].ravel() for name in ("k3", "k2", "k", "v", "w1", "w2", "w3")]
    np.testing.assert_array_equal(np.concatenate(in_order), numbers)

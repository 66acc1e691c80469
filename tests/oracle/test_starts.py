"""Initial weights: orders of drawing, and separate scales."""

from __future__ import annotations

import numpy as np
import pytest

from tests.oracle import initial_parameters, initial_weights, parameter_shapes

SEEDS = [0, 7, 2**32 - 1]
SAME = {"w": 0.5, "v": 0.5, "biases": 0.5}


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
@pytest.mark.parametrize("generator", ["mt19937", "pcg64"])
def test_default_order_is_that_of_the_rows(distribution: str, generator: str) -> None:
    """With one scale and the default order the parameters are the weights in a row, w, v, b, c and k."""
    for bias, skip, n in ((True, True, 21), (True, False, 17), (False, True, 16), (False, False, 12)):
        shapes = parameter_shapes(2, 3, 2, bias, skip)
        weights = initial_parameters(SEEDS, shapes, distribution, SAME, generator, "float32")
        np.testing.assert_array_equal(weights, initial_weights(SEEDS, n, distribution, 0.5, generator, "float32"))
        assert weights.dtype == np.float32


def test_other_orders() -> None:
    """Parameters are drawn as named, transposed or not, and returned in the order of the rows."""
    shapes = parameter_shapes(2, 3, 2, bias=True, skip=True)
    weights = initial_parameters([5], shapes, "uniform", SAME, "pcg64", "float64", order="k.T c w.T b v.T")[0]
    random = np.random.default_rng(5)
    k, c, w, b, v = (random.random(shape) - 0.5 for shape in ((2, 2), (2,), (3, 2), (3,), (2, 3)))
    np.testing.assert_array_equal(weights, np.concatenate([w.T.ravel(), v.T.ravel(), b, c, k.T.ravel()]))


def test_orders_of_layers() -> None:
    """A name with a number belongs to a layer, w1 and b1 to a single one; w and b stand for all others, in order."""
    for order in ("w.T b v w1", "b w.T v w1.T w2"):
        shapes = parameter_shapes(2, 3, 1, bias=False)
        weights = initial_parameters([5], shapes, "uniform", SAME, "pcg64", "float64", order=order)[0]
        random = np.random.default_rng(5)
        v, w = random.random((3, 1)) - 0.5, random.random(6) - 0.5
        w = w.reshape(3, 2).T if "w1.T" in order else w.reshape(2, 3)
        np.testing.assert_array_equal(weights, np.concatenate([w.ravel(), v.ravel()]))
    shapes = parameter_shapes(2, (3, 4, 5), 1, bias=True)
    weights = initial_parameters([5], shapes, "uniform", SAME, "pcg64", "float64", order="b2 w v w2.T b c")[0]
    random = np.random.default_rng(5)
    sizes = ((4,), (2, 3), (4, 5), (5, 1), (4, 3), (3,), (5,), (1,))
    b2, w1, w3, v, w2, b1, b3, c = (random.random(size) - 0.5 for size in sizes)
    np.testing.assert_array_equal(weights, np.concatenate([each.ravel() for each in (w1, w2.T, w3, v, b1, b2, b3, c)]))


def test_separate_scales() -> None:
    """Layers and biases have separate scales; skip connections have the output layer's; with 0, numbers are drawn."""
    shapes = parameter_shapes(2, 3, 1, bias=True, skip=True)
    plain = initial_parameters([1], shapes, "normal", {"w": 1, "v": 1, "biases": 1}, "mt19937", "float64")[0]
    weights = initial_parameters([1], shapes, "normal", {"w": 2, "v": 0.5, "biases": 0}, "mt19937", "float64")[0]
    np.testing.assert_array_equal(weights, plain * np.repeat([2, 0.5, 0, 0.5], [6, 3, 4, 2]))

"""Results have the same bits with the JIT and without, and on every machine.

The two ways cannot run in one process, so both are compared with one recorded digest. Who changes a digest (the
failure message shows the new one) raises ``kernels.NUMERICS``, so that old and new results never mix.
"""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pytest

import kernels
from tests.accuracy import inputs, survey
from tests.kernels.support import (
    DTYPES,
    TUNINGS,
    Array,
    Batch,
    Spec,
    as_stored,
    same_settings,
    some_compiled,
    train_kernel,
)

RECORDED_FOR = 2
FUNCTIONS = {
    ("exp", "float64"): "e0b574d00b3a50c1",
    ("exp", "float32"): "5e64d4d7d444c999",
    ("tanh", "float64"): "aae89a998df7b969",
    ("tanh", "float32"): "ea314a3663788bb1",
    ("sigmoid", "float64"): "900831bfbaca325b",
    ("sigmoid", "float32"): "37d9d0cd31b6496e",
    ("elu", "float64"): "1969504b027a614c",
    ("elu", "float32"): "e9527d4c7141cc36",
    ("softplus", "float64"): "6c37309262017946",
    ("softplus", "float32"): "fa3e7c8708a3729f",
    ("sin", "float64"): "9e77b7bea9a5b20c",
    ("sin", "float32"): "4a5b8a3ba8dbca35",
    ("cos", "float64"): "e8dd6a43f019743a",
    ("cos", "float32"): "202dc3833fd9862b",
    ("normal_cdf", "float64"): "532a8ef5565da249",
    ("normal_cdf", "float32"): "7bd4a8835f0246c0",
    ("normal_density", "float64"): "8ff58519b654d745",
    ("normal_density", "float32"): "723b69b0d3325d73",
}
TRAINING = {
    ("relu", "float64"): "f21a09f1892ac5b8",
    ("relu", "float32"): "c3661d0fe9f889f4",
    ("tanh", "float64"): "4144c30953712c70",
    ("tanh", "float32"): "5113689b143b61dd",
    ("sigmoid", "float64"): "0f33e01d8df40f95",
    ("sigmoid", "float32"): "ac08ded65054e349",
}


def _digest(*arrays: Array) -> str:
    """Hash arrays; the sign of a zero or of a NaN does not count."""
    digest = hashlib.sha256()
    for array in arrays:
        if array.dtype.kind == "f":
            array = np.where(np.isnan(array), np.nan, array + 0.0).astype(array.dtype)
        digest.update(np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))))
    return digest.hexdigest()[:16]


def _scattered(count: int, dtype: str) -> Array:
    """Scatter numbers over all bit patterns, and as many between -16 and 16, by integer arithmetic alone."""
    steps = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    keys = steps if dtype == "float64" else (steps >> np.uint64(32)).astype(np.uint32)
    middle = (steps >> np.uint64(40)).astype(np.int64) - 2**23
    return np.concatenate((inputs.from_keys(keys, dtype), (middle / 2**19).astype(dtype)))


def _batch(dtype: str, n_parameters: int) -> Batch:
    """Start from scattered weights between -1 and 1."""
    weights = _scattered(64 * n_parameters, "float64")[64 * n_parameters :].reshape(64, -1) / 16
    return same_settings(weights, dtype, learning_rate=0.25, below=0.5, max_steps=40)


def test_numerics_are_numbered() -> None:
    """The digests are those of the present number."""
    assert kernels.NUMERICS == RECORDED_FOR


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", survey.NAMES)
def test_functions(name: str, dtype: str) -> None:
    """The elementary functions have the recorded bits."""
    assert _digest(survey.apply(name, dtype, _scattered(1 << 16, dtype))) == FUNCTIONS[name, dtype]


@pytest.mark.parametrize(
    ("activation", "tuning", "dtype"),
    some_compiled(
        itertools.product(("relu", "tanh", "sigmoid"), TUNINGS, DTYPES),
        lambda case: (case[0], case[2]) == ("relu", "float64") or case[1:] == ("maxima", "float64"),
    ),
)
def test_training(activation: str, tuning: str, dtype: str) -> None:
    """Outcomes, final weights and losses of 64 networks have the recorded bits, however steps are taken."""
    spec = Spec(activation, dtype=dtype, tuning=tuning)
    outcome = train_kernel(spec, _batch(dtype, spec.architecture.n_parameters(3)))
    assert _digest(*as_stored(outcome.columns), outcome.final_weights, outcome.losses) == TRAINING[activation, dtype]

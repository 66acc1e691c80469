"""Results have the same bits with the JIT and without, and on every machine.

The two ways cannot run in one process, so both are compared with one recorded digest. A change of a digest (the
failure message shows the new one) must raise ``kernels.NUMERICS``, so that old and new results never mix.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import kernels
from kernels.components.reductions import REDUCTIONS
from tests.accuracy import inputs, survey
from tests.kernels.compare import train_kernel
from tests.kernels.runs import Runs, make_runs
from tests.kernels.specs import TUNINGS, Spec
from tests.kernels.support import DTYPES, Array, some_compiled

RECORDED_FOR = 4
FUNCTIONS = {
    ("exp", "float64"): "e0b574d00b3a50c1",
    ("exp", "float32"): "5e64d4d7d444c999",
    ("log", "float64"): "b123b789f536ca9a",
    ("log", "float32"): "12c5021723b2fb07",
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
OTHER_TRAINING = {
    ("leaky_relu", "float64"): "6b9a1420918d0841",
    ("leaky_relu", "float32"): "e8017835c7db1a83",
    ("elu", "float64"): "8f03c379bf7b85a9",
    ("elu", "float32"): "d07a4e599d33ca37",
    ("softplus", "float64"): "af639a9fc1927631",
    ("softplus", "float32"): "b73847ea6d0086d7",
    ("silu", "float64"): "afe77420471d618a",
    ("silu", "float32"): "17f4d3a4c212681f",
    ("gelu", "float64"): "0332a42a02942089",
    ("gelu", "float32"): "f69a856b0f017100",
    ("sin", "float64"): "bf3b2464993622c5",
    ("sin", "float32"): "05405ee96e8df48a",
}

# Recipes that have every other component.
OTHERS = {
    "leaky_relu": Spec("leaky_relu", "leaky_relu", "half_squared", "mean", "momentum", 3, task="adder", skip=True),
    "elu": Spec("elu", "elu", "hinge", "pattern_mean", "nesterov", 1, "shuffled", task="numbers", scaling="ntk"),
    "softplus": Spec("softplus", "sigmoid", "bce", "mean", "rmsprop", task="adder", scaling="mean_field"),
    "silu": Spec("silu", "silu", "squared", "mean", "adam", 7, "shuffled", task="many numbers", bias=False),
    "gelu": Spec("gelu", "gelu", "half_squared", "pattern_mean", "rprop", task="numbers", skip=True),
    "sin": Spec("sin", "sin", "hinge", "sum", "gd", 7, task="parity"),
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
    """Scatter numbers over all bit patterns, and as many between -16 and 16, with integer arithmetic alone."""
    steps = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    keys = steps if dtype == "float64" else (steps >> np.uint64(32)).astype(np.uint32)
    decision_threshold = (steps >> np.uint64(40)).astype(np.int64) - 2**23
    return np.concatenate((inputs.from_keys(keys, dtype), (decision_threshold / 2**19).astype(dtype)))


def _runs(spec: Spec, **settings: Any) -> Runs:
    """Start from scattered weights between -1 and 1."""
    count = 64 * spec.n_parameters(3)
    weights = _scattered(count, "float64")[count:].reshape(64, -1) / 16
    return make_runs(weights, spec.dtype, **({"learning_rate": 0.25, "threshold": 0.5, "max_steps": 40} | settings))


def _digest_training(spec: Spec, runs: Runs) -> str:
    """Hash outcomes, final weights and losses."""
    outcome = train_kernel(spec, runs)
    # as rows hold them
    kinds = {
        "status": "i1",
        "steps": "i4",
        "initial_loss": "f8",
        "final_loss": "f8",
        "n_correct": "i4",
        "max_error": "f8",
    }
    columns = (getattr(outcome.columns, name).astype(kind) for name, kind in kinds.items())
    return _digest(*columns, outcome.final_weights, outcome.losses)


def test_numerics_are_numbered() -> None:
    """The digests are those of the current version."""
    assert kernels.NUMERICS == RECORDED_FOR


# What only `make test-all` compiles, for each CPU.
PLAIN = [("relu", "plain", "float64"), ("tanh", "plain", "float64")]
COMPILED = [("softplus", "float64")]


@pytest.mark.compiled
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", survey.NAMES)
def test_functions(name: str, dtype: str) -> None:
    """The elementary functions have the recorded bits."""
    assert _digest(survey.apply(name, dtype, _scattered(1 << 16, dtype))) == FUNCTIONS[name, dtype]


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("activation", "tuning", "dtype"),
    [
        *some_compiled(
            (case for case in itertools.product(("relu", "tanh", "sigmoid"), TUNINGS, DTYPES) if case not in PLAIN),
            ("relu", "rows of 16 bytes", "float64").__eq__,
        ),
        *(pytest.param(*case, marks=pytest.mark.wide) for case in PLAIN),
    ],
)
def test_training(activation: str, tuning: str, dtype: str) -> None:
    """64 networks have the recorded bits, with every way of taking a step."""
    spec = Spec(activation, dtype=dtype, tuning=tuning)
    assert _digest_training(spec, _runs(spec)) == TRAINING[activation, dtype]


@pytest.mark.wide
@pytest.mark.compiled
@pytest.mark.parametrize(
    ("name", "dtype"), some_compiled(itertools.product(OTHERS, DTYPES), lambda case: case in COMPILED)
)
def test_training_with_other_components(name: str, dtype: str) -> None:
    """The same holds with every other activation, loss, optimizer and order of patterns."""
    spec = replace(OTHERS[name], dtype=dtype, used=("gain",))
    rates = {"learning_rate": 0.01, "output_learning_rate": 0.02}
    runs = _runs(spec, **rates, threshold=np.linspace(0, 2, 64), gain=1.5, negative_slope=0.2)
    assert _digest_training(spec, runs) == OTHER_TRAINING[name, dtype]


def test_recorded_components() -> None:
    """Digests cover every reduction and order, and every component with its own elementary function."""
    specs = [Spec(activation) for activation, _ in TRAINING] + list(OTHERS.values())
    assert {spec.reduction for spec in specs} == set(REDUCTIONS)
    assert {spec.order for spec in specs} == {"cyclic", "shuffled"}
    assert {name for name, _ in FUNCTIONS} == set(survey.NAMES)

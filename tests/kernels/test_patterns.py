"""The caller's patterns stay unchanged, and results do not depend on how a kernel reads them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kernels.train import Trainer
from kernels.tuning import tuning_here
from tests.kernels.compare import assert_same_outcome, seeds_of, train_kernel
from tests.kernels.runs import draw_runs
from tests.kernels.specs import Spec
from tests.kernels.support import DTYPES, sized, some_compiled

SPECS = [
    Spec("relu"),
    Spec("relu", batch=3),
    Spec("tanh", optimizer="adam", order="shuffled", batch=3, skip=True),
    Spec("sigmoid", "sigmoid", "bce", skip=True, bias=False),
    Spec("gelu", loss="hinge", scaling="ntk", dtype="float32"),
]


@pytest.mark.parametrize("spec", some_compiled(SPECS, lambda spec: SPECS.index(spec) in (0, 2)), ids=range(len(SPECS)))
def test_constant_and_other_patterns_give_equal_results(spec: Spec) -> None:
    """Patterns that are constants, whose zeros and ones vanish, and patterns read at run time give equal results."""
    runs = draw_runs(spec, 3, sized(200, 20), 42, sized(200, 20))
    constant = train_kernel(spec, runs)
    assert_same_outcome(constant, train_kernel(replace(spec, tuning="no constants"), runs), "patterns that are read")


@pytest.mark.parametrize("dtype", some_compiled(DTYPES, "float64".__eq__))
@pytest.mark.parametrize("tuning", some_compiled(["plain", "no constants"], "plain".__eq__))
def test_patterns_are_copied(dtype: str, tuning: str) -> None:
    """A trainer neither freezes the caller's arrays nor follows their changes."""
    spec = Spec("relu", dtype=dtype, tuning=tuning)
    runs = draw_runs(spec, 3, 4, 41, 10)
    inputs, targets = (array.astype(dtype) for array in spec.patterns)
    trainer = Trainer(spec.recipe, inputs, targets, tuning=tuning_here().for_width(sized(None, 4), spec.dtype))
    assert inputs.flags.writeable
    assert targets.flags.writeable
    inputs[:], targets[:] = 7.0, 7.0
    asked = {"seeds": seeds_of(spec, runs), "final_weights": True, "losses": True}
    outcome = trainer.train(runs.settings, runs.weights, **asked)
    assert_same_outcome(outcome, train_kernel(spec, runs), dtype)


def test_patterns_of_any_kind_of_number() -> None:
    """Integers, narrower numbers and rows that are not contiguous are rounded to the dtype like all others."""
    spec = Spec("relu")
    inputs, targets = spec.patterns
    runs, expected = draw_runs(spec, 3, 8, 44, 10), None
    for kind in ("int64", "int8", "float32", "float64"):
        strided = np.asfortranarray(inputs.astype(kind)), targets.astype(kind)[::-1][::-1]
        outcome = Trainer(spec.recipe, *strided, tuning=tuning_here().for_width(sized(None, 8), spec.dtype)).train(
            runs.settings, runs.weights, final_weights=True, losses=True
        )
        expected = expected or outcome
        assert_same_outcome(outcome, expected, kind)

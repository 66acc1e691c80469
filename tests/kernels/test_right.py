"""Patterns that are right: by hand on a few outputs, and equal to the oracle's."""

from __future__ import annotations

import numpy as np
import pytest

from tests.kernels.compare import assert_as_oracle, predict, statuses, train_kernel
from tests.kernels.runs import Kinds, draw_runs, make_runs
from tests.kernels.specs import Spec
from tests.kernels.support import DTYPES, sized, some_compiled

SPECS = [
    Spec("tanh", counts_right=True, criterion="none", task="xor"),
    Spec("tanh", counts_right=True, criterion="none", task="adder", sets="targets"),
    Spec("relu", counts_right=True, one_hot=True, criterion="none", task="adder", dtype="float32", batch="uneven"),
    Spec("tanh", "sigmoid", one_hot=True, criterion="error_rate", monitor="accuracy", task="adder", batch=2),
    Spec("tanh", "sigmoid", counts_right=True, criterion="correct", monitor="n_correct", sets="targets"),
    Spec("relu", "tanh", one_hot=True, counts_right=True, criterion="error_rate", task="adder", batch=1),
    Spec("tanh", "softmax", "cross_entropy", counts_right=True, criterion="correct", task="adder", below=(3,)),
]


@pytest.mark.parametrize(
    "number", some_compiled(range(len(SPECS)), lambda number: number == 2), ids=lambda number: str(number)
)
def test_patterns_right_as_oracle(number: int) -> None:
    """The number of patterns that are right is the oracle's, also of runs that diverge."""
    spec = SPECS[number]
    result = assert_as_oracle(spec, draw_runs(spec, 3, 20, number, sized(60, 20), Kinds(divergence_threshold="own")))
    assert len(set(result.n_right)) > 2


def test_patterns_right_by_their_outputs() -> None:
    """With one-hot targets the largest output decides, and otherwise each must be on the side of its target."""
    for one_hot in (False, True):
        spec = Spec("tanh", counts_right=True, one_hot=one_hot, criterion="none", task="adder")
        runs = draw_runs(spec, 3, 30, 7, 30).having(learning_rate=0.05)
        outcome = train_kernel(spec, runs)
        (_, targets), *_ = spec.pattern_sets
        outputs = predict(spec, runs, outcome.final_weights).reshape(len(runs), *targets.shape)
        sides = ((outputs > 0.5) == (targets > 0.5)).all(axis=2)
        largest = outputs.argmax(axis=2) == targets.argmax(axis=1)
        assert outcome.columns.n_right[:, 0].tolist() == (largest if one_hot else sides).sum(axis=1).tolist()


@pytest.mark.parametrize("one_hot", some_compiled([False, True], lambda one_hot: one_hot))
def test_error_rate_is_strict(one_hot: bool) -> None:
    """A share of wrong patterns equal to the threshold has not converged; below the next larger threshold it has."""
    spec = Spec("tanh", "sigmoid", one_hot=one_hot, criterion="error_rate", task="adder")
    runs = draw_runs(spec, 3, 30, 7, 2).having(max_steps=0)
    (_, targets), *_ = spec.pattern_sets
    outputs = predict(spec, runs, runs.weights).reshape(len(runs), *targets.shape)
    sides = ((outputs > 0.5) == (targets > 0.5)).all(axis=2)
    right = outputs.argmax(axis=2) == targets.argmax(axis=1) if one_hot else sides
    share = (~right).mean(axis=1)
    equal, above = (
        train_kernel(spec, runs.having(threshold=threshold)).columns for threshold in (share, np.nextafter(share, 2))
    )
    assert not (statuses(equal) == "converged").any()
    assert (statuses(above) == "converged").all()


@pytest.mark.parametrize("dtype", some_compiled(DTYPES, "float32".__eq__))
def test_outputs_on_the_threshold_are_wrong(dtype: str) -> None:
    """Rounding may put them there: a sum of 1e-20 has a sigmoid of 0.5. Of two equal largest outputs none is right."""
    for options in ({}, {"task": "adder", "one_hot": True}):
        spec = Spec("tanh", "sigmoid", criterion="none", dtype=dtype, counts_right=True, **options)
        runs = make_runs(np.zeros((2, spec.n_parameters(1))), dtype, max_steps=0)
        runs.weights[:, -1] = [1e-20, 0.0]  # the output bias
        columns = train_kernel(spec, runs).columns
        assert (columns.n_correct.tolist(), columns.n_right.tolist()) == ([0, 0], [[0], [0]])


def test_nothing_is_counted_unless_wanted() -> None:
    """Without it there is no column, and all other columns are the same."""
    spec = Spec("tanh")
    assert train_kernel(spec, draw_runs(spec, 2, 5, 1, 5)).columns.n_right.shape == (5, 0)

"""Loss thresholds: the step at which the loss is first below each, in one training with any criterion and any end."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from kernels.recipe import Recipe
from kernels.train import Trainer
from kernels.vocabulary import CRITERIA
from tests.kernels.compare import assert_as_oracle, assert_same_columns, train_bare, train_kernel
from tests.kernels.runs import Kinds, draw_runs, draw_weights, join, make_runs
from tests.kernels.specs import Spec
from tests.kernels.support import assert_equal, sized, some_compiled

TARGETS = (20.0, 3.0, 1.2, 0.6, 0.1)
MANY = tuple(10.0 ** (1 - k / 5) for k in range(16))
SPECS = [
    Spec("relu", targets=TARGETS),
    Spec("tanh", optimizer="adam", criterion="correct", targets=TARGETS, dtype="float32"),
    Spec("relu", criterion="none", targets=TARGETS, batch=3, order="shuffled"),
    Spec("sigmoid", "tanh", "squared", "mean", "momentum", "uneven", criterion="max_error", targets=MANY, task="adder"),
    Spec("tanh", reduction="mean", task="many numbers", targets=MANY),
]


@pytest.mark.parametrize(
    ("number", "hidden"),
    some_compiled(itertools.product(range(len(SPECS)), (1, 2, 8)), (2, 8).__eq__),
)
def test_thresholds_as_oracle(number: int, hidden: int) -> None:
    """Steps to each threshold are those of the oracle, at the start, later and never, with every criterion."""
    spec = SPECS[number]
    runs = draw_runs(
        spec, hidden, sized(60, 24), hidden, sized(80, 24), Kinds(divergence_threshold="own", from_step="own")
    )
    result = assert_as_oracle(spec, runs)
    found = result.threshold_steps
    assert (found == 0).any()
    assert (found > 0).any()
    assert (found == -1).any()
    assert (found <= result.steps[:, None]).all()


@pytest.mark.parametrize("criterion", some_compiled(CRITERIA, "loss".__eq__))
def test_thresholds_change_no_other_column(criterion: str) -> None:
    """Runs end at the same step with the same numbers, with loss thresholds or without."""
    spec = Spec("relu", criterion=criterion, targets=TARGETS)
    plain = replace(spec, targets=())
    runs = draw_runs(spec, 2, 60, 11, 60, Kinds(from_step="own"))
    given, expected = train_bare(spec, runs), train_bare(plain, runs)
    assert_same_columns(given._replace(threshold_steps=expected.threshold_steps), expected, criterion)


def test_order_of_thresholds_is_descending() -> None:
    """Thresholds may be passed in any order; columns are from the largest to the smallest."""
    spec = Spec("relu", targets=TARGETS)
    runs = draw_runs(spec, 3, 20, 5, 60)
    expected = train_kernel(spec, runs).columns.threshold_steps
    for order in (TARGETS[::-1], TARGETS[2:] + TARGETS[:2]):
        assert_equal(train_kernel(replace(spec, targets=order), runs).columns.threshold_steps, expected, str(order))


def test_infinite_weights_do_not_hide_a_threshold() -> None:
    """A run that is trained again, since products with zero were skipped, has the steps of its second training."""
    spec = Spec("relu", criterion="none", targets=TARGETS)
    sound = draw_weights(spec, 3, 4, 22)
    ill = np.repeat(sound[:1], sound.shape[1], axis=0)
    np.fill_diagonal(ill, math.inf)
    growing = make_runs(draw_weights(spec, 3, 8, 5), learning_rate=np.geomspace(1, 1e200, 8), max_steps=20)
    runs = join(make_runs(sound, max_steps=20), make_runs(ill, max_steps=20), growing)
    result = assert_as_oracle(spec, runs)
    assert (result.status == "diverged").sum() > 8
    assert (result.threshold_steps[4 : 4 + len(ill)] == -1).all(axis=1).sum() > 4
    diverged = result.status == "diverged"
    assert (result.threshold_steps[diverged] >= 0).any(), "earlier steps stay"


def test_the_loss_that_ends_a_run_can_reach_a_threshold() -> None:
    """Only the last loss can be below one under the criterion's; one above the divergence threshold comes earlier."""
    spec = Spec("relu", targets=(2.0, 1e-6))
    start = make_runs(
        draw_weights(spec, 3, 30, 6), learning_rate=0.05, threshold=1e9, divergence_threshold=1e-9, max_steps=5
    )
    result = assert_as_oracle(spec, start)
    assert set(result.status) == {"converged"}
    none = replace(spec, criterion="none")
    result = assert_as_oracle(none, start)
    assert set(result.status) == {"diverged"}
    assert set(result.threshold_steps[:, 0]) == {0, -1}


def test_thresholds_must_fit_the_recipe() -> None:
    """A recipe that records thresholds needs some, and another allows none."""
    spec = Spec("relu")
    recipes: list[tuple[Recipe, tuple[float, ...]]] = [
        (spec.recipe, (1.0,)),
        (spec.recipe._replace(records_thresholds=True), ()),
    ]
    for recipe, targets in recipes:
        with pytest.raises(ValueError, match="loss_thresholds: must fit"):
            Trainer(recipe, *spec.patterns, targets)

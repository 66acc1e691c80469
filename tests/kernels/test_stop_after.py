"""Runs that end with the update after the evaluation that decides it, from the same runs that end before it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.kernels.compare import assert_as_oracle, statuses, train_kernel
from tests.kernels.runs import Kinds, draw_runs
from tests.kernels.specs import Spec
from tests.kernels.support import sized, some_compiled

SPECS = {
    "full batch": Spec("tanh", loss_sums=("loss_sum", "tail_loss"), targets=(3.0, 1.0, 0.3), stop="after"),
    "patience": Spec("relu", monitor="loss", stopping_rule="patience_best", stop="after", dtype="float32"),
    "minibatches": Spec("tanh", batch="uneven", order="shuffled", monitor="loss", task="parity", stop="after"),
    "outputs": Spec("relu", criterion="correct", task="adder", monitor="n_correct", counts_right=True, stop="after"),
    "held out": Spec(
        "tanh",
        monitor="held_out_loss",
        criterion_on="held_out",
        held_out=4,
        validate_every=2,
        keeps_best=True,
        stop="after",
    ),
}


@pytest.mark.parametrize("name", some_compiled(SPECS, {"patience", "minibatches"}.__contains__))
def test_as_oracle(name: str) -> None:
    """Every number is the oracle's, whenever and however runs end."""
    spec = SPECS[name]
    most = sized(60, 24) if spec.n_windows == 1 else 10 * spec.n_windows + 1
    runs = draw_runs(spec, 3, sized(60, 30), 8, most, Kinds(divergence_threshold="own", from_step="own"))
    found = set(assert_as_oracle(spec, runs).status)
    assert "exhausted" in found
    assert found & {"converged", "plateau"}


@pytest.mark.wide
@pytest.mark.parametrize("name", some_compiled(["full batch", "minibatches"], "minibatches".__eq__))
def test_one_epoch_more(name: str) -> None:
    """A run takes an epoch more than without the option, within its limit, and has the weights of those steps."""
    spec = SPECS[name]
    runs = draw_runs(spec, 3, 100, 6, 30 * spec.n_windows + 1).having(divergence_threshold=np.inf)
    after, before = train_kernel(spec, runs), train_kernel(replace(spec, stop="before"), runs)
    limit = runs.settings["max_steps"]
    was = statuses(before.columns)
    decided = np.isin(was, ["converged", "plateau"]) & (before.columns.steps < limit)
    assert decided.sum() > 5
    expected = np.where(decided, np.minimum(before.columns.steps + spec.n_windows, limit), before.columns.steps)
    assert after.columns.steps.tolist() == expected.tolist()
    longer = train_kernel(replace(spec, stop="before", criterion="none", monitor=""), runs.having(max_steps=expected))
    assert np.array_equal(after.final_weights[decided], longer.final_weights[decided], equal_nan=True)
    assert after.columns.final_loss[decided].tolist() == longer.columns.final_loss[decided].tolist()

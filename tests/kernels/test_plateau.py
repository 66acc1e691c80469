"""Runs that end when they no longer improve, and sums of losses, from the losses of the same runs without patience."""

from __future__ import annotations

import numpy as np
import pytest

from tests.kernels.compare import assert_as_oracle, statuses, train_kernel
from tests.kernels.runs import draw_runs, make_runs
from tests.kernels.specs import Spec
from tests.kernels.support import DTYPES, in_soak_if_compiled, some_compiled

SPECS = {
    "full batch": Spec(criterion="none", monitor="loss"),
    "batches": Spec(criterion="none", monitor="loss", batch="uneven", order="shuffled", task="parity"),
    "float32": Spec(criterion="none", monitor="loss", activation="tanh", dtype="float32"),
    "many patterns": Spec(criterion="none", monitor="loss", task="many numbers", tuning="small blocks"),
}


def end_of(losses: list[float], patience: float, improvement: float) -> int | None:
    """Return the evaluation with which patience ends, by the rule in the documentation, or None."""
    best, last = np.inf, 0
    for evaluation, loss in enumerate(losses):
        if loss < best:
            best, last = type(losses[0])(loss - improvement), evaluation
        elif evaluation - last >= patience:
            return evaluation
    return None


@pytest.mark.parametrize("name", some_compiled(SPECS, {"full batch"}.__contains__))
def test_ends_follow_from_the_losses(name: str) -> None:
    """The end follows from the losses of the same run without patience; everything before it is the same."""
    spec = SPECS[name]
    runs = draw_runs(spec, 3, 40, 5, 60 * spec.n_windows)
    found, endless = train_kernel(spec, runs), train_kernel(spec, runs.having(patience=np.inf))
    n_plateaus = 0
    for run, (patience, improvement) in enumerate(runs.settings[["patience", "min_delta"]].tolist()):
        losses = endless.losses[run].astype(spec.dtype)
        losses = losses[: -(-int(endless.columns.steps[run]) // spec.n_windows) + 1]
        end = end_of(list(losses), patience, np.dtype(spec.dtype).type(improvement))
        expected = int(endless.columns.steps[run])
        if end is not None and np.isfinite(losses[end]):
            expected = min(expected, end * spec.n_windows)
            n_plateaus += 1
            assert statuses(found.columns)[run] == "plateau"
        assert found.columns.steps[run] == expected
    assert n_plateaus > 5


@in_soak_if_compiled
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("patience", [1, 3, 25])
def test_network_that_does_not_move(dtype: str, patience: int) -> None:
    """Its losses are all equal, and it ends after as many evaluations as its patience."""
    spec = Spec(monitor="loss", loss_sums=("loss_sum", "inverse_loss_sum", "tail_loss"), criterion="none", dtype=dtype)
    runs = make_runs(np.zeros((3, 9)), dtype, learning_rate=0.0, max_steps=100, patience=[patience, 200, 99])
    columns = train_kernel(spec, runs).columns
    assert statuses(columns).tolist() == ["plateau", "exhausted", "plateau"]
    assert columns.steps.tolist() == [patience, 100, 99]
    assert columns.final_loss.tolist() == [2.0] * 3  # two targets of 1, and outputs of 0
    n_evaluations = columns.steps + 1
    assert columns.loss_sums.tolist() == [[2.0 * n, 0.5 * n, 2.0] for n in n_evaluations.tolist()]


@in_soak_if_compiled
def test_divergence_and_convergence_come_first() -> None:
    """An evaluation that ends a run in another way does so even if patience ends with it."""
    spec = Spec(monitor="loss", loss_sums=("loss_sum", "inverse_loss_sum", "tail_loss"))
    weights = np.zeros((3, 9))
    runs = make_runs(
        weights, learning_rate=0.0, max_steps=50, patience=4, threshold=[3.0, 1.0, 1.0], divergence_threshold=[9, 1, 9]
    )
    runs = runs.having(from_step=np.array([4, 0, 0]))
    columns = train_kernel(spec, runs).columns
    # A network that no update changes has stalled; the first is not evaluated to have converged before step 4.
    assert statuses(columns).tolist() == ["stalled", "diverged", "stalled"]
    assert columns.steps.tolist() == [1, 0, 1]
    assert columns.loss_sums[1].tolist() == [2.0, 0.5, 2.0]


@pytest.mark.parametrize("monitor", some_compiled(["loss", "n_correct"], "n_correct".__eq__))
def test_number_of_right_outputs(monitor: str) -> None:
    """The number of correct outputs can be monitored; the oracle counts it independently."""
    spec = Spec(monitor=monitor, criterion="correct", task="adder", activation="tanh", loss_sums=("tail_loss",))
    expected = assert_as_oracle(spec, draw_runs(spec, 2, 40, 11, 40))
    assert (expected.status == "plateau").any()

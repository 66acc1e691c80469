"""Held-out patterns: stopping rules, criterion and thresholds that look at them, and the best parameters."""

from __future__ import annotations

import numpy as np
import pytest

import kernels.train
from kernels.train import Trainer
from tests.kernels.compare import assert_as_oracle
from tests.kernels.runs import Kinds, draw_runs
from tests.kernels.specs import Spec
from tests.kernels.support import in_soak_if_compiled, sized, some_compiled
from tests.rings import one_in

PLAIN = {"criterion": "none", "keeps_best": True}
SPECS = {
    "patience": Spec("tanh", monitor="held_out_loss", held_out=3, **PLAIN),
    "accuracy": Spec(
        "relu", monitor="held_out_accuracy", held_out=11, validate_every=3, task="adder", one_hot=True, **PLAIN
    ),
    "patience_best": Spec("tanh", monitor="held_out_loss", stopping_rule="patience_best", held_out=4, **PLAIN),
    "patience_change": Spec("relu", monitor="loss", stopping_rule="patience_change", criterion="none"),
    "change of accuracy": Spec(
        "tanh", monitor="held_out_accuracy", stopping_rule="patience_change", held_out=9, validate_every=2, **PLAIN
    ),
    "gl": Spec("relu", monitor="held_out_loss", stopping_rule="gl", held_out=5, validate_every=2, **PLAIN),
    "gl or progress": Spec(
        "softsign", monitor="held_out_loss", stopping_rule="gl_or_progress", held_out=6, validate_every=2, **PLAIN
    ),
    "criterion": Spec("relu", criterion_on="held_out", held_out=4, validate_every=2, keeps_best=True),
    "correct": Spec("relu", criterion="correct", criterion_on="held_out", held_out=2, task="adder", dtype="float32"),
    "error rate": Spec("relu", criterion="error_rate", criterion_on="held_out", held_out=5, task="adder", one_hot=True),
    "thresholds": Spec("relu", thresholds_on="held_out", held_out=7, validate_every=3, targets=(20.0, 3.0, 1.0, 0.3)),
    "minibatches": Spec(
        "tanh",
        optimizer="adam",
        batch="uneven",
        order="shuffled",
        monitor="held_out_loss",
        stopping_rule="gl_or_progress",
        task="many numbers",
        held_out=20,
        validate_every=2,
        **PLAIN,
    ),
    "layers": Spec(
        "tanh", "softmax", "cross_entropy", below=(3,), task="adder", held_out=6, validate_every=2, keeps_best=True
    ),
    "sets of targets": Spec("tanh", sets="targets", held_out=9, keeps_best=True, validate_every=2, dtype="float32"),
    "sets": Spec("relu", "sigmoid", "bce", sets="patterns", held_out=6, monitor="held_out_loss", **PLAIN),
    "training monitored": Spec("relu", monitor="loss", held_out=6, validate_every=2, **PLAIN),
}


@pytest.mark.parametrize("hidden", one_in(2, [5, 2]))
@pytest.mark.parametrize("name", some_compiled(SPECS, {"gl", "minibatches"}.__contains__))
def test_as_oracle(name: str, hidden: int) -> None:
    """Every number is the oracle's, whenever and however runs end."""
    spec = SPECS[name]
    most = sized(60, 24) if spec.n_windows == 1 else 10 * spec.n_windows + 1
    runs = draw_runs(spec, hidden, sized(50, 24), hidden, most, Kinds(divergence_threshold="own", from_step="own"))
    result = assert_as_oracle(spec, runs)
    if spec.monitor:
        assert (result.status == "plateau").any()
    if spec.keeps_best:
        assert (result.best_steps > 0).any()
        assert (result.best_steps <= result.steps).all()


@pytest.mark.parametrize("held_out", some_compiled([True, False], lambda held_out: held_out))
@pytest.mark.parametrize("sets", some_compiled(["targets", "patterns"], "patterns".__eq__))
def test_large_sets_go_by_themselves(sets: str, held_out: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks with the same patterns train together where a copy for each would be large; results are the same."""
    monkeypatch.setattr(kernels.train, "MOST_OWN_NUMBERS", 20)
    spec = Spec("tanh", sets=sets, task="adder", held_out=4, keeps_best=held_out, monitor="loss", optimizer="adam")
    runs = draw_runs(spec, 3, sized(50, 24), 3, sized(40, 12))
    assert len(spec.trainer()._sets) == 3
    assert_as_oracle(spec, runs)


def test_network_that_is_not_a_number_has_diverged() -> None:
    """It does not converge, though its held-out output is on the right side."""
    spec = Spec("relu", criterion="correct", criterion_on="held_out", held_out=1)
    runs = draw_runs(spec, 3, 40, 4, 3)
    results = [
        assert_as_oracle(spec, runs.having(weights=runs.weights * scale, learning_rate=0.0)) for scale in (1e3, 1e200)
    ]
    has_converged, may_not = (result.status == "converged" for result in results)
    assert (results[1].status[has_converged & ~may_not] == "diverged").any()


@in_soak_if_compiled
def test_best_of_runs_that_are_trained_again() -> None:
    """Where products with zero were skipped, an infinite weight leaves no best, and neighbors theirs."""
    spec = Spec("relu", criterion="none", held_out=4, keeps_best=True)
    runs = draw_runs(spec, 3, 12, 4, 10).having(learning_rate=0.05, divergence_threshold=np.inf)
    runs.weights[[2, 7], 0] = np.inf
    result = assert_as_oracle(spec, runs)
    assert result.best_steps is not None
    assert np.flatnonzero(result.best_steps == -1).tolist() == [2, 7]


def test_held_out_patterns_must_fit_the_recipe() -> None:
    """They are there if the recipe looks at them, and Prechelt's rules need their loss."""
    spec = Spec("relu", monitor="held_out_loss", held_out=3)
    inputs, targets = spec.patterns
    with pytest.raises(ValueError, match="held_out: must fit"):
        Trainer(spec.recipe, inputs, targets)
    with pytest.raises(ValueError, match="held_out: must fit"):
        Trainer(Spec("relu").recipe, inputs, targets, held_out=(inputs, targets))
    with pytest.raises(ValueError, match="validate_every be 1 or more"):
        Trainer(spec.recipe, inputs, targets, held_out=(inputs, targets), validate_every=0)
    with pytest.raises(ValueError, match="monitor: must be held_out_loss for gl"):
        Trainer(
            spec.recipe._replace(monitor="loss", stopping_rule="gl", keeps_best=True),
            inputs,
            targets,
            held_out=(inputs, targets),
        )

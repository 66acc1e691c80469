"""Trainings of scikit-learn's MLPClassifier and MLPRegressor: the same number of updates, losses and weights."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import sweep
from sweep import Study

N_PATTERNS, MAX_EPOCHS = 40, 1000
ALPHAS = (0.0, 0.05)
# At a larger rate, trainings at the edge of stability amplify the last bit of a sum.
RATE = 0.02

# Output, loss and reduction of each kind of target.
KINDS = {
    "binary": ("sigmoid", "bce", "mean"),
    "classes": ("softmax", "cross_entropy", "mean"),
    "regression": ("identity", "half_squared", "mean"),
}


def patterns_of(kind: str) -> tuple[Any, Any, Any]:
    """Draw inputs and targets: a row for each pattern, and as scikit-learn takes them."""
    random = np.random.default_rng(3)
    inputs = random.normal(size=(N_PATTERNS, 3))
    curved = np.sin(2 * inputs[:, 0]) + inputs[:, 1] * inputs[:, 2] + 0.3 * random.normal(size=N_PATTERNS)
    if kind == "regression":
        return inputs, curved[:, None], curved
    labels = np.digitize(curved, [0.0] if kind == "binary" else [-0.5, 0.5])
    rows = labels[:, None] if kind == "binary" else np.eye(3)[labels]
    return inputs, rows.astype(float), labels


# What its rule looks at: the losses before the updates of an epoch, and one update after that of a full batch.
LOOKS = {40: {"monitor": "loss", "stop": "after"}, 10: {"monitor": "running_loss"}}


def trained(kind: str, activation: str, optimizer: str, batch: int) -> sweep.Result:
    """Train with the rule of scikit-learn: patience on the best loss."""
    inputs, targets, _ = patterns_of(kind)
    output, loss, reduction = KINDS[kind]
    training = {"loss": loss, "reduction": reduction, "optimizer": optimizer, "decays": "w v", "penalty": True}
    return sweep.run(
        Study(
            name="scikit-learn",
            data={"inputs": inputs.tolist(), "targets": targets.tolist()},
            network={"activation": activation, "output": output},
            initial_weights={"distribution": "uniform", "scale": 0.7},
            training={**training, "learning_rate": RATE, "batch": batch, "max_epochs": MAX_EPOCHS, "max_steps": 10**6},
            convergence={
                **{"criterion": "none", "stopping_rule": "patience_best", "patience": 11, "min_delta": 1e-4},
                **LOOKS[batch],
            },
            parameters={"hidden": [2, 5, 9], "weight_decay": [alpha / batch for alpha in ALPHAS]},
            record={"weights": "both"},
            seeds={"count": 5 if batch == N_PATTERNS else 2},
        )
    )


def starting_at(start: dict[str, Any], family: Any, **options: Any) -> Any:
    """Return a network of scikit-learn that starts with given weights in place of those that it draws."""

    def given(fan_in: int, fan_out: int, dtype: Any) -> tuple[Any, ...]:
        return tuple(start[name].copy() for name in (("w", "b") if fan_in == len(start["w"]) else ("v", "c")))

    network = family(**options)
    network._init_coef = given
    return network


@pytest.mark.soak
@pytest.mark.parametrize("optimizer", ["nesterov", "keras_adam"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", LOOKS)
def test_as_many_epochs_as_in_scikit_learn(batch: int, kind: str, activation: str, optimizer: str) -> None:
    """Each training from the same weights has as many epochs, n_iter_, and then nearly the same weights.

    Sums in another order differ in their last bit, which Adam amplifies.
    """
    networks = pytest.importorskip("sklearn.neural_network", reason="the extra oracles is not installed")
    family = networks.MLPRegressor if kind == "regression" else networks.MLPClassifier
    result = trained(kind, activation, optimizer, batch)
    rows, (inputs, _, targets) = result.runs(), patterns_of(kind)
    for cell, of_cell in rows.groupby("cell"):
        start, end = (result.weights(cell, which) for which in ("initial", "final"))
        for run, row in enumerate(of_cell.itertuples()):
            network = starting_at(
                {name: numbers[run] for name, numbers in start.items()},
                family,
                hidden_layer_sizes=(row.hidden,),
                activation=activation,
                solver="sgd" if optimizer == "nesterov" else "adam",
                learning_rate_init=RATE,
                alpha=row.weight_decay * batch,
                batch_size=batch,
                max_iter=MAX_EPOCHS,
                shuffle=False,
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                network.fit(inputs, targets)
            assert network.n_iter_ * (N_PATTERNS // batch) == row.steps
            found = (*network.coefs_, *network.intercepts_)
            for name, array in zip(("w", "v", "b", "c"), found, strict=True):
                np.testing.assert_allclose(end[name][run], array, rtol=1e-3, atol=1e-5)
    assert (rows.status == "plateau").sum() > 10

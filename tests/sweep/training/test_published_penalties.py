"""Published trainings whose weight decay spares biases and whose losses include its penalty."""

from __future__ import annotations

import numpy as np
import pytest

import sweep
from sweep import Study
from tests.kernels.support import in_soak_if_compiled, sized


def test_worked_example_of_scikit_learn() -> None:
    """One update as in `test_fit` of scikit-learn's test_mlp.py, to the three decimals that it requires.

    Its comments compute the third row of the first weights with the first input in place of the third.
    """
    training = {"loss": "bce", "learning_rate": 0.1, "weight_decay": 0.1, "decays": "w v", "max_steps": 1}
    weights = {"w": [[0.1, 0.2], [0.3, 0.1], [0.5, 0.0]], "v": [[0.1], [0.2]], "b": 0.1, "c": 1.0}
    plain, penalized = (
        sweep.trace(
            Study(
                data={"inputs": [[0.6, 0.8, 0.7]], "targets": [0]},
                network={"hidden": 2, "activation": "sigmoid", "output": "sigmoid"},
                initial_weights={"values": weights},
                training=training | {"penalty": penalty},
                convergence={"criterion": "none"},
                seeds={"count": 1},
            )
        )
        for penalty in (False, True)
    )
    expected = {
        "w": [[0.098, 0.195756], [0.2956664, 0.096008], [0.4939998, -0.002244]],
        "v": [[0.04706], [0.154089]],
        "b": [0.098333, 0.09626],
        "c": [0.9235],
    }
    for name, values in expected.items():
        assert plain.weights[name] == pytest.approx(np.array(values), abs=5e-4), name
        assert (penalized.weights[name] == plain.weights[name]).all()
    assert plain.predictions == pytest.approx(0.739, abs=1e-3)
    # Its loss_ is the cross-entropy plus 0.5 alpha times the squares of the weights, by the number of patterns.
    assert penalized.losses[0] - plain.losses[0] == pytest.approx(0.05 * (0.01 + 0.04 + 0.09 + 0.01 + 0.25 + 0.05))


# Loss after so many steps of the network of 100 units, as printed. Rounding errors grow: after 4,000 steps the sums
# in our order differ by two units of the sixth digit.
CS231N = {0: 1.098637, 1000: 0.294416, 2000: 0.266441, 3000: 0.251507, 4000: 0.248295}


@pytest.mark.wide
@in_soak_if_compiled
def test_spiral_of_cs231n() -> None:
    """The losses of the minimal network case study of Stanford's CS231n, decay of weights without biases."""
    random = np.random.RandomState(0)
    radius, points = np.linspace(0.0, 1.0, 100), []
    for j in range(3):
        angle = np.linspace(j * 4, (j + 1) * 4, 100) + random.randn(100) * 0.2
        points.append(np.column_stack([radius * np.sin(angle), radius * np.cos(angle)]))
    random.randn(2, 3)  # of the linear classifier before
    weights = {"w": 0.01 * random.randn(2, 100), "v": 0.01 * random.randn(100, 3), "b": 0.0, "c": 0.0}
    steps = sized(4000, 0)
    study = Study(
        data={"inputs": np.concatenate(points), "targets": np.repeat(np.eye(3), 100, axis=0)},
        network={"hidden": 100, "output": "softmax"},
        initial_weights={"values": weights},
        training={
            **{"loss": "cross_entropy", "reduction": "pattern_mean", "learning_rate": 1.0, "max_steps": steps},
            **{"weight_decay": 1e-3, "decays": "w v", "penalty": True},
        },
        convergence={"criterion": "none"},
        seeds={"count": 1},
    )
    losses = sweep.trace(study).losses
    for step, printed in CS231N.items():
        if step <= steps:
            assert losses[step] == pytest.approx(printed, abs=6e-7 if step < 4000 else 3e-6)

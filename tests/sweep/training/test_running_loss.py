"""A worked example of a textbook that stops by the running error of an epoch."""

from __future__ import annotations

import numpy as np
import pytest

import sweep
from sweep import Study

# Negnevitsky, Artificial Intelligence, the network that learns XOR. Thresholds are weights of an input of -1.
NEGNEVITSKY = Study(
    name="negnevitsky",
    data={"inputs": [[1, 1], [0, 1], [1, 0], [0, 0]], "targets": [0, 1, 1, 0]},
    network={"hidden": 2, "activation": "sigmoid", "output": "sigmoid"},
    initial_weights={
        "values": {"w": [[0.5, 0.9], [0.4, 1.0]], "v": [[-1.2], [1.1]], "b": [-0.8, 0.1], "c": [-0.3]},
    },
    training={"loss": "half_squared", "learning_rate": 0.1, "batch": "online", "max_steps": 400_000},
    convergence={"criterion": "running_loss", "threshold": 0.0005},  # of half the squared errors
    seeds={"count": 1},
)


@pytest.mark.compiled
def test_example_of_a_textbook() -> None:
    """It ends after as many epochs as a loop in plain Python takes, with the weights of the book to two digits."""
    trace = sweep.trace(NEGNEVITSKY)
    assert (trace.status, trace.epochs) == ("converged", 56_351)
    book = {
        "w": [[4.7621, 6.3917], [4.7618, 6.3917]],
        "v": [[-10.3788], [9.7691]],
        "b": [-7.3061, -2.8441],
        "c": [-4.5589],
    }
    for name, values in book.items():
        np.testing.assert_allclose(trace.weights[name], values, rtol=0.005)

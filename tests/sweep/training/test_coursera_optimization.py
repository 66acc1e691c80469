"""The costs that Coursera's notebook on optimization prints: of the last minibatch of an epoch, before its update."""

from __future__ import annotations

import numpy as np
import pytest

import sweep
from sweep import load_study
from sweep.study.data.tasks import make_patterns
from tests.kernels.support import compiled_only

# After epochs 0, 1000, .. 9000; of Adam, public copies of the notebook have these or slightly different ones
PRINTED = {
    "gd": "0.690736 0.685273 0.647072 0.619525 0.576584 0.607243 0.529403 0.460768 0.465586 0.464518",
    "momentum": "0.690741 0.685341 0.647145 0.619594 0.576665 0.607324 0.529476 0.460936 0.465780 0.464740",
    "adam": "0.690552 0.185567 0.150852 0.074454 0.125936 0.104235 0.100552 0.031601 0.111709 0.197648",
}


@pytest.mark.wide
@compiled_only
def test_printed_costs() -> None:
    """The networks before the last updates of these epochs have them."""
    epochs = range(0, 10_000, 1000)
    changes = {"max_steps": [5 * epoch + 4 for epoch in epochs], "record.weights": "final"}
    result = sweep.run(load_study("coursera-optimization", changes))
    inputs, targets = map(np.array, make_patterns("moons", {"n": 150, "noise": 0.2, "data_seed": 3}))
    for number, (optimizer, printed) in enumerate(PRINTED.items()):
        costs = []
        for k, epoch in enumerate(epochs):
            w = {name: array[0] for name, array in result.weights(cell=k * len(PRINTED) + number).items()}
            last = np.random.RandomState(11 + epoch).permutation(300)[256:]
            a = np.maximum(0, inputs[last] @ w["w1"] + w["b1"])
            u = np.maximum(0, a @ w["w2"] + w["b2"]) @ w["v"] + w["c"]
            costs.append(f"{np.mean(np.logaddexp(0, u) - targets[last] * u):.6f}")
        assert costs == printed.split(), optimizer

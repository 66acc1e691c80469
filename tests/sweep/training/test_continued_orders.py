"""``order = "continued"``: a generator of NumPy draws weights, an order for each epoch, and goes on after a restart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sweep
from sweep import load_study

INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
TARGETS = np.array([0.0, 1.0, 1.0, 0.0])
RATE, THRESHOLD, MAX_STEPS = 0.1, 0.9, 120

OPTIONS: dict[str, Any] = {
    **{"hidden": 2, "learning_rate": RATE, "threshold": THRESHOLD, "max_steps": MAX_STEPS, "seeds.count": 12},
    **{"order": "continued", "record.weights": "both"},
}


def sum_of(terms: list[float]) -> float:
    """Add numbers in order, from the first."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


class Net:
    """A network with two ReLU units, by plain numbers."""

    def __init__(self, random: Any, order: str) -> None:
        shapes = {"w": (2, 2), "v": (2, 1), "b": (2,), "c": (1,)}
        drawn = {name: random.standard_normal(shapes[name]) for name in order.split() if name in shapes}
        self.w, self.v, self.b, self.c = (drawn[name] for name in "wvbc")

    def pass_forward(self, x: Any) -> tuple[Any, Any]:
        """Return the activations and the output of a pattern."""
        z = [sum_of([x[0] * self.w[0, h], x[1] * self.w[1, h]]) + self.b[h] for h in (0, 1)]
        a = [max(each, 0.0) for each in z]
        return a, sum_of([a[0] * self.v[0, 0], a[1] * self.v[1, 0]]) + self.c[0]

    def update(self, patterns: Any) -> None:
        """Take a step of gradient descent with some patterns, whose gradients are added in order."""
        rows: list[dict[str, Any]] = []
        for n in patterns:
            a, y = self.pass_forward(INPUTS[n])
            g = 2 * (y - TARGETS[n])
            delta = [g * self.v[h, 0] * (1.0 if a[h] > 0 else 0.0) for h in (0, 1)]
            rows.append({"a": a, "g": g, "delta": delta, "x": INPUTS[n]})
        v, w = self.v.copy(), self.w.copy()
        for h in (0, 1):
            v[h, 0] -= RATE * sum_of([row["a"][h] * row["g"] for row in rows])
            self.b[h] -= RATE * sum_of([row["delta"][h] for row in rows])
            for i in (0, 1):
                w[i, h] -= RATE * sum_of([row["x"][i] * row["delta"][h] for row in rows])
        self.c[0] -= RATE * sum_of([row["g"] for row in rows])
        self.v, self.w = v, w

    def loss(self) -> float:
        """Return the loss over all patterns."""
        outputs = [self.pass_forward(x)[1] for x in INPUTS]
        return sum_of([(y - target) * (y - target) for y, target in zip(outputs, TARGETS, strict=True)])


def notebook(random: Any, batch: int, restarts: int, after: int, order: str) -> tuple[Net, int, int]:
    """Train as NumPy code does with one generator; return the network, restarts, and steps of all attempts."""
    total = 0
    for attempt in range(restarts + 1):
        net, steps = Net(random, order), 0
        most = min(MAX_STEPS - total, after) if attempt < restarts else MAX_STEPS - total
        while net.loss() >= THRESHOLD and steps < most:
            order_of_epoch = random.permutation(4)
            for first in range(0, 4, batch):
                if steps < most:
                    net.update(order_of_epoch[first : first + batch])
                    steps += 1
        total += steps
        if net.loss() < THRESHOLD or total == MAX_STEPS:
            break
    return net, attempt, total


@pytest.mark.parametrize("generator", ["mt19937", "pcg64"])
@pytest.mark.parametrize(("batch", "restarts", "after"), [(1, 0, 0), (1, 3, 30), (2, 5, 13), (3, 2, 40)])
def test_runs_are_those_of_numpy_code(generator: str, batch: int, restarts: int, after: int) -> None:
    """Weights, restarts and steps are those of a loop in which one generator draws all numbers, in its order."""
    options = OPTIONS | {"generator": generator, "batch": batch, "draw_order": "v w b c"}
    options |= {"restarts.max_restarts": restarts, "restarts.after_steps": after} if restarts else {}
    result = sweep.run(load_study("xor", options))
    rows = result.runs()
    weights = result.weights()
    seen = set()
    for k, seed in enumerate(rows["seed"]):
        random = np.random.default_rng(seed) if generator == "pcg64" else np.random.RandomState(seed)
        net, attempt, total = notebook(random, batch, restarts, after, "v w b c")
        for name in "wvbc":
            np.testing.assert_array_equal(weights[name][k], getattr(net, name), err_msg=f"seed {seed}: {name}")
        assert rows["final_loss"][k] == net.loss()
        if restarts:
            assert (rows["restarts"][k], rows["total_steps"][k]) == (attempt, total)
        seen.add(attempt)
    assert len(seen) > 1 or not restarts
    if restarts:
        restarted = int(np.argmax(rows["restarts"]))
        trace = sweep.trace(result, restarted)
        assert not trace.mismatches
        np.testing.assert_array_equal(trace.weights["w"], weights["w"][restarted])


def test_spawned_seeds_have_generators_of_their_own() -> None:
    """With draw = "spawned" each attempt is that of a study without restarts and the spawned seed."""
    options = OPTIONS | {"batch": 1, "generator": "pcg64", "seeds.count": 6}
    restarts = {"restarts.max_restarts": 1, "restarts.after_steps": 8, "restarts.draw": "spawned"}
    result = sweep.run(load_study("xor", options | restarts))
    rows, weights = result.runs(), result.weights()
    for k in np.flatnonzero(rows["restarts"] == 1)[:3].tolist():
        seed = int(np.random.SeedSequence(int(rows["seed"][k])).spawn(1)[0].generate_state(1)[0])
        random = np.random.default_rng(seed)
        net, steps = Net(random, "w v b c"), 0
        while net.loss() >= THRESHOLD and steps < MAX_STEPS - 8:
            for n in random.permutation(4):
                net.update([n])
                steps += 1
        np.testing.assert_array_equal(weights["w"][k], net.w)

"""Gradients that are clipped by their norm, as in the oracle and in PyTorch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sweep import Study, trace
from tests.kernels.compare import assert_as_oracle, assert_same_outcome, train_kernel
from tests.kernels.runs import Kinds, draw_runs
from tests.kernels.specs import Spec
from tests.kernels.support import sized, some_compiled

CLIPPED = ("clip_norm", "gain")
SPECS = {
    "full batch": Spec(used=CLIPPED),
    "states": Spec("tanh", optimizer="adam", used=CLIPPED),
    "minibatches": Spec(batch=1, task="adder", dtype="float32", used=CLIPPED),
    "blocks": Spec(bias=False, batch="uneven", task="many numbers", used=CLIPPED),
    "scales": Spec(skip=True, scaling="ntk", optimizer="momentum", used=(*CLIPPED, "warmup", "weight_decay")),
    "layers": Spec(below=(2, 3), skip="all", task="adder", scaling="mean_field", used=CLIPPED),
    "frozen": Spec(freeze=("w", "v[0,0]", "c[0]"), task="adder", used=CLIPPED),
    "equal weights": Spec(share=(("w[0]", "w[1]"), ("b[0]", "b[1]")), used=CLIPPED),
    "signs alone": Spec(optimizer="rprop", used=CLIPPED),
    "penalty": Spec(penalty=True, decays=("w", "v"), below=(2,), used=(*CLIPPED, "weight_decay")),
}


@pytest.mark.parametrize("name", some_compiled(SPECS, {"full batch", "layers"}.__contains__))
def test_as_oracle(name: str) -> None:
    """Every number is the oracle's, and without a limit that of a kernel that does not clip."""
    spec = SPECS[name]
    most = sized(24, 12) if spec.n_windows == 1 else 2 * spec.n_windows + 1
    runs = draw_runs(spec, 3, sized(40, 16), 3, most, Kinds(output_rate="own"))
    assert_as_oracle(spec, runs)
    without = replace(spec, used=tuple(name for name in spec.used if name != "clip_norm"))
    unlimited = runs.having(clip_norm=np.inf)
    assert_same_outcome(train_kernel(spec, unlimited), train_kernel(without, unlimited), name)


@pytest.mark.parametrize(("hidden", "limit"), [(3, 0.05), ("4-2", 0.2)])
def test_as_in_pytorch(hidden: Any, limit: float) -> None:
    """Losses of a study are those of a loop in PyTorch that clips the gradient of the same network."""
    torch = pytest.importorskip("torch")
    shapes = {3: {"w": (2, 3), "b": (3,)}, "4-2": {"w1": (2, 4), "b1": (4,), "w2": (4, 2), "b2": (2,)}}[hidden]
    shapes |= {"v": (list(shapes.values())[-1][0], 1), "c": (1,)}
    random = np.random.default_rng(1)
    start = {name: random.normal(size=shape) for name, shape in shapes.items()}
    inputs, targets = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [[0.0], [1.0], [1.0], [0.0]]
    study = Study(
        data={"inputs": inputs, "targets": targets},
        network={"hidden": hidden, "activation": "tanh"},
        initial_weights={"values": start},
        training={"learning_rate": 0.2, "optimizer": "momentum", "clip_norm": limit, "weight_decay": 0.01}
        | {"max_steps": 40},  # later, rounding of the two programs is amplified
        convergence={"criterion": "none"},
        seeds={"count": 1},
    )
    named = {name: torch.tensor(each, requires_grad=True) for name, each in start.items()}
    weights = list(named.values())
    layers = [name[1:] for name in named if name[0] == "w"]
    optimizer = torch.optim.SGD(weights, lr=0.2, momentum=0.9, weight_decay=0.01)
    losses, is_clipped = [], []
    for _ in range(41):
        a = torch.tensor(inputs, dtype=torch.float64)
        for layer in layers:
            a = torch.tanh(a @ named[f"w{layer}"] + named[f"b{layer}"])
        loss = ((a @ named["v"] + named["c"] - torch.tensor(targets, dtype=torch.float64)) ** 2).sum()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        is_clipped.append(torch.nn.utils.clip_grad_norm_(weights, limit).item() > limit)
        optimizer.step()
    assert any(is_clipped)
    np.testing.assert_allclose(trace(study).losses, losses, rtol=1e-10)

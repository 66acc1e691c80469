"""How many kernels a study takes is known before any module of the kernels is imported, and never too low."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kernels.start import initialize
from kernels.train import Trainer
from kernels.tuning import Tuning
from sweep.schedule.kernel_count import most_kernels
from sweep.schedule.plan import Plan
from sweep.training.shard_trainer import ShardTrainer, make_start
from tests.sweep.support import make_study

TUNINGS = (Tuning(), Tuning(64, 64, 2**15 * 3 // 2, 3, 192), Tuning(32, 32, 2**15, 3, 96), Tuning(16, 16, 2**15, 2, 96))


def kernels_needed(study: Any, tuning: Tuning, monkeypatch: pytest.MonkeyPatch) -> int:
    """Count the kernels that train and draw all cells of a study, each cell alone, also runs that are not finite."""
    plan, drawn = Plan(study), set()
    worker = ShardTrainer(plan)
    monkeypatch.setattr(initialize, "uncompiled_draw", lambda *asked: asked)
    found = set()
    for cell in range(plan.n_cells):
        words = plan.grid.cell(cell)
        recipe = worker.trainer(words).recipe
        trainer = Trainer(recipe, np.array(study.data.inputs), np.array(study.data.targets), tuning=tuning)
        settings = worker.settings(np.array([cell]))
        found |= {(recipe, trainer.variant(words["hidden"], settings, exact=exact)) for exact in (False, True)}
        asked = initialize.uncompiled(make_start(words), recipe.architecture, words["hidden"], recipe.dtype)
        if words["stream"] != "pcg64":
            drawn.add(asked)
    monkeypatch.undo()
    return len(found) + len(drawn)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"hidden": 2}, 3),
        ({"hidden": [1, 2, 3, 4, 8, 16, 64, 200]}, 6),
        ({"hidden": [3, 200], "criterion": "none"}, 4),
        ({"hidden": [2, 3], "activation": ["relu", "tanh"], "optimizer": ["gd", "adam"]}, 13),
        ({"hidden": [1, 2, 3], "batch": 2}, 2),
        ({"hidden": [1, 2, 3], "batch": [2, 4], "order": ["cyclic", "shuffled"]}, 7),
        ({"hidden": [1, 2, 3], "batch": 2, "scaling": ["standard", "ntk"]}, 4),
        ({"hidden": [2, 3], "gain": [0.5, 1.0, 2.0]}, 7),
        ({"hidden": [2, 3], "loss": ["sse", "squared", "mse"]}, 7),
        ({"hidden": 2, "stream": "pcg64"}, 2),
        ({"hidden": 2, "stream": ["pcg64", "mt19937"], "distribution": ["normal", "uniform"]}, 4),
        ({"hidden": 2, "dtype": "float32", "bias_scale": [0.5, 1.0]}, 4),
        ({"hidden": [2, 3], "optimizer": "rprop"}, 4),
    ],
)
def test_kernels_of_a_study(changes: dict[str, Any], expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On no CPU does a study take more kernels."""
    study = make_study(count=4, learning_rate=0.1, **changes)
    assert most_kernels(study) == expected
    for tuning in TUNINGS:
        assert kernels_needed(study, tuning, monkeypatch) <= expected

"""The number of kernels of a study is known before Numba is imported, and is an upper bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kernels import vocabulary
from kernels.effort import Effort, effort_for
from kernels.start import initialize
from kernels.train import Trainer
from kernels.tuning import Tuning
from sweep.schedule import kernel_count
from sweep.schedule.plan import Plan
from sweep.schedule.recipes import make_recipe
from sweep.training.networks.part_trainer import PartTrainer, make_start
from tests.sweep.support import make_study

TUNINGS = (
    Tuning(),
    Tuning(64, 64, 2**15 * 3 // 2, 3, 192),
    Tuning(32, 32, 2**15, 3, 96, registers=16),
    Tuning(16, 16, 2**15, 2, 96, registers=16),
    Tuning(16, 16),  # ARM
)


def kernels_needed(study: Any, tuning: Tuning, effort: Effort, monkeypatch: pytest.MonkeyPatch) -> int:
    """Count the kernels that train and draw all cells of a study, cell by cell, also for runs that are not finite."""
    plan, drawn = Plan(study), set()
    worker = PartTrainer(plan)
    monkeypatch.setattr(initialize, "uncompiled_draw", lambda *arguments: arguments)
    found = set()
    for cell in range(plan.n_cells):
        options = plan.grid.cell(cell)
        recipe = worker.trainer(options).recipe
        trainer = Trainer(
            recipe, np.array(study.data.inputs), np.array(study.data.targets), tuning=tuning, effort=effort
        )
        found |= {(recipe, trainer.variant(options.hidden, exact=exact)) for exact in (False, True)}
        start = make_start(study, options)._replace(by_numpy=False)
        drawing = initialize.uncompiled(start, recipe.architecture, options.hidden, recipe.dtype)
        if options["generator"] != "pcg64":
            drawn.add(drawing)
    monkeypatch.undo()
    return len(found) + len(drawn)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"hidden": 2}, (2, 3, 3)),
        ({"hidden": [1, 2, 3, 4, 8, 16, 64, 200]}, (2, 3, 6)),
        ({"hidden": [3, 8, 64, 200], "criterion": "none"}, (2, 3, 4)),
        ({"hidden": [2, 3], "activation": ["relu", "tanh"], "optimizer": ["gd", "adam"]}, (5, 9, 13)),
        ({"hidden": [1, 2, 3], "batch": 2}, (2, 2, 2)),
        ({"hidden": [1, 2, 3], "batch": [2, 4], "order": ["cyclic", "shuffled"]}, (4, 5, 7)),
        ({"hidden": [1, 2, 3], "batch": 2, "scaling": ["standard", "ntk"]}, (4, 4, 4)),
        ({"hidden": [2, 3], "gain": [0.5, 1.0, 2.0]}, (2, 3, 4)),
        ({"hidden": [2, 3], "loss": ["sse", "squared", "mse"]}, (3, 5, 7)),
        ({"hidden": [2, 3, 5], "layers": [1, 2, 4]}, (3, 5, 8)),
        ({"hidden": ["2", "3-2", "4-4-4"]}, (3, 5, 6)),
        ({"hidden": 3, "layers": [2, 3], "scaling": ["standard", "ntk"]}, (3, 5, 7)),
        ({"hidden": [1, 3], "scaling": ["standard", "ntk"]}, (4, 7, 8)),
        ({"hidden": [1, 3], "layers": [1, 2, 3], "scaling": ["standard", "ntk"]}, (7, 13, 17)),
        ({"hidden": 2, "generator": "pcg64"}, (1, 2, 2)),
        ({"hidden": 2, "generator": ["pcg64", "mt19937"], "distribution": ["normal", "uniform"]}, (3, 4, 4)),
        ({"hidden": 2, "dtype": "float32", "bias_scale": [0.5, 1.0]}, (3, 4, 4)),
        ({"hidden": [2, 3], "optimizer": "rprop"}, (2, 2, 2)),
        ({"hidden": [2, 3, 5], "share": "w[0] w[1]"}, (2, 2, 2)),
        ({"hidden": [2, 3, 5], "clip_norm": [0.5, 1.0]}, (2, 2, 2)),
        ({"hidden": [1, 2, 3, 5], "freeze": "b[0]"}, (2, 3, 4)),
    ],
)
def test_kernels_of_a_study(
    changes: dict[str, Any], expected: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No CPU needs more kernels for a study, with any effort."""
    study = make_study(count=4, learning_rate=0.1, **changes)
    for effort, number in zip(Effort, expected, strict=True):
        with monkeypatch.context() as changed:
            changed.setattr(kernel_count, "draws_by_numpy", lambda _: False)
            changed.setattr(kernel_count, "study_effort", lambda *_, effort=effort: effort)
            assert kernel_count.most_kernels(study, 1.0) == number
        for tuning in TUNINGS:
            assert kernels_needed(study, tuning, effort, monkeypatch) <= number


@pytest.mark.parametrize(
    ("operations", "n_sizes", "effort"),
    [
        (1e9, 1, Effort.LEAST),
        (1e9, 50, Effort.LEAST),
        (1e11, 1, Effort.MOST),
        (1e11, 2, Effort.SHARED),
        (6e11, 2, Effort.MOST),
        (6e11, 3, Effort.SHARED),
        (2e12, 50, Effort.MOST),
    ],
)
def test_effort(operations: float, n_sizes: int, effort: Effort) -> None:
    """Kernels are faster the more a study trains, and the fewer kernels its sizes need."""
    assert effort_for(operations, n_sizes) is effort


def test_recipes_name_optional_settings_that_are_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting is off where it has no value, which stands for infinity, and where it has no effect."""
    bound = vocabulary.SETTINGS["divergence_threshold"]
    monkeypatch.setitem(vocabulary.SETTINGS, bound.name, bound._replace(is_optional=True))
    study = make_study(hidden=2, learning_rate=0.1, step_ratio=2.0, optimizer=["gd", "rprop"])
    assert [make_recipe(study, study.grid.cell(k)).used for k in range(2)] == [(), ("step_ratio",)]
    study = make_study(hidden=2, learning_rate=0.1, warmup=[0, 3], divergence_threshold=9.0)
    assert make_recipe(study, study.grid.cell(0)).used == ("divergence_threshold", "warmup")


def test_recipes_share_the_operations() -> None:
    """Each of many recipes gets the effort that is worth its share of the study."""
    names = "relu", ["relu", "tanh", "sin"]
    few, many = (make_study(count=4, hidden=2, learning_rate=0.1, activation=name) for name in names)
    assert kernel_count.study_effort(few, 2e10) is Effort.MOST
    assert kernel_count.study_effort(many, 2e10) is Effort.LEAST
    same = make_study(count=4, hidden=2, learning_rate=0.1, loss=["sse", "squared", "mse"])  # which are two recipes
    assert kernel_count.study_effort(same, 1.9e10) is Effort.LEAST
    assert kernel_count.study_effort(same, 2.1e10) is Effort.MOST


@pytest.mark.parametrize(
    ("changes", "by_numpy"),
    [
        ({"count": 10_000}, True),
        ({"count": 10_001}, False),
        ({"count": 5_000, "hidden": [2, 3], "learning_rate": [0.1, 0.2, 0.3]}, True),
        ({"count": 5_000, "hidden": [2, 3], "scale": [0.5, 1.0]}, False),
        ({"count": 10_000, "learning_rate": [k / 100 for k in range(1, 12)]}, False),
    ],
)
def test_few_initial_weights_are_drawn_by_numpy(changes: dict[str, Any], by_numpy: bool) -> None:
    """Starts are counted by seed and by the options that decide them; runs that may not share them count too."""
    assert kernel_count.draws_by_numpy(make_study(**{"hidden": 2, "learning_rate": 0.1, **changes})) is by_numpy

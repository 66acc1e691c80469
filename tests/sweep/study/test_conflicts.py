"""Options that conflict are refused with their values, in grids of any size."""

from __future__ import annotations

from typing import Any

import pytest

from sweep import Study, StudyError
from tests.sweep.support import make_study, refused

SIGNS = {"inputs": [[0, 0], [0, 1], [1, 0], [1, 1]], "targets": [-1, 1, 1, -1]}
HALVES = {"inputs": [[0], [1]], "targets": [[0.0, 1.0], [0.5, 2.0]]}

MORE = {"inputs": [[0, 0], [1, 1]], "targets": [0, 0]}
TESTED = {"task": "xor", "test": MORE}
VALIDATED = TESTED | {"validation": MORE}

# Options of a study of XOR that is refused, and parts of the sentence.
REFUSED: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"loss": "bce"}, ("training.loss: 'bce'", "network.output 'identity'", "'bce' needs output 'sigmoid'")),
    ({"loss": "bce", "output": ["sigmoid", "relu"]}, ("training.loss: 'bce'", "parameters.output 'relu'")),
    ({"loss": ["mse", "bce"], "output": ["relu", "sigmoid"]}, ("parameters.loss: 'bce'", "parameters.output 'relu'")),
    (
        {"loss": "bce", "output": "sigmoid", "data": SIGNS},
        ("data.targets[0][0]: got -1.0", "training.loss 'bce'", "targets from 0 to 1"),
    ),
    ({"loss": ["bce", "sse"], "output": "sigmoid", "data": HALVES}, ("data.targets[1][1]: got 2.0", "parameters.loss")),
    ({"loss": "hinge"}, ("data.targets[0][0]: got 0.0", "training.loss 'hinge'", "targets of -1 and 1")),
    ({"loss": "sse", "reduction": "mean"}, ("training.loss: 'sse'", "training.reduction 'mean'", "'sum'", "'squared'")),
    ({"reduction": "pattern_mean"}, ("training.loss: 'sse'", "'pattern_mean'", "'squared'")),
    (
        {"loss": ["mse", "half_squared"], "reduction": ["mean", "pattern_mean"]},
        ("parameters.loss: 'mse'", "parameters.reduction 'pattern_mean'"),
    ),
    ({"optimizer": "rprop", "batch": 2}, ("training.optimizer: 'rprop'", "training.batch 2", "batch 'full'")),
    (
        {"optimizer": ["gd", "rprop"], "batch": ["full", "online"]},
        ("parameters.optimizer: 'rprop'", "parameters.batch 1"),
    ),
    ({"optimizer": "rprop", "step_min": [1.0, 60.0]}, ("step_min: 60 needs a step_max of", "got training.step_max 50")),
    ({"optimizer": "rprop", "learning_rate": 0.0}, ("'rprop'", "training.learning_rate 0", "above 0")),
    ({"optimizer": "rprop", "output_learning_rate": 0.0}, ("'rprop'", "training.output_learning_rate 0", "above 0")),
    ({"decays": "w v"}, ("training.decays: 'w v' has no effect", "use it with weight_decay")),
    (
        {"optimizer": ["adam", "adamw"], "weight_decay": 0.1, "penalty": True},
        ("parameters.optimizer: 'adamw' needs penalty false, since its", "got training.penalty true; use 'adam', or"),
    ),
    ({"momentum": 0.5}, ("training.momentum: 0.5", "no effect", "optimizer 'momentum' or 'nesterov'")),
    ({"momentum": [0.5, 0.9], "optimizer": "adam"}, ("parameters.momentum: [0.5, 0.9]", "no effect")),
    ({"beta1": 0.8}, ("training.beta1: 0.8", "optimizer 'adam'")),
    ({"gamma": 1e22}, ("training.gamma: 1e+22 has no effect",)),
    ({"gamma": 3.0}, ("training.gamma: 3 has no effect",)),
    ({"negative_slope": 0.5}, ("network.negative_slope: 0.5", "activation 'leaky_relu' or output 'leaky_relu'")),
    ({"bias": False, "bias_scale": 0.0}, ("initial_weights.bias_scale: 0 has", "bias true")),
    (
        {"criterion": "running_loss", "criterion_on": "validation", "data": VALIDATED},
        ("convergence.criterion: 'running_loss' needs criterion_on 'train', got", "criterion_on 'validation'"),
    ),
    ({"criterion": "none", "from_step": 1}, ("convergence.from_step: 1", "criterion 'correct'", "'loss'")),
    ({"criterion": ["none", "correct"], "threshold": 0.5}, ("convergence.threshold: 0.5", "'max_error'", "remove it")),
    (
        {"patience": 3, "monitor": ["loss", "n_correct"], "min_delta": [0, 3, 4]},
        ("parameters.monitor: 'n_correct' needs min_delta below 4", "got parameters.min_delta 4"),
    ),
    (
        {"patience": 3, "monitor": "validation_loss", "data": TESTED},
        ("convergence.monitor: 'validation_loss' needs validation patterns; set data.validation_count or ",),
    ),
    (
        {"criterion_on": ["train", "test"]},
        ("parameters.criterion_on: 'test' needs test patterns; set data.test_count or data.test",),
    ),
    (
        {"patience": 3, "monitor": "test_loss", "data": VALIDATED},
        ("convergence.monitor: must not be 'test_loss' in a study with validation patterns",),
    ),
    (
        {"stopping_rule": "gl", "monitor": "loss", "data": VALIDATED},
        ("convergence.stopping_rule: 'gl' needs monitor 'validation_loss' or 'test_loss', got", "'loss'"),
    ),
    (
        {"stopping_rule": ["patience_best", "patience"]},
        ("parameters.stopping_rule: 'patience_best' needs patience, got convergence.patience none; set patience",),
    ),
    ({"monitor": "loss", "data": VALIDATED}, ("convergence.monitor: 'loss' has no effect", "use it with patience")),
    (
        {"patience": 3, "stopping_rule": "gl", "monitor": "test_loss", "data": TESTED},
        ("convergence.patience: 3 has no effect", "stopping_rule 'patience'"),
    ),
    (
        {"patience": 3, "monitor": "validation_accuracy", "min_delta": 1.0, "data": VALIDATED},
        ("convergence.monitor: 'validation_accuracy' needs min_delta below 1, a share of patterns", "min_delta 1"),
    ),
    (
        {"dtype": "float32", "optimizer": "adam", "beta2": 0.99999999999},
        ("training.beta2: must be below 1 after rounding to float32", "0.99999999999"),
    ),
    (
        {"dtype": "float32", "optimizer": "momentum", "momentum": [0.5, 0.99999999999]},
        ("parameters.momentum", "0.99999999999", "float32"),
    ),
    (
        {"dtype": "float32", "optimizer": "rmsprop", "eps": 1e-60},
        ("training.eps: must be other than 0 after rounding to float32", "1e-60"),
    ),
    ({"dtype": "float32", "learning_rate": 1e39}, ("training.learning_rate", "1e+39", "must be finite")),
    ({"dtype": "float32", "learning_rate": [0.1, 1e-60]}, ("parameters.learning_rate", "1e-60", "other than 0")),
    (
        {"dtype": "float32", "divergence_threshold": 1e-50},
        ("convergence.divergence_threshold", "1e-50", "other than 0"),
    ),
]


@pytest.mark.parametrize(("options", "parts"), REFUSED)
def test_refused(options: dict[str, Any], parts: tuple[str, ...]) -> None:
    """One sentence names both options with their values and the requirement."""
    with refused(*parts):
        make_study(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "bce", "output": "sigmoid"},
        {"loss": "half_squared", "reduction": ["sum", "mean", "pattern_mean"]},
        {"optimizer": "rprop", "batch": "full", "order": "shuffled"},
        {"optimizer": ["gd", "momentum"], "momentum": [0.0, 0.5]},
        {"optimizer": ["gd", "adam"], "beta1": 0.5, "eps": 1e-3},
        {"activation": ["relu", "leaky_relu"], "negative_slope": -0.5},
        {"bias": [True, False], "bias_scale": 0.0},
        {"criterion": ["none", "correct"], "from_step": 1},
        {"criterion": ["none", "loss"], "threshold": [0.5, 0.1]},
        {"learning_rate": 0.0, "output_learning_rate": [0.1, 0.0]},
        {"dtype": "float32", "optimizer": "adam", "eps": 1e30, "gain": -1e-40, "divergence_threshold": 3.4028235e38},
    ],
)
def test_accepted(options: dict[str, Any]) -> None:
    """An option with an effect in some cell is accepted, even if other cells do not use it."""
    make_study(**options)


def test_large_grids_are_checked_at_once() -> None:
    """Two options are compared value by value, not cell by cell: here in a grid of 10^12 cells."""
    values = [(k + 1) / 16_384 for k in range(10_000)]
    grid = {"learning_rate": values, "output_learning_rate": values, "gain": values}
    assert make_study(**grid, optimizer="rprop", hidden=2).n_cells == 10**12
    with pytest.raises(StudyError, match=r"got parameters\.output_learning_rate 0$"):
        make_study(**grid | {"output_learning_rate": [*values, 0.0]}, optimizer="rprop", hidden=2)


def test_several_faults_at_once() -> None:
    """All broken rules are reported."""
    with pytest.raises(StudyError) as caught:
        make_study(loss=["bce", "hinge"], optimizer="rprop", batch=1, momentum=0.5)
    assert [fault.partition(":")[0] for fault in caught.value.faults] == [
        "parameters.loss",
        "training.optimizer",
        "data.targets[0][0]",
        "training.momentum",
    ]


TABLES: dict[str, Any] = {"data": {"task": "xor"}, "network": {"hidden": 2}}


def test_epochs_alone_limit_steps() -> None:
    """If only epochs are limited, the default limit of steps does not apply."""
    alone = Study(**TABLES, training={"learning_rate": 0.1, "max_epochs": 9000, "batch": "online"})
    assert (alone.in_tables["max_epochs"], alone.in_tables["max_steps"]) == (9000, 2**31 - 1)
    assert alone.canonical()["training"]["max_steps"] == 2**31 - 1
    assert Study(**alone.canonical()) == alone
    swept = Study(**TABLES, parameters={"max_epochs": [3, 4], "learning_rate": [0.1]})
    assert swept.in_tables["max_steps"] == 2**31 - 1
    both = Study(**TABLES, training={"learning_rate": 0.1, "max_epochs": 9000, "max_steps": 5000})
    assert both.in_tables["max_steps"] == 5000
    steps = Study(**TABLES, training={"learning_rate": 0.1})
    assert (steps.in_tables["max_epochs"], steps.in_tables["max_steps"]) == (None, 5000)


def test_more_steps_than_can_be_counted() -> None:
    """Epochs of too many steps are refused unless steps are limited too."""
    training = {"learning_rate": 0.1, "max_epochs": 2**30, "batch": "online"}
    with pytest.raises(StudyError, match=r"training\.max_epochs: .* 2147483647 steps .* 1073741824 epochs of 4 steps"):
        Study(**TABLES, training=training)
    Study(**TABLES, training=training | {"batch": "full"})
    Study(**TABLES, training=training | {"max_steps": 10})


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({"convergence": {"validate_every": 5}}, "convergence.validate_every: 5 has no effect without validation"),
        ({"convergence": {"thresholds_on": "test"}}, "convergence.thresholds_on: 'test' has no effect without record"),
        ({"record": {"weights": "best"}}, "record.weights: 'best' needs validation patterns"),
    ],
)
def test_of_held_out_patterns(tables: dict[str, Any], sentence: str) -> None:
    """Options of the study that need patterns or loss thresholds are refused without them."""
    more = {"network": {"hidden": 2}, "training": {"learning_rate": 0.1}}
    with pytest.raises(StudyError, match=sentence):
        Study(data=TESTED, **tables | more)


def test_limits_of_steps_that_vary_together() -> None:
    """Of options of one axis only pairs that occur count."""
    training = {"learning_rate": 0.1, "optimizer": "rprop"}
    Study(**TABLES, training=training, zip=[{"step_min": [0.5, 2.0], "step_max": [1.0, 3.0]}])
    with pytest.raises(StudyError, match=r"zip\[0\]\.step_min: 2 needs a .* got zip\[0\]\.step_max 1"):
        Study(**TABLES, training=training, zip=[{"step_min": [0.5, 2.0], "step_max": [3.0, 1.0]}])

"""Networks without hidden units, ``hidden = 0``: linear and logistic models, and perceptrons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sweep
from sweep import StudyError, load_study
from sweep.figures.traced_run import decision_surface
from sweep.results.result import Result
from sweep.study.description import describe
from sweep.training.networks.trajectory import outputs_plane
from tests.sweep.expected import expected_runs
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import assert_same_table, make_study

CLASSES = {"inputs": [[0, 1], [2, -1], [1, 1]], "targets": [[1, 0], [0, 1], [0, 1]]}

STUDIES: dict[str, dict[str, Any]] = {
    "linear": {"hidden": 0, "learning_rate": [0.1, 0.0], "loss_thresholds": [2.0]},
    "beside layers": {"hidden": [0, "3-2", 2], "bias": [True, False], "skip": [True, False], "optimizer": "adam"},
    "logistic": {"hidden": 0, "output": "sigmoid", "loss": "bce", "batch": 2, "order": "shuffled", "dtype": "float32"},
    "softmax": {"hidden": 0, "data": CLASSES, "output": "softmax", "loss": "cross_entropy", "optimizer": "momentum"},
    "frozen": {"hidden": [0, 2], "freeze": ["v", "c"], "weight_decay": 0.1, "learning_rate": [0.1, 0.2]},
    "decays": {
        **{"hidden": [0, 2], "decays": ["v", "w c k", "k"], "skip": True, "weight_decay": 0.1, "penalty": True},
        **{"freeze": ["none", "k", "v[1,0] w[0,1] b[1] k[0,0]"], "optimizer": "nesterov"},
    },
    "shared": {"hidden": [0, 2], "share": ["v[0] v[1]; w[0,0] w[1,0]", "none"], "weight_decay": 0.1, "penalty": True},
    "not finite": {"hidden": 0, "bias": [True, False], "learning_rate": [1e200, 3.0], "max_steps": 300},
    "rates": {"hidden": [0, 2], "output_learning_rate": [0.05, 0.3], "schedule": "cosine", "patience": 3},
}


@pytest.mark.parametrize("name", STUDIES)
def test_rows_of_the_oracle(name: str) -> None:
    """Rows are those of the oracle, whose outputs are u = sum of x * v + c, whatever the parts."""
    study = make_study(**{"count": 4, "max_steps": 30, **STUDIES[name]})
    expected = expected_runs(study)
    for part_runs in (None, 3):
        assert_same_table(run_in_parts(study, part_runs=part_runs).runs(), expected)


@pytest.mark.parametrize(("output", "loss"), [("softmax", "cross_entropy"), ("sigmoid", "bce")])
def test_means_of_other_libraries(output: str, loss: str) -> None:
    """The mean of cross_entropy is over patterns, that of bce over outputs too, as in PyTorch, Keras and scikit-learn.

    Loss and step are those of closed forms; a window has the mean over its own patterns.
    """
    x, targets = np.array(CLASSES["inputs"], float), np.array(CLASSES["targets"], float)
    options = {"output": output, "loss": loss, "reduction": "mean", "hidden": 0, "data": CLASSES, "learning_rate": 0.5}
    for batch in (3, 2):
        study = make_study(**options, batch=batch, max_steps=1, count=5)
        result = sweep.run(sweep.Study(**study.canonical() | {"record": {"weights": "both"}}))
        start, end = (result.weights(0, which) for which in ("initial", "final"))
        power = np.exp(x @ start["v"] + start["c"][:, None])
        y = power / power.sum(axis=2, keepdims=True) if loss == "cross_entropy" else power / (1 + power)
        n_terms = 1 if loss == "cross_entropy" else 2  # for each pattern
        terms = -targets * np.log(y) - (0 if loss == "cross_entropy" else (1 - targets) * np.log(1 - y))
        np.testing.assert_allclose(result.runs()["initial_loss"], terms.sum(axis=(1, 2)) / (3 * n_terms), rtol=1e-12)
        slopes = (y - targets)[:, :batch] / (batch * n_terms)
        np.testing.assert_allclose(start["v"] - end["v"], 0.5 * x[:batch].T @ slopes, rtol=1e-12)
        np.testing.assert_allclose(start["c"] - end["c"], 0.5 * slopes.sum(axis=1), rtol=1e-12)


def result_of(**changes: Any) -> Result:
    """Train 20 logistic models on the function OR."""
    fixed = {"task": "or", "hidden": 0, "output": "sigmoid", "loss": "bce", "learning_rate": 1.0, "seeds.count": 20}
    return sweep.run(load_study("xor", fixed | changes))


def test_logistic_regression() -> None:
    """A step is the closed form of the gradient, p - t; trained weights are those of one minimum from any start."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    targets = np.array([0, 1, 1, 1.0])
    step = result_of(**{"max_steps": 1, "record.weights": "both"})
    (v, c), (after_v, after_c) = ([step.weights(0, which)[name] for name in "vc"] for which in ("initial", "final"))
    outputs = 1 / (1 + np.exp(-(x @ v + c[:, np.newaxis])))
    slopes = outputs - targets[:, np.newaxis]
    np.testing.assert_allclose(after_v, v - x.T @ slopes, rtol=1e-12)
    np.testing.assert_allclose(after_c, c - slopes.sum(axis=1), rtol=1e-12)
    least = result_of(**{"weight_decay": 0.1, "max_steps": 300, "criterion": "none", "record.weights": "final"})
    weights = least.weights(0)
    assert weights["v"].std(axis=0).max() < 1e-9
    assert (least.runs()["n_correct"] == 4).all()
    slopes = 1 / (1 + np.exp(-(x @ weights["v"][0] + weights["c"][0]))) - targets[:, np.newaxis]
    np.testing.assert_allclose(x.T @ slopes + 0.1 * weights["v"][0], 0, atol=1e-9)


def test_separable_functions_are_learned_and_xor_is_not() -> None:
    """A perceptron learns OR with every seed, and XOR with none."""
    learned = [
        result_of(task=task, criterion="correct", max_steps=100).cells["convergence_rate"][0] for task in ("or", "xor")
    ]
    assert learned == [1.0, 0.0]


def test_other_questions_to_networks() -> None:
    """Measures, traces with their figure, and descriptions know networks without hidden units."""
    measures = ["sharpness", "effective_dimension", "margin", "weight_norm"]
    result = result_of(**{"record.measures": measures, "max_steps": 20, "seeds.count": 4})
    runs = result.runs()
    assert (runs["sharpness"] > 0).all()
    assert runs["effective_dimension"].between(0.99, 1.01).all()
    traced = sweep.trace(result, 3)
    assert traced.final_loss == runs["final_loss"][3]
    assert "v (inputs, outputs)" in str(traced)
    plane = outputs_plane(traced)
    assert plane is not None
    assert decision_surface(traced, plane).get_title() == "output"
    assert "of no hidden layer" in describe(result.study).sentence


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"hidden": -1}, "network.hidden: must be at least 0, got -1"),
        ({"hidden": "0-2"}, "network.hidden: must be at least 1 in each layer, got '0-2'"),
        ({"hidden": 0, "activation": "tanh"}, "activation: 'tanh' has no effect without hidden units"),
        ({"hidden": 0, "skip": True}, "skip: true has no effect without hidden units"),
        ({"hidden": 0, "layers": 2}, "layers: 2 has no effect without hidden units"),
        ({"hidden": [0, 2], "scaling": "ntk"}, "hidden: 0 needs scaling 'standard', .* got network.scaling 'ntk'"),
        ({"hidden": 0, "freeze": "v c"}, "freeze: must leave parameters to train"),
        ({"hidden": 0, "freeze": "w"}, "freeze: must name parameters of the networks, got w"),
    ],
)
def test_faults(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(StudyError, match=fault):
        make_study(**options)


def test_changes_leave_out_options_of_hidden_units() -> None:
    """A change to no hidden units removes options that lose their effect."""
    assert load_study("xor", {"hidden": 0}).values_of("activation") == ("relu",)
    assert load_study("hinton-xor", {"hidden": 0}).values_of("activation") == ("relu",)

"""The study model: its types, and all faults at once, each with its key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sweep import Study, StudyError
from sweep.study.load import load_study
from tests.sweep.support import make_study, refused, write_study

MINIMAL: dict[str, Any] = {"data": {"task": "xor"}, "network": {"hidden": 2}, "training": {"learning_rate": 0.1}}

BAD: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"name": "no/slash"}, ("name", "'no/slash'", "letters")),
    ({"name": "x" * 256}, ("name", "xxx...xxx", "at most 255")),
    ({"name": 5}, ("name", "got 5", "text")),
    ({"description": 5}, ("description", "got 5", "text")),
    ({"description": "\udcff"}, ("description", "text")),
    ({"method": "random"}, ("method", "'random'", "grid")),
    ({"network": {"hidden": -1}}, ("network.hidden", "got -1", "at least 0")),
    ({"network": {"hidden": 65_537}}, ("network.hidden", "65536")),
    ({"network": {"hidden": 2.0}}, ("network.hidden", "2.0", "integer")),
    ({"network": {"hidden": None}}, ("network.hidden",)),
    ({"network": {"hidden": 2, 3: 4}}, ("network", "unknown key 3")),
    ({"network": {"hidden": 2, "activaton": "relu"}}, ("network", "'activaton'", "did you mean 'activation'")),
    (
        {"network": {"hidden": 2, "activation": "rely"}},
        ("network.activation", "relu", "tanh", "sigmoid", "identity"),
    ),
    ({"network": {"hidden": 2, "bias": 1}}, ("network.bias", "true or false")),
    ({"convergence": 3}, ("convergence", "table")),
    ({"network": {}}, ("network.hidden", "missing")),
    ({"training": {"learning_rate": -0.1}}, ("training.learning_rate", "-0.1", "at least 0")),
    ({"training": {"learning_rate": math.inf}}, ("training.learning_rate", "finite")),
    ({"training": {"learning_rate": 10**400}}, ("training.learning_rate", "number")),
    ({"training": {"learning_rate": "0.1"}}, ("training.learning_rate", "number")),
    ({"training": {}}, ("training.learning_rate", "missing")),
    ({"hidden": 2}, ("unknown key 'hidden'", "it belongs in [network]")),
    ({"training": {"learning_rate": 0.1, "max_steps": 2**31}}, ("training.max_steps", str(2**31 - 1))),
    ({"convergence": {"threshold": 0}}, ("convergence.threshold", "above 0")),
    ({"initial_weights": {"scale": -1.0}}, ("initial_weights.scale", "above 0")),
    ({"initial_weights": {"scale": "xavier"}}, ("initial_weights.scale", "did you mean 'glorot'?")),
    ({"initial_weights": []}, ("initial_weights", "table")),
    ({"seeds": {"base": -1}}, ("seeds.base", "-1", "at least 0")),
    ({"seeds": {"base": 2**32}}, ("seeds.base", str(2**32), str(2**32 - 1))),
    ({"seeds": {"count": 0}}, ("seeds.count", "at least 1")),
    ({"seeds": {"base": 2**32 - 1, "count": 2}}, ("seeds", str(2**32), str(2**32 - 1))),
    ({"seeds": {"first": 1}}, ("seeds", "'first'", "base, count")),
    ({"parameters": []}, ("parameters", "table")),
    ({"parameters": {"seed": {"values": [1]}}}, ("parameters", "'seed'", "replicates")),
    ({"parameters": {"task": {"values": ["xor"]}}}, ("parameters", "'task'", "cannot be swept")),
    ({"parameters": {"lerning_rate": {"values": [1]}}}, ("parameters", "did you mean 'learning_rate'")),
    ({"parameters": {"training.scale": {"values": [1]}}}, ("parameters", "'training.scale'")),
    ({"parameters": {"scale": [2.0], "initial_weights.scale": [3.0, 4.0]}}, ("scale", "twice")),
    ({"parameters": {"hidden": {"values": [3]}}}, ("parameters.hidden", "network.hidden", "keep one")),
    ({"parameters": {"scale": {"values": [1, 2, 1.0]}}}, ("parameters.scale", "1.0", "twice")),
    ({"parameters": {"scale": None}}, ("parameters.scale", "None", "[2, 4, 8]", "geomspace", "linspace", "range")),
    ({"parameters": {"scale": "large"}}, ("parameters.scale[0]", "'large'", "a number")),
    ({"parameters": {"scale": {2.0}}}, ("parameters.scale", "{2.0}", "a list")),
    ({"parameters": {"max_steps": [10, 20.0]}}, ("parameters.max_steps[1]", "20.0", "integer")),
    ({"parameters": {"max_steps": {"linspace": [1, 4, 3]}}}, ("parameters.max_steps", "3 values", "2.5", "integers")),
    ({"parameters": {"max_steps": {"range": [2, 8, 4]}}}, ("parameters.max_steps", "[2, 8, 4]", "steps of 4")),
    ({"parameters": {3: [1]}}, ("parameters", "unknown parameter 3")),
    ({"parameters": {"trainig.max_steps": [1]}}, ("parameters", "did you mean 'training.max_steps'")),
    ({"parameters": {"scale": {"values": [1.0, -2.0]}}}, ("parameters.scale[1]", "-2.0", "above 0")),
    ({"parameters": {"threshold": {"values": [math.nan]}}}, ("parameters.threshold[0]", "finite")),
    ({"parameters": {"bias": {"values": [True, 0]}}}, ("parameters.bias[1]", "true or false")),
    ({"parameters": {"activation": {"values": ["relu", "step"]}}}, ("parameters.activation[1]", "'step'", "tanh")),
    ({"training": {"learning_rate": 0.1, "optimizer": "momentum", "momentum": 1}}, ("training.momentum", "below 1")),
    ({"training": {"learning_rate": 0.1, "batch": 5}}, ("training.batch", "5", "'full'", "'online'", "1 to 4")),
    ({"training": {"learning_rate": 0.1, "batch": "mini"}}, ("training.batch", "'mini'", "'full'", "'online'")),
    ({"parameters": {"batch": [1, "online"]}}, ("parameters.batch", "1", "twice")),
    ({"parameters": {"batch": [1, 8]}}, ("parameters.batch[1]", "8", "1 to 4")),
    ({"parameters": {"draw_order": ["w v b c", "w v b c k"]}}, ("parameters.draw_order", "twice")),
    ({"initial_weights": {"draw_order": "w v b b"}}, ("initial_weights.draw_order", "'w v b b'", "once")),
    ({"initial_weights": {"draw_order": "w b.T"}}, ("initial_weights.draw_order", "'w b.T'", "'w.T b v c'")),
    ({"initial_weights": {"draw_order": ["w"]}}, ("initial_weights.draw_order", "one value")),
    ({"data": {}}, ("data", "task", "file", "inputs")),
    ({"data": []}, ("data", "table")),
    ({"data": {"inputs": [[1.0]]}}, ("data.targets", "missing")),
    ({"data": {"inputs": [], "targets": []}}, ("data", "1 to 65536 patterns", "got 0")),
    ({"data": {"inputs": [[1.0]], "targets": [[1.0], [2.0]]}}, ("data", "got 1 of inputs", "2 of targets")),
    ({"data": {"inputs": [[1.0], [1.0, 2.0]], "targets": [[1.0], [2.0]]}}, ("data", "inputs", "lengths 1 and 2")),
    ({"data": {"inputs": [[1.0]], "targets": [[]]}}, ("data", "targets", "at least 1")),
    ({"data": {"inputs": [[math.nan]], "targets": [[1.0]]}}, ("data.inputs[0][0]", "finite")),
    ({"data": {"inputs": [["1"]], "targets": [[1.0]]}}, ("data.inputs[0][0]", "number")),
    ({"data": {"inputs": [1.0], "targets": [[1.0]]}}, ("data", "inputs must", "got [1.0]", "list", "[[0, 0], [0, 1]]")),
    ({"data": {"inputs": [[1], [2]], "targets": [0, [1]]}}, ("data.targets[0]", "list")),
    ({"data": {"inputs": [[1], [2]], "targets": [0, "1"]}}, ("data.targets[1][0]", "'1'", "number")),
    ({"data": {"file": 3}}, ("data: file", "got 3", "path")),
]


@pytest.mark.parametrize(
    ("validates", "options", "monitor"),
    [
        (True, {"patience": 3.0}, "validation_loss"),
        (True, {"stopping_rule": "gl"}, "validation_loss"),
        (True, {"patience": 3.0, "monitor": "loss"}, "loss"),
        (True, {"patience": 3.0, "monitor": "n_correct"}, "n_correct"),
        (False, {"patience": 3.0}, "loss"),
    ],
)
def test_monitor_by_default(validates: bool, options: dict[str, Any], monitor: str, tmp_path: Path) -> None:
    """Rules look at validation patterns where there are any, and the canonical form and changes keep other choices."""
    data = {"task": "spiral", "n": 10, **({"validation_count": 4} if validates else {})}
    study = Study(**{**MINIMAL, "data": data, "convergence": options})
    assert study.values_of("monitor") == (monitor,)
    stored = study.canonical()["convergence"]
    assert stored.get("monitor") == (monitor if validates else None)
    assert Study(**study.canonical()) == study
    file = write_study(tmp_path / "study.toml", study)
    assert load_study(file) == study
    assert load_study(file, {"learning_rate": [0.1, 0.2]}).values_of("monitor") == (monitor,)
    explicit = Study(**{**MINIMAL, "data": data, "convergence": {**options, "monitor": monitor}})
    assert explicit == study


def test_swept_values_have_the_type_of_the_scalar() -> None:
    """Integers become floats for an option that takes floats, so that columns have one type."""
    study = make_study(hidden=[4, 2], learning_rate=[1, 0.5], bias=[True, False], activation=["tanh", "relu"])
    assert study.parameters == {
        "hidden": (4, 2),
        "learning_rate": (1.0, 0.5),
        "bias": (True, False),
        "activation": ("tanh", "relu"),
    }
    assert isinstance(study.parameters["learning_rate"][0], float)
    assert (study.n_cells, study.n_runs) == (16, 320)


@pytest.mark.parametrize(("tables", "parts"), BAD)
def test_one_fault_is_one_sentence_with_its_key(tables: Mapping[str, Any], parts: tuple[str, ...]) -> None:
    """A fault is one sentence with the key, the value and what is allowed."""
    with refused(*parts):
        Study(**{**MINIMAL, **tables})


def test_more_patterns_than_allowed() -> None:
    """65,536 patterns are accepted, one more is refused."""
    most = {"inputs": [[1.0]] * 65_536, "targets": [[0.0]] * 65_536}
    assert len(Study(**{**MINIMAL, "data": most}).data.inputs) == 65_536
    more = {key: [*rows, [0.0]] for key, rows in most.items()}
    with refused("1 to 65536 patterns, got 65537"):
        Study(**{**MINIMAL, "data": more})


def test_all_faults_at_once() -> None:
    """A study with a fault in every table reports all of them, not only the first."""
    with pytest.raises(StudyError) as caught:
        Study(
            name="a b",
            data={"task": "nor"},
            network={"hidden": -1, "activation": "x", "dept": 2},
            initial_weights={"scale": 0},
            training={"learning_rate": -1, "max_steps": -1},
            convergence={"criterion": "x"},
            parameters={"bias": {"values": [2, 3]}, "steps": {"values": [1]}},
            seeds={"base": -1, "count": 0},
        )
    keys = sorted(fault.partition(":")[0] for fault in caught.value.faults)
    assert keys == [
        *("convergence.criterion", "data", "initial_weights.scale", "name", "network", "network.activation"),
        *("network.hidden", "parameters", "parameters.bias[0]", "parameters.bias[1]", "seeds.base", "seeds.count"),
        *("training.learning_rate", "training.max_steps"),
    ]


def test_repr_names_the_size() -> None:
    """A study shows its name, size and the start of its identity."""
    study = make_study(count=7)
    assert repr(study) == f"<Study 'small': 4 cells x 7 seeds, {study.identity[:12]}>"

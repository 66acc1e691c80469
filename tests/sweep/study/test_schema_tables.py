"""The schema of the tables without swept options: schema and validation agree on each example."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from sweep import Study, StudyError
from tests.sweep.schemas import accepts

TASKS: list[dict[str, Any]] = [
    *({"task": name} for name in ("xor", "and", "or", "seed")),
    {"task": "boolean", "bits": 2, "function": 9, "coding": "pm1", "target_low": -1, "target_high": 1},
    {"task": "parity", "bits": 2, "target_high": 0.9},
    {"task": "encoder", "n": 4},
    {"task": "moons", "n": 2, "noise": 0.1, "data_seed": 7},
    {"task": "spiral", "n": 2, "classes": 2},
    {"task": "noise", "n": 4, "n_inputs": 3, "n_outputs": 2},
    {"task": "noise", "n": 6, "n_inputs": 1, "train_count": 4, "split_seed": 3},
    {"task": "parity", "bits": 3, "train": [5, 0, 1, 2], "decision_threshold": 0.3},
    {"task": "xor", "test": {"task": "or", "coding": "pm1"}, "label_noise": 0.5, "noise_seed": 1},
]


@pytest.mark.parametrize(
    ("tables", "allowed"),
    [
        *(({"data": data}, True) for data in TASKS),
        ({"data": {"file": "a.csv"}}, True),
        (
            {
                "data": {"file": "a.csv", "inputs": ["a"], "target": "class", "target_low": -1, "train_count": 3}
                | {"validation": {"file": "c"}, "test": {"file": "b"}}
            },
            True,
        ),
        ({"data": {"inputs": [[0, 1]], "targets": [1]}}, True),
        ({"data": {"inputs": [[0, 1]], "targets": [1], "test": {"inputs": [[0, 1]], "targets": [[0.5]]}}}, True),
        ({"data": {"task": "xnor"}}, False),
        ({"data": {"task": "parity", "bits": 17}}, False),
        ({"data": {"task": "parity", "bits": 2, "coding": "10"}}, False),
        ({"data": {"task": "moons", "n": 10, "noise": -0.1}}, False),
        ({"data": {"file": 3}}, False),
        ({"data": {"file": "a.csv", "inputs": [0, 1], "targets": ["y"]}}, False),
        ({"data": {"inputs": [0, 1], "targets": [1]}}, False),
        ({"data": {"inputs": [[0, "1"]], "targets": [1]}}, False),
        ({"data": {"task": "xor", "train": [0, -1]}}, False),
        ({"data": {"task": "xor", "train_count": 0}}, False),
        ({"data": {"task": "xor", "label_noise": 1.5}}, False),
        ({"data": {"task": "xor", "test": {"task": "or", "train_count": 2}}}, False),
        ({"data": {"task": "xor", "test": "or"}}, False),
        ({"data": {"task": "xor", "sha256": "0"}}, False),
        ({"seeds": {"count": 10, "until": {"width": 0.02}}}, True),
        ({"seeds": {"until": {"width": 0.02, "first": 50}}}, True),
        ({"record": {"loss_thresholds": {"geomspace": [1.0, 1e-3, 7]}}}, True),
        ({"record": {"loss_thresholds": 0.3}}, True),
        ({"record": {"curves": {"seeds": 20}}}, True),
        ({"record": {"curves": {"seeds": 1, "steps": [0, 10, 5000]}}}, True),
        ({"record": {"curves": {"seeds": 1, "steps": {"geomspace": [1, 1000, 7]}}}}, True),
        ({"record": {"curves": {"seeds": 1, "steps": {"range": [0, 50]}}}}, True),
        ({"method": "grid", "name": "a.b-c_1", "description": "é"}, True),
        ({"seeds": {"count": 2.5}}, False),
        ({"seeds": {"until": 0.02}}, False),
        ({"seeds": {"until": {"width": 1}}}, False),
        ({"record": {"loss_thresholds": [0.3, 0.3]}}, False),
        ({"record": {"curves": {"steps": [1]}}}, False),
        ({"record": {"curves": {"seeds": 1, "steps": [2.5]}}}, False),
        ({"record": {"loss_thresholds": [0.3, 0]}}, False),
        ({"record": {"loss_thresholds": [float(k) for k in range(1, 18)]}}, False),
        ({"method": "random"}, False),
        ({"name": "a b"}, False),
        ({"description": 3}, False),
        ({"network": [1]}, False),
    ],
    ids=str,
)
def test_tables(tables: dict[str, Any], allowed: bool) -> None:
    """A task with its arguments, a file, or lists, and test patterns; names, seeds and the table [record]."""
    written = {"data": {"task": "xor"}, **tables}
    assert accepts(written) == allowed
    study = {"network": {"hidden": 2}, "training": {"learning_rate": 0.1}, **written}
    if not (allowed and "file" in written["data"]):  # there is no such file
        with nullcontext() if allowed else pytest.raises(StudyError):
            Study(**study)

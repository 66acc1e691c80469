"""Studies in which each layer receives the outputs of all earlier ones (``shortcuts = "all"``)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sweep
from sweep import Study, StudyError, load_study

OPTIONS: dict[str, Any] = {"learning_rate": 0.1, "max_steps": 20, "seeds.count": 3, "skip": True, "shortcuts": "all"}


def test_a_cascade_of_two_units_solves_parity() -> None:
    """Weights by hand: each layer reads inputs and earlier units, so two units tell the parity of three bits.

    With s bits that are 1 the first unit is relu(s - 1), the second relu((s + first) / 2 - 3 / 2), which is 1 for s = 3
    alone, and the output s - 2 * first + 2 * second.
    """
    values = {"w1": 1.0, "b1": -1.0, "w2": 0.5, "k2": 0.5, "b2": -1.5, "v": 2.0, "k": [[1], [1], [1], [-2]], "c": 0.0}
    data = {"data.task": "parity", "data.bits": 3}
    study = load_study("xor", OPTIONS | data | {"hidden": "1-1", "values": values, "max_steps": 0})
    rows = sweep.run(study).runs()
    assert (rows["final_loss"] == 0.0).all()
    assert (rows["n_correct"] == 8).all()


def test_one_hidden_layer_is_that_with_skip_connections_to_outputs() -> None:
    """With one hidden layer both values mean the same, bit for bit."""
    results = [
        sweep.run(load_study("xor", OPTIONS | {"hidden": [1, 3], "shortcuts": each})) for each in ("all", "outputs")
    ]
    first, second = (result.runs() for result in results)
    np.testing.assert_array_equal(first["final_loss"], second["final_loss"])
    assert results[0].digest == results[1].digest


def test_names_and_shapes_of_the_weights() -> None:
    """Recorded weights and traces have an array k2, k3, .. of each later hidden layer, and k of the outputs."""
    data = {"data.task": "parity", "data.bits": 3}
    study = load_study("xor", OPTIONS | data | {"hidden": "2-3-2", "record.weights": "final"})
    result = sweep.run(study)
    weights = result.weights()
    assert {name: weights[name].shape[1:] for name in ("k2", "k3", "k")} == {"k2": (3, 3), "k3": (5, 2), "k": (8, 1)}
    trace = sweep.trace(result, 1)
    np.testing.assert_array_equal(trace.weights["k3"], weights["k3"][1])
    assert "k3 (inputs and earlier units, hidden 3)" in str(trace)
    assert "k (inputs and earlier units, outputs)" in str(trace)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"skip": False}, "shortcuts: 'all' has no effect in any cell; use it with skip true, or remove it"),
        ({"shortcuts": "both"}, "shortcuts: must be one of 'outputs' or 'all', got 'both'"),
        ({"freeze": "k2[0,9]"}, r"index must be within the shape 2 x 3 that k2 has in some network"),
        ({"freeze": "k3[0,0]"}, "must name parameters of the networks, got k3"),
        ({"values": {"k1": 0.5}}, "each key must be an array"),
        ({"draw_order": "w v k3"}, "got k3 in"),
    ],
)
def test_refused_values(options: dict[str, Any], message: str) -> None:
    """A sentence names the value and what is allowed."""
    with pytest.raises(StudyError, match=message):
        load_study("xor", OPTIONS | {"hidden": "2-3"} | options)


def test_the_study_keeps_its_identity_without_them() -> None:
    """The option is left out of the canonical form where it has its default."""
    plain = load_study("xor", OPTIONS | {"hidden": "2-3", "shortcuts": "outputs"})
    assert "shortcuts" not in plain.canonical()["network"]
    joined = load_study("xor", OPTIONS | {"hidden": "2-3"})
    assert joined.canonical()["network"]["shortcuts"] == "all"
    assert Study(**joined.canonical()).identity == joined.identity != plain.identity

"""Measures of trained networks equal formulas written out, run by run, from traces."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import sweep
from kernels.vocabulary import LOSS_SUMS
from sweep import Study, StudyError
from sweep.measures import MEASURES, RECORDED
from sweep.measures.measure import Networks
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import make_study

OPTIONS: dict[str, Any] = {"activation": "tanh", "hidden": [2, "3-2"], "learning_rate": [0.3, 1e3], "max_steps": 12}
CLASSES = {
    "data": {"inputs": [[0, 0], [0, 1], [1, 1]], "targets": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]},
    **{"output": "softmax", "loss": "cross_entropy"},
}


def measured(*names: str, **options: Any) -> Study:
    """Return a small study, some of whose runs diverge, that records measures: if none is named all but sharpness."""
    study = make_study(**{**OPTIONS, "count": 3, **options})
    able = {name: each for name, each in RECORDED.items() if not (each.fault and each.fault(study))}
    every = [name for name, each in able.items() if name != "sharpness" and not {*each.needs} - {"held-out"}]
    return Study(**study.canonical() | {"record": {"measures": list(names or every)}})


def by_hand(study: Study, run: int) -> dict[str, Any]:
    """Compute the measures of a run from its trace, number by number."""
    trace = sweep.trace(sweep.run(study), run)
    start = sweep.trace(Study(**_one_cell(study, trace.parameters, max_steps=0)), trace.seed).weights
    if trace.status == "diverged":
        lost = {"learned_function": -1, "margin": -math.inf, "train_balanced_accuracy": 0}
        return lost | dict.fromkeys(("mean_error", "weight_norm", "weight_distance", "effective_dimension"), math.inf)
    data = study.patterns_of(trace.cell)
    classes = "softmax" in study.values_of("output")
    targets = [target for row in data.targets for target in row]
    middle = (min(targets) + max(targets)) / 2 if data.decision_threshold is None else data.decision_threshold
    outputs = trace.predictions.astype(float).tolist()
    tests: list[list[float]] = []
    if data.test:
        tests = _outputs(study, trace, data.test.inputs)
    bits, margins, errors = [], [], []
    right: dict[Any, list[bool]] = {}
    for row in outputs + tests:
        for o, y in enumerate(row):
            bits.append(y > max([*row[:o], *row[o + 1 :]], default=-math.inf) if classes else y > middle)
    for row, own in zip(outputs, data.targets, strict=True):
        for o, (y, target) in enumerate(zip(row, own, strict=True)):
            errors.append(abs(y - target))
            if classes and target == max(own):
                margins.append(y - max([*row[:o], *row[o + 1 :]]))
            elif not classes:
                margins.append(y - middle if target > middle else middle - y)
        own_class = own.index(max(own)) if classes else own[0] > middle
        right.setdefault(own_class, []).append(margins[-1] > 0)
    pairs = [(p, q) for name in start for p, q in zip(start[name].ravel(), trace.weights[name].ravel(), strict=True)]
    singular = np.linalg.svd(next(iter(trace.weights.values())).astype(float), compute_uv=False)
    return {
        "effective_dimension": (singular**2).sum() ** 2 / (singular**4).sum(),
        "train_balanced_accuracy": sum(sum(each) / len(each) for each in right.values()) / len(right),
        "learned_function": sum(2**bit for bit, is_high in enumerate(bits) if is_high),
        "margin": min(margins),
        "mean_error": sum(errors) / len(errors),
        "weight_norm": math.sqrt(sum(float(q) ** 2 for _, q in pairs)),
        "weight_distance": math.sqrt(sum((float(q) - float(p)) ** 2 for p, q in pairs)),
    }


def _one_cell(study: Study, parameters: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the tables of a study of one cell, of other options too."""
    tables = study.canonical()
    tables["parameters"] = {name: [value] for name, value in (parameters | changes).items()}
    for name in changes:
        for table in ("training", "network", "convergence"):
            tables[table].pop(name, None)
    tables.pop("record")
    return tables


def _outputs(study: Study, trace: Any, inputs: Any) -> list[list[float]]:
    """Return the outputs of a run of one hidden layer for other inputs."""
    w = trace.weights
    rows = np.asarray(inputs) @ w["w"] + w["b"]
    return [list(row) for row in np.tanh(rows) @ w["v"] + w["c"]]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, marks=pytest.mark.soak),
        CLASSES | {"hidden": 3},
        pytest.param(
            {"dtype": "float32", "data": {"task": "addition", "bits": 1}, "hidden": 2}, marks=pytest.mark.soak
        ),
        {"hidden": 2, "data": {"task": "parity", "bits": 3, "train": [0, 3, 5, 6, 7]}, "learning_rate": 0.05},
    ],
    ids=["", "classes", "float32", "tested"],
)
def test_measures_by_hand(options: dict[str, Any]) -> None:
    """Measures equal those from traces, whatever the parts."""
    study = measured(**options)
    result = sweep.run(study)
    assert run_in_parts(study, part_runs=2).facts["digest"] == result.facts["digest"]
    for row in result.runs().to_dict("records"):
        expected = by_hand(study, row["run"])
        assert row["learned_function"] == expected.pop("learned_function")
        assert {*expected} - {*study.record.measures} <= {"train_balanced_accuracy"}  # of classes only
        for name in {*study.record.measures} & {*expected}:
            close = pytest.approx(expected[name], rel=1e-6 if study.in_tables["dtype"] == "float32" else 1e-13)
            assert row[name] == close, name


@pytest.mark.parametrize(
    ("weights", "expected"), [(np.zeros((2, 3)), 0.0), (1e200 * np.eye(2, 3), 2.0), (1e-200 * np.ones((3, 2)), 1.0)]
)
def test_effective_dimension_of_any_size(weights: np.ndarray, expected: float) -> None:
    """It is 0 without weights, and squares of large and small weights stay in range."""
    given: Any = dict.fromkeys(Networks._fields) | {"final": weights.reshape(1, -1), "shapes": {"w": weights.shape}}
    compute = MEASURES["effective_dimension"].compute
    assert compute
    assert compute(Networks(**given | {"diverged": np.array([False])})) == pytest.approx(expected)


@pytest.mark.wide
def test_swept_patterns_have_their_own_targets() -> None:
    """Cells are measured with the patterns that they learn."""
    data: dict[str, Any] = {"task": "boolean", "bits": 2}
    options = {"activation": "tanh", "hidden": 3, "learning_rate": 0.2, "max_steps": 4000, "criterion": "correct"}
    tables = make_study(**options, count=4, data={**data, "function": 6}).canonical()
    swept = {
        "data": data,
        "parameters": {"function": [6, 8, 15]},
        "record": {"measures": ["learned_function", "margin"]},
    }
    rows = sweep.run(Study(**tables | swept)).runs()
    done = rows[rows["status"] == "converged"]
    assert len(done) > 3
    assert (done["learned_function"] == done["function"]).all()
    assert (done["margin"] > 0).all()


def test_names() -> None:
    """All declared measures are computed, columns have a fixed order, and each measure occurs once."""
    assert [name for name, each in RECORDED.items() if each.compute is None and not each.needs] == list(LOSS_SUMS)
    assert measured("margin", "mean_error") == measured("mean_error", "margin")
    for measures, fault in (
        (["margins"], "measure 'margins'"),
        (["margin", "margin"], "must be a list of different names"),
        (7, "must be a list .*, got 7"),
    ):
        with pytest.raises(StudyError, match=fault):
            Study(**make_study(**OPTIONS).canonical() | {"record": {"measures": measures}})
    with pytest.raises(StudyError, match="'learned_function' needs at most 62 outputs over all patterns, got 64"):
        measured("learned_function", data={"task": "parity", "bits": 6}, hidden=2)

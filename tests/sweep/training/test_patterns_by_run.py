"""Studies whose runs draw their own patterns (``data_seed = "seed"``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep import Study, StudyError
from sweep.study.data import data_sets
from sweep.study.load import parse_study
from sweep.training.networks import own_sets
from tests.sweep.expected import expected_runs
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import assert_same_table, refused

MOONS = {"task": "moons", "n": 3, "noise": 0.1, "data_seed": "seed"}
SPLIT = {**MOONS, "n": 4, "test_count": 3, "validation_count": 1, "standardize": True, "label_noise": 0.3}
OPTIONS: dict[str, Any] = {
    "network": {"activation": "tanh", "output": "sigmoid"},
    "training": {"loss": "bce", "max_steps": 12, "batch": 2, "order": "shuffled"},
    "convergence": {"threshold": 0.5},
    "parameters": {"hidden": [2, 3], "learning_rate": [0.1, 1.0]},
    "seeds": {"base": 3, "count": 5},
    "record": {"measures": ["sharpness", "margin"], "weights": "final", "curves": {"steps": [0, 4], "seeds": 2}},
}


def study_of(data: dict[str, Any] = SPLIT, **tables: Any) -> Study:
    """Return a study with the options of this module."""
    return Study(**{**OPTIONS, "data": data, **tables})


@pytest.mark.parametrize("most", [1, 2**19])
def test_runs_are_those_of_a_study_of_their_seed(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, measures, weights and curves are those with this data_seed, however many sets are in memory together."""
    monkeypatch.setattr(own_sets, "_MOST_NUMBERS", most)
    result = sweep.run(study_of(), threads=1)
    rows, points = result.runs(), result.learning_curves()
    for seed in (3, 7):  # the first has curves, the last has none
        alone = sweep.run(
            study_of(
                SPLIT | {"data_seed": seed},
                seeds={"base": seed, "count": 1},
                record={**OPTIONS["record"], "curves": {"steps": [0, 4], "seeds": 1}},
            )
        )
        for of_all, own in ((rows, alone.runs()), (points, alone.learning_curves())):
            mine = of_all[of_all["seed"] == seed].drop(columns="run").reset_index(drop=True)
            if len(mine):
                pd.testing.assert_frame_equal(mine, own.drop(columns="run"))
        for cell in (0, 3):
            for name, values in sweep.trained_weights(result, cell, [seed]).items():
                np.testing.assert_array_equal(values, sweep.trained_weights(alone, cell)[name])


@pytest.mark.wide
@pytest.mark.parametrize(
    "tables",
    [
        {"data": {"task": "noise", "n": 4, "n_inputs": 2, "data_seed": "seed"}, "training": {"max_steps": 9}},
        {"data": MOONS | {"test": {"task": "moons", "n": 9}}, "restarts": {"max_restarts": 2, "after_steps": 3}},
        {
            "data": {"task": "moons", "n": 3, "data_seed": "seed"},
            "parameters": {**OPTIONS["parameters"], "noise": [0.0, 0.2], "hidden": [2]},
        },
        {
            "data": {"task": "spiral", "n": 2, "classes": 3, "data_seed": "seed"},
            "network": {"output": "softmax"},
            "training": {"loss": "cross_entropy", "max_steps": 9},
            "convergence": {"criterion": "correct"},
        },
    ],
)
def test_as_the_oracle(tables: dict[str, Any], tmp_path: Path) -> None:
    """All parts, threads and shards have the rows of the oracle, and each is replayed and verified."""
    study = study_of(**{"record": {}, **tables})
    result = run_in_parts(study, out=tmp_path / "r", part_runs=3, threads=2)
    assert_same_table(result.runs(), expected_runs(study))
    assert sweep.run(study, threads=1).facts["digest"] == result.facts["digest"]
    assert sweep.verify(tmp_path / "r", sample=-1, threads=1).faults == []
    trace = sweep.trace(result, 6)
    assert trace.mismatches == {}
    patterns = study.patterns_of(trace.cell, trace.seed)
    np.testing.assert_array_equal(trace.inputs, patterns.inputs)
    more = study_of(**{"record": {}, **tables, "seeds": {"base": 2, "count": 7}})
    grown = sweep.run(more, reuse=[tmp_path / "r"])
    assert grown.facts["reused_steps"] == result.facts["net_steps"]
    assert grown.facts["digest"] == sweep.run(more).facts["digest"]


def test_identity_is_that_of_the_source() -> None:
    """It depends on the source and the seeds, and on what a version of the program draws from them."""
    study = study_of()
    assert study.canonical()["data"]["data_seed"] == "seed"
    assert parse_study(study.to_toml(), "there") == study
    assert "drawn for each run" in repr(study._repr_html_())
    others = [study_of(SPLIT | change) for change in ({"noise": 0.2}, {"data_seed": 0}, {"split_seed": 1})]
    assert len({each.identity for each in (study, *others)}) == 4
    with pytest.raises(StudyError, match=r"data\.sha256: must be that of the patterns made here"):
        study_of(study.canonical()["data"] | {"sha256": "0" * 64})
    with pytest.raises(ValueError, match="each run has other patterns, since data_seed is 'seed'"):
        _ = study.data.inputs


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ({"task": "xor", "data_seed": "seed"}, "data: task 'xor' does not take data_seed, got 'seed'"),
        ({"task": "moons", "n": 2, "data_seed": "run"}, "data: data_seed must be an integer from 0 to 4,294,967,295"),
        (
            MOONS | {"test": MOONS},
            "data.test.data_seed: must be an integer, got 'seed'; to draw test patterns for each",
        ),
    ],
)
def test_refused(data: dict[str, Any], fault: str) -> None:
    """One sentence says why the patterns cannot be drawn by run."""
    with refused(fault):
        study_of(data)


def test_patterns_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many runs there are, only those of a few are in memory."""
    monkeypatch.setattr(own_sets, "_MOST_NUMBERS", 200)
    study = study_of(MOONS, seeds={"count": 40}, record={}, parameters={"hidden": [2], "learning_rate": [0.1]})
    most, made = 0, data_sets.DataSets.arrays

    def watched(data: data_sets.DataSets, *of: Any) -> Any:
        nonlocal most
        most = max(most, len(data.sets))
        return made(data, *of)

    monkeypatch.setattr(data_sets.DataSets, "arrays", watched)
    sweep.run(study, threads=1)
    assert most == 200 // (6 * 3)


def test_shared_patterns_are_made_once(tmp_path: Path) -> None:
    """Patterns of a table of held-out patterns are those that were read with the study, for all runs."""
    path = tmp_path / "test.csv"
    path.write_text("x0,x1,y\n0.5,1,0\n")
    study = study_of(MOONS | {"test": {"file": str(path)}})
    path.unlink()
    assert study.patterns_of(0, 7).test is study.patterns_of(1, 9).test is study.data.sets[0].test


def test_confusion_needs_shared_patterns() -> None:
    """It is refused for patterns that differ from run to run, and not for others."""
    result = sweep.run(study_of(MOONS | {"test": {"task": "moons", "n": 2}}, record={"weights": "final"}), threads=1)
    assert sweep.confusion(result, of="test").sum(axis=(1, 2)).tolist() == [4] * 5
    with pytest.raises(sweep.SweepError, match="each run draws its own train patterns"):
        sweep.confusion(result, of="train")

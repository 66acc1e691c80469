"""Whatever a study has, every way to train it gives one digest, and traces and verification agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sweep
from sweep import Study, load_study
from tests.sweep.in_parts import interrupt_in_parts, run_in_parts
from tests.sweep.own import FILE, only_plugins
from tests.sweep.support import assert_same_table, make_study

XOR: dict[str, Any] = {
    "data": {"task": "xor"},
    "network": {"hidden": 2, "activation": "tanh"},
    "training": {"max_steps": 60},
    "convergence": {"threshold": 0.9, "patience": 6, "min_delta": 1e-3},
    "parameters": {"learning_rate": [0.02, 0.3, 3.0, 0.0]},
    "seeds": {"count": 12, "base": 3},
}
CASES: dict[str, dict[str, Any]] = {
    "usual kernel": {
        "network": {"hidden": 2},
        "convergence": {"threshold": 0.9},
        "restarts": {"max_restarts": 2, "draw": "spawned", "after_steps": 20},
    },
    "restarts": {"restarts": {"max_restarts": 2, "draw": "spawned", "after_steps": 20}},
    "loss thresholds": {"record": {"loss_thresholds": [1.5, 0.7]}},
    "measures": {
        "network": {"activation": "tanh"},
        "record": {"measures": ["learned_function", "margin", "sharpness"], "weights": "both"},
        "parameters": {"hidden": [2, "3-2"], "learning_rate": [0.3, 1e3]},
    },
    "patterns of each cell": {
        "data": {"task": "boolean", "bits": 3, "train_count": 6, "label_noise": 0.2},
        "network": {"activation": "tanh", "output": "sigmoid"},
        "training": {"batch": 4, "order": "shuffled", "max_steps": 30},
        "convergence": {"criterion": "correct", "divergence_threshold": 3.0},
        "parameters": {"function": [22, 255, 0], "hidden": [2, 3], "split_seed": [0, 4], "learning_rate": [0.5, 20.0]},
    },
    "best validation": {
        "data": {"task": "spiral", "n": 12, "test_count": 6, "validation_count": 5},
        "network": {"activation": "tanh", "output": "sigmoid"},
        "training": {"loss": "bce", "batch": 6, "order": "shuffled", "max_steps": 60},
        "convergence": {"criterion": "none", "monitor": "validation_loss", "stopping_rule": "gl", "validate_every": 2},
        "parameters": {"hidden": [2, 3], "split_seed": [0, 4], "learning_rate": [0.5, 20.0]},
        "record": {"loss_thresholds": [9.0, 4.0], "curves": {"seeds": 2}},
    },
    "samples": {
        "network": {"activation": "tanh"},
        "samples": [{"count": 6, "seed": 2, "hidden": [2, 3], "scale": {"min": 0.5, "max": 1.5}}],
        "parameters": {"learning_rate": [0.1, 0.2]},
    },
    "swept weights": {
        "training": {"max_steps": 60, "learning_rate": 0.3},
        "parameters": {"w[0,1]": {"min": -2, "max": 2, "num": 3}, "b[0]": [0.0, 1.0]},
    },
}


def study_of(case: str) -> Study:
    """Return the study of a case."""
    if case == "own optimizer":
        return load_study("xor", {"hidden": 2, "max_steps": 60, "optimizer": "quickprop", "mu": [1.75, 2.0]} | OWN)
    return Study(**XOR | CASES[case])


OWN: dict[str, Any] = {"learning_rate": [0.05, 0.2], "seeds.count": 30, "threshold": 0.01}


@pytest.mark.parametrize("case", [*CASES, "own optimizer"])
def test_one_result(case: str, tmp_path: Path) -> None:
    """Threads, parts, shards, resume and reuse change no bit; trace and verify train the same rows again."""
    with only_plugins(*([FILE] if case == "own optimizer" else [])):
        study = study_of(case)
        expected = sweep.run(study, tmp_path / "one", threads=1)
        digest, steps = expected.facts["digest"], expected.facts["net_steps"]
        for threads, part_runs in ((2, 7), (3, 1000)):
            assert run_in_parts(study, threads=threads, part_runs=part_runs).facts["digest"] == digest
        places = [tmp_path / "shard1", tmp_path / "shard2"]
        for number, place in enumerate(places, 1):
            sweep.run(study, place, shard=(number, 2))
        assert sweep.merge(places, tmp_path / "merged").facts["digest"] == digest
        interrupt_in_parts(study, tmp_path / "resumed", 1, part_runs=10)
        assert run_in_parts(study, tmp_path / "resumed", 2, part_runs=10).facts["digest"] == digest
        reused = sweep.run(study, reuse=tmp_path / "one").facts
        assert (reused["digest"], reused["reused_steps"]) == (digest, 0 if study.record.of_networks else steps)
        assert all(sweep.trace(expected, run).mismatches == {} for run in range(0, study.n_runs, 7))
        assert sweep.verify(tmp_path / "one", sample=-1).intact


@pytest.mark.parametrize("case", ["usual kernel", "restarts"])
def test_counts(case: str, tmp_path: Path) -> None:
    """Without rows, cells are the same, also of runs that restart, and training again gives the same counts."""
    study = study_of(case)
    counts = sweep.run(study, tmp_path / "counts", keep="cells")
    assert_same_table(counts.cells, sweep.run(study).cells)
    assert sweep.verify(tmp_path / "counts", sample=-1).intact


def test_adaptive_seeds(tmp_path: Path) -> None:
    """Rounds are those of the rows, whatever parts, interruptions, limits and earlier results."""
    until = {"width": 0.15, "first": 20}
    study = make_study(count=120, hidden=2, learning_rate=[0.05, 0.3, 30.0], threshold=0.05, until=until)
    whole = sweep.run(study)
    assert 0 < whole.facts["n_runs"] < study.n_runs
    assert run_in_parts(study, threads=3, part_runs=33).facts["digest"] == whole.facts["digest"]
    out, sizes = tmp_path / "r", [0]
    for after in (2, 9, 1):
        interrupt_in_parts(study, out, after, part_runs=20)
    while not (result := run_in_parts(study, out=out, max_runs=60, part_runs=20)).complete:
        sizes.append(result.facts["n_runs"])
        assert 0 < sizes[-1] - sizes[-2] < 200
    assert result.facts["digest"] == whole.facts["digest"]
    assert sweep.run(study, reuse=[out]).facts["digest"] == whole.facts["digest"]
    counts = run_in_parts(study, out=tmp_path / "cells", keep="cells", part_runs=20)
    assert_same_table(counts.cells, whole.cells)

"""Patterns of a study: the set of each cell, test patterns that are split off, and label noise."""

from __future__ import annotations

import hashlib
import itertools
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep import Study, StudyError
from sweep.study.data.data_sets import MAX_SETS
from sweep.study.data.splits import prepare
from sweep.study.load import load_study, parse_study
from tests.sweep.support import refused

PARAMETERS = {"hidden": [2], "learning_rate": [0.1]}
PARITY = {"task": "parity", "bits": 4}
XOR = {"task": "xor"}


def make(data: dict[str, Any], **swept: Any) -> Study:
    """Make a study with one cell for each combination of the swept options of [data]."""
    return Study(data=data, parameters=swept | PARAMETERS)


def test_cells_have_the_patterns_of_their_options() -> None:
    """The last swept option varies fastest, and other parameters do not matter."""
    study = Study(
        data={"task": "boolean", "bits": 2, "target_high": 0.9},
        parameters={"function": [6, 1], "hidden": [2, 3], "target_low": [0.0, 0.1], "learning_rate": [0.1, 0.2]},
    )
    expected = []
    for function, _, low, _ in itertools.product([6, 1], [2, 3], [0.0, 0.1], [0.1, 0.2]):
        expected.append(tuple((0.9 if function >> c & 1 else low,) for c in range(4)))
    assert [study.patterns_of(cell).targets for cell in range(study.n_cells)] == expected
    assert study.set_numbers(np.arange(16)).tolist() == [0, 0, 1, 1] * 2 + [2, 2, 3, 3] * 2
    assert [data.targets for data in study.data.sets] == list(dict.fromkeys(expected))
    with pytest.raises(ValueError, match="function and target_low vary; use 'sets'"):
        _ = study.data.inputs


def test_canonical_form_says_what_sets_are_made_from() -> None:
    """It holds all arguments, and the hash of all numbers, by which others are noticed."""
    study = make({"task": "boolean", "bits": 2, "label_noise": 0.25}, function=[6, 9], noise_seed=[3])
    table = study.canonical()["data"]
    digest = hashlib.sha256()
    for data in study.data.sets:
        digest.update(b"None")
        digest.update(struct.pack("<3q", 4, 2, 1))
        digest.update(b"".join(struct.pack("<d", number) for row in (*data.inputs, *data.targets) for number in row))
    assert table == {
        **{"task": "boolean", "bits": 2, "coding": "01", "target_low": 0.0, "target_high": 1.0, "label_noise": 0.25},
        "sha256": digest.hexdigest(),
    }
    assert parse_study(study.to_toml(), "there") == study
    with pytest.raises(StudyError, match=r"data\.sha256: must be that of the patterns made here, .*, got 'abc'"):
        make({"task": "boolean", "bits": 2, "sha256": "abc"}, function=[6, 9])
    with pytest.raises(StudyError, match="unknown key 'sha256'"):
        make({"task": "xor", "sha256": digest.hexdigest()})
    defaults = {"coding": "01", "target_low": 0, "target_high": 1}
    spelled = make({"task": "boolean", "bits": 2, **defaults, "label_noise": 0.25}, function=[6, 9], noise_seed=[3])
    assert spelled.identity == study.identity


def test_one_set_is_written_out() -> None:
    """Patterns with fixed arguments are the same study as the rows themselves."""
    study = make(PARITY | {"train": [3, 0, 1, 2], "label_noise": 0.25})
    assert set(study.canonical()["data"]) == {"inputs", "targets", "test"}
    assert parse_study(study.to_toml(), "there") == study
    assert make({"task": "xor"}, target_low=[0.0]).identity != make({"task": "xor"}).identity  # low is a column
    assert make({"task": "xor", "test": {"task": "or"}}).identity != make({"task": "xor"}).identity


def test_validation_patterns() -> None:
    """They are patterns as those of a test, and a study with either is another one."""
    validation = {"inputs": [[0.5, 0.5], [0.0, 0.2], [0.1, 0.9]], "targets": [0, 0, 1]}
    study = make({"task": "xor", "validation": validation, "test": {"task": "or"}})
    assert (study.data.n_patterns, study.data.n_validations, study.data.n_tests) == (4, 3, 4)
    for of, expected in (("train", study.data.only), ("validation", study.data.only.validation)):
        inputs, targets = study.data.arrays(of)
        assert expected
        assert (inputs.tolist(), targets.tolist()) == ([*map(list, expected.inputs)], [*map(list, expected.targets)])
    assert study.data.arrays("test")[1].ravel().tolist() == [0, 1, 1, 1]
    assert parse_study(study.to_toml(), "there") == study
    tables: list[dict[str, Any]] = [{"test": validation}, {"validation": validation}]
    identities = {make({"task": "xor", **held_out}).identity for held_out in ({}, *tables, tables[0] | tables[1])}
    assert len(identities) == 4


def test_validation_patterns_of_several_sets() -> None:
    """All sets have the same ones, which the hash tells from those of a test."""
    swept = {
        name: make({"task": "xor", name: {"task": "or"}}, target_low=[0.0, 0.1]) for name in ("test", "validation")
    }
    for name, study in swept.items():
        assert study.data.arrays(name)[1].shape == (2, 4, 1)  # type: ignore[arg-type]
        assert study.canonical()["data"][name]["targets"] == ((0.0,), (1.0,), (1.0,), (1.0,))
        assert parse_study(study.to_toml(), "there") == study
    assert len({study.data.table["sha256"] for study in swept.values()}) == 2


def test_swept_arguments_of_held_out_patterns() -> None:
    """Sets differ in them alone, beside swept options of training, and the canonical form names their source."""
    monks = {"task": "monks", "problem": 1, "test": {"task": "monks_all"}, "validation": {"task": "monks_all"}}
    study = make(monks | {"label_noise": 0.1}, test_problem=[1, 3], validation_problem=[2], noise_seed=[0, 5])
    for cell, (problem, noise_seed) in enumerate(itertools.product([1, 3], [0, 5])):
        tables = {"test": {"task": "monks_all", "problem": problem}, "validation": {"task": "monks_all", "problem": 2}}
        assert (
            study.patterns_of(cell) == make(monks | tables | {"label_noise": 0.1, "noise_seed": noise_seed}).data.only
        )
    table = study.canonical()["data"]
    assert table["test"] == {"task": "monks_all", "coding": "01", "target_low": 0.0, "target_high": 1.0}
    assert parse_study(study.to_toml(), "there") == study
    mixed = make({"task": "xor", "test": {"task": "or"}, "validation": {"task": "and"}}, test_target_low=[0, 0.1])
    assert set(mixed.canonical()["data"]["validation"]) == {"inputs", "targets"}
    assert parse_study(mixed.to_toml(), "there") == mixed


def test_split_is_that_of_scikit_learn() -> None:
    """The patterns trained on are those of train_test_split(range(16), train_size=12, random_state=seed)."""
    expected = {
        0: [0, 2, 3, 4, 5, 7, 10, 11, 12, 13, 14, 15],
        1: [0, 1, 4, 5, 6, 8, 9, 10, 11, 12, 14, 15],
        7: [0, 1, 3, 4, 6, 7, 9, 11, 12, 13, 14, 15],
    }
    study, whole = make(PARITY | {"train_count": 12}, split_seed=list(expected)), make(PARITY).data
    for numbers, data in zip(expected.values(), study.data.sets, strict=True):
        others = [k for k in range(16) if k not in numbers]
        assert data.inputs == tuple(whole.inputs[k] for k in numbers)
        assert data.targets == tuple(whole.targets[k] for k in numbers)
        assert data.test is not None
        assert (data.test.inputs, data.test.targets) == tuple(
            tuple(rows[k] for k in others) for rows in (whole.inputs, whole.targets)
        )


@given(
    targets=st.lists(st.sampled_from([(0.0,), (1.0,), (2.0,)]), min_size=1, max_size=30),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_label_noise(targets: list[tuple[float]], share: float, seed: int) -> None:
    """The fraction of patterns has the targets of another pattern, and inputs stay."""
    inputs = tuple((float(k),) for k in range(len(targets)))
    ((same, noisy),) = prepare((inputs, tuple(targets)), {"label_noise": share, "noise_seed": seed}).values()
    n_changed = sum(a != b for a, b in zip(targets, noisy, strict=True))
    assert n_changed == (round(share * len(targets)) if len(set(targets)) > 1 else 0)
    assert same == inputs
    assert set(noisy) <= set(targets)


def test_label_noise_is_uniform() -> None:
    """All patterns are noisy equally often, and get the targets of each other pattern equally often."""
    targets, counts = ((0.0,), (1.0,), (2.0,), (3.0,)), np.zeros((4, 4))
    for seed in range(1200):
        ((_, noisy),) = prepare((targets, targets), {"label_noise": 0.25, "noise_seed": seed}).values()
        (k,) = (k for k in range(4) if noisy[k] != targets[k])
        counts[k, int(noisy[k][0])] += 1
    off = counts[~np.eye(4, dtype=bool)]
    assert ((off - 100) ** 2 / 100).sum() < 31.3  # 0.1 % of chi-squared with 11 degrees of freedom


def test_test_patterns_have_no_label_noise() -> None:
    """Test patterns keep their targets."""
    study = make(PARITY | {"train_count": 8, "label_noise": 1.0})
    clean = make(PARITY | {"train_count": 8})
    assert study.data.only.test == clean.data.only.test
    assert all(a != b for a, b in zip(study.data.targets, clean.data.targets, strict=True))


@pytest.mark.parametrize(
    ("data", "threshold"),
    [
        (PARITY, None),
        ({"task": "boolean", "bits": 2, "function": 0}, 0.5),  # all targets are low
        ({"task": "boolean", "bits": 2, "function": 15, "target_low": -1}, 0.0),
        ({"task": "boolean", "bits": 2, "function": 7, "target_low": -1}, None),
        ({"task": "and", "train": [0, 1]}, 0.5),  # the high one is a test pattern
        ({"task": "xor", "decision_threshold": 0.5}, None),
        ({"task": "xor", "decision_threshold": 0.25}, 0.25),
        ({"inputs": [0, 1], "targets": [2, 2]}, None),
        ({"inputs": [0, 1], "targets": [1.7e308, 1.6e308], "train": [1]}, None),  # the midrange is infinite
    ],
)
def test_decision_threshold(data: dict[str, Any], threshold: float | None) -> None:
    """By default it is the midrange of all targets, or of the levels of a task."""
    if "inputs" in data:
        data = {**data, "inputs": [[0], [1]]}
    study = make(data)
    assert study.data.only.decision_threshold == threshold
    assert study.canonical()["data"].get("decision_threshold") == threshold
    assert parse_study(study.to_toml(), "there") == study


@pytest.mark.parametrize("idle", [{"noise_seed": 0, "label_noise": 0}, {"noise_seed": 0}, {"split_seed": 0}])
def test_seeds_at_their_defaults_are_never_refused(idle: dict[str, Any]) -> None:
    """Seeds at their defaults change no study, also without the key that they belong to."""
    assert make(PARITY | idle) == make(PARITY)


@pytest.mark.parametrize("held_out", ["validation", "test"])
def test_files_of_held_out_patterns(tmp_path: Path, held_out: str) -> None:
    """Their paths start at the folder of the study, and a stored study holds the patterns."""
    (tmp_path / "train.csv").write_text("x0,y\n0,0\n1,1\n")
    (tmp_path / "test.csv").write_text("x0,y\n0.5,1\n")
    text = f'[data]\nfile = "train.csv"\n{held_out} = {{ file = "test.csv" }}\n'
    text += "[parameters]\nhidden = [1]\nlearning_rate = [1]\n"
    (tmp_path / "s.toml").write_text(text)
    study = load_study(tmp_path / "s.toml")
    assert study.canonical()["data"][held_out] == {"inputs": ((0.5,),), "targets": ((1.0,),)}
    with pytest.raises(StudyError, match="must hold its patterns"):
        parse_study(text.replace('file = "train.csv"', 'task = "xor"'), "there")


@pytest.mark.parametrize(
    ("data", "swept", "fault"),
    [
        (PARITY | {"train_count": 16}, {}, "train_count must be below 16, to leave patterns to test with; got 16"),
        (PARITY | {"train": [0, 16]}, {}, "different pattern numbers from 0 to 15"),
        (PARITY | {"train": [True]}, {}, "different pattern numbers"),
        (PARITY | {"train": [0], "train_count": 2}, {}, "train and train_count are both set; remove one"),
        ({"task": "xor", "train": [0], "test": {"task": "or"}}, {}, "train and test are both set; remove one"),
        (PARITY | {"split_seed": 1}, {}, "split_seed 1 has no effect without train_count, test_count or folds"),
        (PARITY | {"noise_seed": 1}, {}, "noise_seed 1 has no effect without label_noise"),
        (PARITY | {"noise_seed": 1, "label_noise": 0}, {}, "data.noise_seed: has no effect with label_noise 0"),
        (PARITY | {"label_noise": 1.5}, {}, "label_noise must be a number from 0 to 1, got 1.5"),
        (
            PARITY | {"label_noise": [0.1, 0.2]},
            {},
            "label_noise must be a number from 0 to 1, got [0.1, 0.2]; to sweep label_noise, move it to [parameters]",
        ),
        ({"task": "monks", "problem": [1, 2]}, {}, "got [1, 2]; all cells have patterns of the same size, so make a"),
        ({"task": "monks_all", "problem": [1, 2]}, {}, "got [1, 2]; to sweep problem, move it to [parameters]"),
        (PARITY, {"label_noise": [0.1, 1.5]}, "parameters.label_noise[1]: must be at most 1.0, got 1.5"),
        (
            PARITY,
            {"train_count": [8, 9]},
            "must have the same size, got 8 patterns of 4 inputs and 1 target, ",
        ),
        (PARITY, {"function": [1, 2]}, "task 'parity' does not take function, got 1"),
        (
            PARITY | {"target_low": 0},
            {"target_low": [0.5]},
            "parameters.target_low: is also set as data.target_low; keep one",
        ),
        ({"task": "boolean", "bits": 2}, {"function": [3, 16]}, "function must be at most 15 with 2 bits, got 16"),
        (
            {"inputs": [[1]], "targets": [1]},
            {"target_low": [1.0]},
            "target_low must be used with task, got inputs",
        ),
        (PARITY, {"task": ["xor", "or"]}, "'task' cannot be swept"),
        (
            PARITY | {"test": {"task": "xor"}},
            {},
            "test patterns must have 4 inputs and 1 target, as those to train on; got 2 inputs and 1 target",
        ),
        (
            {"task": "xor", "validation": {"inputs": [[0, 0], [0, 1]], "targets": [[0, 1], [1, 1]]}},
            {},
            "validation patterns must have 2 inputs and 1 target, as those to train on; got 2 inputs and 2 targets",
        ),
        (PARITY | {"validation": 3}, {}, "data.validation: must be a table (in Python a dict), got 3"),
        (PARITY | {"test": 3}, {}, "data.test: must be a table (in Python a dict), got 3"),
        (PARITY | {"test": {"task": "xor", "decision_threshold": 1}}, {}, "unknown key 'decision_threshold'"),
        (
            {"task": "noise", "n": 4, "n_inputs": 2},
            {"data_seed": {"range": [0, MAX_SETS]}},
            "at most 65,536 sets of patterns, got 65,537 by data_seed",
        ),
        ({"task": "noise", "n": 65536, "n_inputs": 3}, {"data_seed": {"range": [0, 99]}}, "in 100 sets"),
        (
            XOR | {"test": {"task": "or", "coding": "01"}},
            {"test_coding": ["pm1"]},
            "is also set as data.test.coding; keep one",
        ),
        (XOR, {"test_coding": ["pm1"]}, "parameters.test_coding: must have a task in the table data.test"),
        (
            XOR | {"test": {"inputs": [[0, 1]], "targets": [1]}},
            {"test_coding": ["01"]},
            "must have a task in the table data.test",
        ),
        (XOR | {"test": {"task": "or"}}, {"test_noise": [0.1]}, "task 'or' does not take noise, got 0.1"),
        (
            XOR | {"test": {"task": "or"}, "test_noise": 0.1},
            {},
            "data.test_noise: must be data.test.noise, or be swept in",
        ),
        (
            XOR | {"test": {"task": "or", "coding": ["01", "pm1"]}},
            {},
            "data.test.coding: must be one value, got ['01', 'pm1']; to sweep it, set test_coding in [parameters]",
        ),
        (
            XOR | {"test": {"task": "noise", "n_inputs": 2, "n": [3, 5]}},
            {},
            "data.test.n: must be one value, got [3, 5]; all cells have patterns of the same size, so make a study for "
            "each value",
        ),
        (
            XOR | {"test": {"task": "noise", "n_inputs": 2}},
            {"test_n": [3, 5]},
            "parameters.test_n: all sets of patterns must have the same size, got 4 patterns of 2 inputs and 1 target, "
            "3 to test with, and 4 patterns of 2 inputs and 1 target, 5 to test with, by test_n; make a study for each "
            "size",
        ),
        ({"task": "parity"}, {"bits": [2, 3]}, "parameters.bits: all sets of patterns must have the same size"),
        (XOR | {"target": "y"}, {}, "target must be used with file"),
        ({"inputs": [[0], [1]], "targets": [0, 1], "target": "y"}, {}, "target must be used with file"),
        (None, {}, "data: must be a table (in Python a dict), got None"),
    ],
)
def test_refused(data: Any, swept: dict[str, Any], fault: str) -> None:
    """Each fault is one sentence."""
    with refused(fault):
        make(data, **swept)


def test_losses_look_at_all_sets() -> None:
    """A loss for certain targets is refused if any set, or its test patterns, has others."""
    tables: dict[str, Any] = {"training": {"loss": "hinge"}, "parameters": PARAMETERS}
    with pytest.raises(StudyError, match=r"data.targets\[0\]\[0\] of set 1: got 0.5, but training.loss 'hinge' needs"):
        Study(
            data={"task": "xor", "target_high": 1}, **tables | {"parameters": {"target_low": [-1, 0.5], **PARAMETERS}}
        )
    with pytest.raises(StudyError, match=r"data.test.targets\[1\]\[0\]: got 0.0, but"):
        Study(data={"task": "xor", "target_low": -1, "test": {"inputs": [[1, 2], [0, 0]], "targets": [1, 0]}}, **tables)
    with pytest.raises(StudyError, match="with dtype 'float32', got 1e\\+300"):
        Study(
            data={"task": "xor"}, network={"dtype": "float32"}, parameters={"target_high": [1.0, 1e300], **PARAMETERS}
        )

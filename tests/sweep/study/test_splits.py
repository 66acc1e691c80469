"""Splits of patterns by counts, seeds and folds, and standardized inputs, as scikit-learn makes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sweep import Study, StudyError, load_study
from sweep.study.data.data_sets import DataSets
from sweep.study.data.splits import prepare, standardized
from sweep.study.description import patterns_text
from sweep.study.load import parse_study
from tests.sweep.support import refused

PARAMETERS = {"hidden": [2], "learning_rate": [0.1]}
OTHERS: dict[str, Any] = {"inputs": [[100], [101]], "targets": [0, 1]}
USES = ("train", "validation", "test")


def make(n_patterns: int, swept: dict[str, Any] | None = None, **data: Any) -> DataSets:
    """Return the patterns of a study, whose only input is the number of the pattern."""
    rows = {"inputs": [[k] for k in range(n_patterns)], "targets": [k % 2 for k in range(n_patterns)]}
    study = Study(data=rows | data, parameters=(swept or {}) | PARAMETERS)
    assert parse_study(study.to_toml(), "there") == study
    return study.data


def numbers(data: DataSets, of: str) -> list[list[int]]:
    """Return the numbers of the patterns of a use in each set."""
    sets = [each if of == "train" else getattr(each, of) for each in data.sets]
    return [[int(x) for (x,) in each.inputs] if each else [] for each in sets]


def parts(n_patterns: int, **values: Any) -> tuple[list[int], ...]:
    """Return the numbers of the patterns of each use."""
    rows = tuple((float(k),) for k in range(n_patterns))
    found = prepare((rows, rows), values, values.pop("held_out", ()))
    assert all(inputs == targets for inputs, targets in found.values())
    return tuple([int(x) for (x,) in found[use][0]] if use in found else [] for use in USES)


def test_test_patterns_are_split_off_before_those_of_validation() -> None:
    """train_test_split(range(12), test_size=4, random_state=3), then the rest with test_size=3, random_state=5."""
    assert parts(12, test_count=4, split_seed=3, validation_count=3, validation_seed=5) == (
        [0, 3, 7, 9, 10],
        [6, 8, 11],
        [1, 2, 4, 5],
    )
    assert parts(12, train_count=5, validation_count=3, split_seed=3, validation_seed=5) == parts(
        12, test_count=4, split_seed=3, validation_count=3, validation_seed=5
    )


def test_folds() -> None:
    """Those of KFold(3, shuffle=True, random_state=1); the study sweeps them, or has one."""
    data = make(9, folds=3, split_seed=1)
    assert data.options == ("fold",)
    assert numbers(data, "test") == [[2, 6, 8], [0, 1, 7], [3, 4, 5]]
    assert numbers(data, "train")[0] == [0, 1, 3, 4, 5, 7]
    assert numbers(make(9, folds=3, split_seed=1, fold=2), "test") == [[3, 4, 5]]
    assert numbers(make(9, {"fold": [2, 0]}, folds=3, split_seed=1), "test") == [[3, 4, 5], [2, 6, 8]]
    validated = make(9, folds=3, validation_seed=1, test=OTHERS)
    assert numbers(validated, "validation") == numbers(data, "test")
    assert numbers(validated, "test") == [[100, 101]] * 3
    nested = make(11, {"validation_seed": [0, 1]}, folds=3, split_seed=1, validation_count=2)
    assert (len(nested.sets), nested.n_patterns, nested.n_validations, nested.n_tests) == (6, 6, 2, 3)


def test_folds_are_an_option_of_cells() -> None:
    """The fold varies fastest; changes set one, or more of them."""
    changes: dict[str, Any] = {"task": "parity", "bits": 3, "folds": 4, "hidden": [2, 3], "learning_rate": 0.1}
    study = load_study("xor", changes)
    assert {name: study.parameters[name] for name in ("hidden", "fold")} == {"hidden": (2, 3), "fold": (0, 1, 2, 3)}
    assert list(study.parameters)[-1] == "fold"
    assert study.canonical()["parameters"]["fold"] == {"values": [0, 1, 2, 3]}
    assert "fold" not in load_study("xor", changes | {"fold": 3}).parameters
    assert load_study("xor", changes | {"fold": [1, 3]}).parameters["fold"] == (1, 3)


@given(
    n_patterns=st.integers(2, 40),
    keys=st.sets(st.sampled_from(["train_count", "test_count", "validation_count", "folds"]), min_size=1),
    held_out=st.sets(st.sampled_from(["validation", "test"])),
    data=st.data(),
)
def test_every_pattern_has_one_use(n_patterns: int, keys: set[str], held_out: set[str], data: st.DataObject) -> None:
    """No pattern is in two parts, none is lost without both counts, and folds are equal parts."""
    values: dict[str, Any] = {
        key: data.draw(st.integers(1 + (key == "folds"), n_patterns), key) for key in sorted(keys)
    }
    values |= {"fold": data.draw(st.integers(0, values["folds"] - 1))} if "folds" in keys else {}
    try:
        found = parts(n_patterns, held_out=held_out, **values)
    except ValueError:
        assume(False)
    train, validation, test = found
    together = train + validation + test
    assert train
    assert all(part == sorted(part) for part in found)
    assert len(set(together)) == len(together)
    if {"train_count", "test_count"} <= keys:
        assert len(together) == sum(values[key] for key in keys)
    else:
        assert len(together) == n_patterns
    for key, part in (("train_count", train), ("validation_count", validation), ("test_count", test)):
        assert key not in keys or len(part) == values[key]
    if "folds" in keys:
        folds, own = values["folds"], "validation" if "test" in held_out or "test_count" in keys else "test"
        turns = [parts(n_patterns, held_out=held_out, **values | {"fold": k})[USES.index(own)] for k in range(folds)]
        left = n_patterns - (len(test) if own == "validation" else 0)
        assert {len(turn) for turn in turns} == {left // folds}
        assert len(set().union(*turns)) == left // folds * folds


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ({"train": [0], "validation_count": 1}, "train and validation_count are both set; remove one"),
        ({"train_count": 3, "folds": 2}, "train_count and folds are both set; remove one"),
        ({"test_count": 1, "test": OTHERS}, "test_count and test are both set; remove one"),
        ({"validation_count": 1, "validation": OTHERS}, "validation_count and validation are both set; remove one"),
        ({"folds": 2, "test_count": 1, "validation_count": 1, "fold": 0}, "with both test_count and validation_count"),
        ({"folds": 2, "test": OTHERS, "validation": OTHERS, "fold": 0}, "folds has no effect with both test and vali"),
        ({"folds": 2, "fold": 0, "validation_seed": 1}, "no effect on folds of test patterns; use split_seed"),
        ({"folds": 2, "fold": 0, "split_seed": 1, "test": OTHERS}, "folds of validation patterns; use validation_seed"),
        ({"folds": 2, "fold": 2}, "fold must be an integer from 0 to 1 with folds 2, got 2"),
        ({"folds": 9, "fold": 2}, "folds must be at most 8, one pattern each, got 9"),
        ({"folds": 1}, "folds must be an integer from 2 to 65,536, got 1"),
        ({"fold": 1}, "fold 1 has no effect without folds; set folds, or remove it"),
        ({"validation_seed": 1}, "has no effect without validation_count or folds"),
        ({"validation_count": 8}, "validation_count must be below 8, to leave one to train on; got 8"),
        ({"test_count": 5, "validation_count": 3}, "must together be below 8, to leave one to train on; got 3 and 5"),
        ({"train_count": 3, "test_count": 6}, "train_count and test_count must together be at most 8; got 3 and 6"),
        ({"folds": 2, "fold": 0, "validation_count": 4}, "leave a pattern to train on, got validation_count 4 of 4"),
    ],
)
def test_refused(data: dict[str, Any], fault: str) -> None:
    """Each fault is one sentence."""
    with refused(fault):
        make(8, **data)


def classes_of(n_patterns: int, n_classes: int, seed: int) -> list[int]:
    """Return the class of each pattern; the last ones have fewer patterns, but two or more."""
    shares = np.arange(n_classes, 0, -1) ** 2
    chosen = np.random.default_rng(seed).choice(n_classes, n_patterns, p=shares / shares.sum())
    return [*range(n_classes), *range(n_classes), *chosen[2 * n_classes :].tolist()]


def strata(classes: list[int], **values: Any) -> dict[str, list[int]]:
    """Return the numbers of the patterns of each use of a stratified split, for one-hot targets."""
    n_classes = max(classes) + 1
    targets = tuple(tuple(float(k == own) for k in range(n_classes)) for own in classes)
    found = prepare((tuple((float(k),) for k in range(len(classes))), targets), values | {"stratify": True})
    return {use: [int(x) for (x,) in inputs] for use, (inputs, _) in found.items()}


@given(n_patterns=st.integers(24, 60), n_classes=st.integers(2, 4), seed=st.integers(0, 99), data=st.data())
def test_stratified_parts(n_patterns: int, n_classes: int, seed: int, data: st.DataObject) -> None:
    """Each class has its share of each part, but for one pattern."""
    classes = classes_of(n_patterns, n_classes, seed)
    if data.draw(st.booleans()):
        folds = data.draw(st.integers(2, 5))
        found = strata(classes, folds=folds, fold=data.draw(st.integers(0, folds - 1)), split_seed=seed)
        slack = 2  # one more if the fold has a pattern that is trained on instead
    else:
        n_tests = data.draw(st.integers(n_classes, n_patterns // 2))
        found = strata(classes, test_count=n_tests, split_seed=seed)
        slack = 1
    assert sorted(found["train"] + found["test"]) == list(range(n_patterns))
    for own in range(n_classes):
        share = classes.count(own) / n_patterns * len(found["test"])
        assert abs(sum(classes[k] == own for k in found["test"]) - share) <= slack + 1e-9


def test_stratified_splits_are_refused_where_classes_are_small() -> None:
    """Each class has two patterns or more, and each part one of each class."""
    assert strata([0, 0, 1, 1], test_count=2)["test"] in ([0, 2], [0, 3], [1, 2], [1, 3])
    with pytest.raises(ValueError, match=r"two or more patterns of each class, got one with targets \[0.0, 1.0\]"):
        strata([0, 0, 1, 0], test_count=2)
    with pytest.raises(ValueError, match="stratify needs 2 or more patterns in each part, one of each class, got 1 in"):
        strata([0, 0, 1, 1], test_count=1)
    with pytest.raises(ValueError, match="stratify True has no effect without train_count, test_count, validation"):
        strata([0, 0, 1, 1])


INPUTS = [[1.0, 5.0, 1e-3], [2.0, 5.0, 2e5], [4.0, 5.0, -3.0], [9.0, 5.0, 0.25], [-7.0, 6.0, 8.0]]


def test_standardized_inputs() -> None:
    """Each set has its own means and deviations, of its patterns to train on; constant inputs are only shifted."""
    data: dict[str, Any] = {"inputs": INPUTS, "targets": [0, 1, 1, 0, 1], "test_count": 1}
    swept = {"split_seed": list(range(12)), "standardize": [True, False]}
    sets = Study(data=data, parameters=swept | PARAMETERS).data.sets
    for plain, made in zip(sets[1::2], sets[::2], strict=True):
        rows = np.array(plain.inputs)
        deviation = rows.std(axis=0)
        deviation[deviation == 0] = 1
        for own, standard in ((plain, made), (plain.test, made.test)):
            assert own
            assert standard
            expected = (np.array(own.inputs) - rows.mean(axis=0)) / deviation
            np.testing.assert_allclose(standard.inputs, expected, rtol=1e-12, atol=1e-12)
            assert standard.targets == own.targets
    assert any({row[1] for row in made.inputs} == {0.0} for made in sets[::2])
    table = {"inputs": [[5.0]], "targets": [0]}
    with pytest.raises(StudyError, match="inputs must be at most about 1e150 with standardize, got larger ones"):
        Study(data={"inputs": [[1.7e308], [-1.7e308]], "targets": [0, 1], "standardize": True}, parameters=PARAMETERS)
    with pytest.raises(StudyError, match="standardize must be true, false, got 1"):
        Study(data=table | {"standardize": 1}, parameters=PARAMETERS)


def test_standardized_inputs_in_the_canonical_form() -> None:
    """A study holds its inputs as they were, and that they are standardized."""
    data: dict[str, Any] = {"inputs": INPUTS, "targets": [0, 1, 1, 0, 1], "test_count": 2, "validation_count": 1}
    study, plain = (Study(data=data | {"standardize": made}, parameters=PARAMETERS) for made in (True, False))
    assert study.canonical()["data"] == plain.canonical()["data"] | {"standardize": True}
    assert parse_study(study.to_toml(), "there") == study != plain
    assert parse_study(study.to_toml(), "there").data.sets == study.data.sets
    assert "of 3 standardized inputs and 1 target" in patterns_text(study)
    separate = {"inputs": INPUTS, "targets": [0, 1, 1, 0, 1], "test": {"inputs": INPUTS[:2], "targets": [0, 1]}}
    swept = Study(
        data=separate | {"validation_count": 1, "standardize": True}, parameters=PARAMETERS | {"split_seed": [0]}
    )
    assert parse_study(swept.to_toml(), "there") == swept


@pytest.mark.soak
def test_standardized_as_by_scikit_learn() -> None:
    """They are those of StandardScaler."""
    preprocessing = pytest.importorskip("sklearn.preprocessing", reason="the extra oracles is not installed")
    rows = np.random.default_rng(0).normal(3, 50, (40, 7)) * 10.0 ** np.arange(-3, 4)
    rows[:, 3] = 0.1
    trained, others = rows[:30], rows[30:]
    scaler = preprocessing.StandardScaler().fit(trained)
    _, made = standardized(tuple(map(tuple, trained.tolist())), [tuple(map(tuple, others.tolist()))])
    for mine, own in zip(made, (trained, others), strict=True):
        np.testing.assert_allclose(mine, scaler.transform(own), rtol=1e-11, atol=1e-11)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [0, 1, 7, 2**32 - 1])
@pytest.mark.parametrize("n_patterns", [2, 10, 150, 1797])
def test_splits_of_scikit_learn(n_patterns: int, seed: int) -> None:
    """They are those of train_test_split, twice, and of KFold but for the patterns left over."""
    selection = pytest.importorskip("sklearn.model_selection", reason="the extra oracles is not installed")
    whole = list(range(n_patterns))
    for n_tests, n_validations in ((1, 0), (n_patterns // 3, n_patterns // 3), (n_patterns // 2, 1)):
        counts = {"test_count": max(n_tests, 1)} | ({"validation_count": n_validations} if n_validations else {})
        if sum(counts.values()) >= n_patterns:
            continue
        left, test = selection.train_test_split(whole, test_size=counts["test_count"], random_state=seed)
        train, validation = left, []
        if n_validations:
            train, validation = selection.train_test_split(sorted(left), test_size=n_validations, random_state=seed)
        seeds = {"split_seed": seed} | ({"validation_seed": seed} if n_validations else {})
        assert parts(n_patterns, **counts, **seeds) == (sorted(train), sorted(validation), sorted(test))
    for folds in (2, 5, 10):
        if folds > n_patterns:
            continue
        splits = selection.KFold(folds, shuffle=True, random_state=seed).split(whole)
        for fold, (train, test) in enumerate(splits):
            mine = parts(n_patterns, folds=folds, fold=fold, split_seed=seed)
            assert set(mine[2]) <= set(test.tolist())
            assert len(mine[2]) == n_patterns // folds
            assert n_patterns % folds or (mine[0], mine[2]) == (train.tolist(), test.tolist())


@pytest.mark.soak
@pytest.mark.parametrize("seed", [0, 1, 7, 2**32 - 1])
@pytest.mark.parametrize(("n_patterns", "n_classes"), [(40, 2), (150, 3), (1797, 10)])
@pytest.mark.filterwarnings("ignore:The least populated class")
def test_stratified_splits_of_scikit_learn(n_patterns: int, n_classes: int, seed: int) -> None:
    """They are those of train_test_split(stratify=..), twice, and of StratifiedKFold but for the patterns left over."""
    selection = pytest.importorskip("sklearn.model_selection", reason="the extra oracles is not installed")
    classes = np.array(classes_of(n_patterns, n_classes, seed % 100))
    whole, n_tests, n_validations = np.arange(n_patterns), n_patterns // 3, n_patterns // 4
    for counts in ({"test_count": n_tests}, {"train_count": n_patterns // 2 - n_validations, "test_count": n_tests}):
        n_left = counts["train_count"] + n_validations if "train_count" in counts else None
        left, test = selection.train_test_split(
            whole, test_size=n_tests, train_size=n_left, random_state=seed, stratify=classes
        )
        left.sort()
        train, validation = selection.train_test_split(
            left, test_size=n_validations, random_state=seed, stratify=classes[left]
        )
        mine = strata(classes.tolist(), **counts, split_seed=seed, validation_count=n_validations, validation_seed=seed)
        assert mine == {"train": sorted(train), "test": sorted(test), "validation": sorted(validation)}
    for folds in (2, 5):
        splits = selection.StratifiedKFold(folds, shuffle=True, random_state=seed).split(whole, classes)
        for fold, (_, test) in enumerate(splits):
            mine = strata(classes.tolist(), folds=folds, fold=fold, split_seed=seed)
            assert mine["test"] == test[: n_patterns // folds].tolist()

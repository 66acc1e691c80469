"""What a study does not know is answered with what is meant, or that it cannot be had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sweep import Study, StudyError
from sweep.study import hints
from sweep.study.glossary import entries
from sweep.study.hints import meant_key, meant_value, not_supported
from sweep.study.options import HOMES
from tests.sweep.support import assert_refused, command

pytestmark = pytest.mark.usefixtures("place")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


def refused(**tables: Any) -> str:
    """Return what is said of a study of these tables."""
    base: dict[str, Any] = {"data": {"task": "xor"}, "network": {"hidden": 2}, "training": {"learning_rate": 0.1}}
    tables = {name: {**base.get(name, {}), **table} for name, table in tables.items()}
    with pytest.raises(StudyError) as caught:
        Study(**{**base, **tables})
    (fault,) = caught.value.faults
    return fault


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("lr", "learning_rate"),
        ("LR", "learning_rate"),
        ("seed", "seeds.base"),
        ("tolerance", "threshold"),
        ("depth", "layers"),
        ("batch_size", "batch"),
        ("n_seeds", "seeds.count"),
        ("training.lr", "learning_rate"),
        ("lerning_rate", "learning_rate"),
        ("seeds.cuont", "seeds.count"),
    ],
)
def test_keys_by_other_names(given: str, meant: str) -> None:
    """A key that others call so is named, and not all keys there are."""
    told = f"--set: unknown key {given!r}; did you mean {meant!r}? 'sweep explain' lists all keys"
    assert_refused(command("plan", "xor", "--set", f"{given}=3"), (told,))


@pytest.mark.parametrize(
    ("wish", "what"),
    [
        ("dropout", "dropout is"),
        ("jitter", "noise added while training is"),
        ("early_stopping", "ending a run by its loss on other patterns is"),
        ("l1", "a penalty beside weight_decay is"),
    ],
)
def test_wishes_that_cannot_be_had(wish: str, what: str) -> None:
    """It is said that they are not supported, in a study, by --set and as an option; no neighbour is named."""
    told = f"{what} not supported; 'sweep explain' lists all keys"
    assert_refused(command("plan", "xor", "--set", f"{wish}=3"), (f"unknown key {wish!r}: {told}",))
    assert_refused(command("run", "xor", f"--{wish}", "3"), (f"--{wish}: {told}",))
    assert refused(parameters={wish: [1]}) == f"parameters: unknown parameter {wish!r}: {told}"
    assert refused(network={wish: 1}) == f"network: unknown key {wish!r}: {told}"


def test_other_keys_are_in_the_list() -> None:
    """What is like nothing gets the keys of its table where these are few, else the command that lists them."""
    assert refused(seeds={"xyz": 1}) == "seeds: unknown key 'xyz'; known: base, count, until"
    assert refused(parameters={"xyz": [1]}) == "parameters: unknown parameter 'xyz'; 'sweep explain' lists all keys"


def test_keys_of_another_table() -> None:
    """A key that stands in the wrong table is sent to its own."""
    assert refused(network={"learning_rate": 1}) == "network: unknown key 'learning_rate'; it belongs to [training]"
    assert refused(network={"lr": 1}) == "network: unknown key 'lr'; did you mean 'learning_rate' of [training]?"


@pytest.mark.parametrize(
    ("section", "key", "given", "meant"),
    [
        ("training", "optimizer", "sgd", "gd"),
        ("training", "optimizer", "Adam", "adam"),
        ("network", "activation", "ReLU", "relu"),
        ("network", "activation", "leakyReLU", "leaky_relu"),
        ("network", "output", "swish", "silu"),
        ("training", "loss", "binary_cross_entropy", "bce"),
        ("network", "dtype", "double", "float64"),
    ],
)
def test_values_by_other_names(section: str, key: str, given: str, meant: str) -> None:
    """A value that others call so, or write so, is named; also where it is swept."""
    assert f".{key}: {given!r} given; did you mean {meant!r}? Must be one of '" in refused(**{section: {key: given}})
    if key != "dtype":
        assert f"{key}[0]: {given!r} given; did you mean {meant!r}?" in refused(parameters={key: [given]})


def test_values_that_cannot_be_had() -> None:
    """So are those that are not supported."""
    told = refused(training={"optimizer": "LBFGS"})
    assert told.startswith("training.optimizer: 'LBFGS' given; this optimizer is not supported; must be one of '")


@pytest.mark.parametrize("given", [[2, 4], {"range": [2, 4]}])
def test_several_values_are_swept(given: Any) -> None:
    """Several values of a key stand under [parameters]."""
    told = "given; must be one value{}; to sweep {}, move it to [parameters]"
    layers = "; for several layers give a text such as '8-4'"
    assert refused(network={"hidden": given}) == f"network.hidden: {given} {told.format(layers, 'hidden')}"
    assert refused(training={"batch": given}) == f"training.batch: {given} {told.format('', 'batch')}"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--lr", "0.1"), "--lr is a key of the study; change it with --set learning_rate=VALUE"),
        (("--lr=0.1",), "--lr is a key of the study; change it with --set learning_rate=0.1"),
        (("--max-steps=5",), "--max-steps is a key of the study; change it with --set max_steps=5"),
        (("--seed=5",), "--seed is a key of the study; change it with --set seeds.base=5"),
    ],
)
def test_keys_are_no_options(words: tuple[str, ...], told: str) -> None:
    """A key of a study that is given as an option is told how it is changed; options stay what they are."""
    assert_refused(command("run", "xor", *words), (told,))
    finished = command("run", "xor", "--nonsense", "3")
    assert (finished.code, "No such option: --nonsense" in finished.err) == (2, True)


def test_targets_that_losses_refuse() -> None:
    """Targets of another range are told which number stands for which."""
    xor = {"inputs": [[0, 0], [0, 1], [1, 0], [1, 1]]}
    signs, bits = {**xor, "targets": [-1, 1, 1, -1]}, {**xor, "targets": [0, 1, 1, 0]}
    training = {"loss": "bce", "learning_rate": 0.1}
    for data, table, told in (
        (signs, training, "bce needs targets from 0 to 1; give 0 for -1"),
        (bits, {**training, "loss": "hinge"}, "hinge needs targets of -1 and 1; give -1 for 0"),
    ):
        with pytest.raises(StudyError, match=told):
            Study(data=data, network={"hidden": 2, "output": "sigmoid"}, training=table)


def test_hints_lead_to_what_there_is() -> None:
    """No alias is a key or a value itself, or two things at once, and each leads to one that exists."""
    values = {value for entry in entries() for value in entry.values}
    for key, aliases in hints._KEYS.items():
        assert all(meant_key(alias, HOMES) == key for alias in aliases)
        assert not set(aliases) & set(HOMES)
    for value, aliases in hints._VALUES.items():
        assert value in values
        assert all(meant_value(alias, [value]) == value for alias in aliases)
    for wish, names in hints._WISHES.items():
        assert all(not_supported(name) == f"{wish} not supported" for name in names)
        assert not [name for name in names if meant_key(name, HOMES) or meant_value(name, sorted(map(str, values)))]

"""Answers to unknown names in a study: the name that is meant, or that the feature is not supported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sweep import Study, StudyError
from sweep.study.explanations.glossary import entries
from sweep.study.options.key_hints import known_keys, meant_key
from sweep.study.options.option_tables import SECTION_OF
from sweep.study.reading import hints
from sweep.study.reading.hints import meant_value, not_supported
from tests.sweep.support import assert_refused, command

pytestmark = pytest.mark.usefixtures("place")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


def refused(**tables: Any) -> str:
    """Return the one fault of a study of these tables."""
    base: dict[str, Any] = {"data": {"task": "xor"}, "network": {"hidden": 2}, "training": {"learning_rate": 0.1}}
    tables = {name: {**base.get(name, {}), **table} for name, table in tables.items()}
    with pytest.raises(StudyError) as caught:
        Study(**{**base, **tables})
    (fault,) = caught.value.faults
    return fault


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("lr", "learning_rate"),
        ("LR", "learning_rate"),
        ("seed", "seeds.base"),
        ("tolerance", "threshold"),
        ("early_stopping", "stopping_rule"),
        ("depth", "layers"),
        ("batch_size", "batch"),
        ("n_seeds", "seeds.count"),
        ("training.lr", "learning_rate"),
        ("lerning_rate", "learning_rate"),
        ("seeds.cuont", "seeds.count"),
    ],
)
def test_keys_by_other_names(name: str, meant: str) -> None:
    """A name of another package gets the key that is meant, not a list of all keys."""
    text = f"--set: unknown key {name!r}; did you mean {meant!r}? 'sweep explain' lists all keys"
    assert_refused(command("plan", "xor", "--set", f"{name}=3"), (text,))


@pytest.mark.parametrize(
    ("wish", "what"),
    [
        ("dropout", "dropout is"),
        ("jitter", "noise added while training is"),
        ("l1", "a penalty beside weight_decay is"),
    ],
)
def test_features_that_are_not_supported(wish: str, what: str) -> None:
    """In a study, with --set and as an option the answer is that they are not supported, without a similar name."""
    text = f"{what} not supported; 'sweep explain' lists all keys"
    assert_refused(command("plan", "xor", "--set", f"{wish}=3"), (f"unknown key {wish!r}: {text}",))
    assert_refused(command("run", "xor", f"--{wish}", "3"), (f"--{wish}", text))
    assert refused(parameters={wish: [1]}) == f"parameters: unknown parameter {wish!r}: {text}"
    assert refused(network={wish: 1}) == f"network: unknown key {wish!r}: {text}"


def test_other_keys_are_in_the_list() -> None:
    """A name without a similar one gets the keys of its table if these are few, else the command that lists them."""
    assert refused(seeds={"xyz": 1}) == "seeds: unknown key 'xyz'; known: base, count, until"
    assert refused(parameters={"xyz": [1]}) == "parameters: unknown parameter 'xyz'; 'sweep explain' lists all keys"


def test_keys_of_another_table() -> None:
    """The answer to a key in the wrong table names the right table."""
    assert refused(network={"learning_rate": 1}) == "network: unknown key 'learning_rate'; it belongs in [training]"
    assert refused(network={"lr": 1}) == "network: unknown key 'lr'; did you mean 'learning_rate' of [training]?"


@pytest.mark.parametrize(
    ("section", "key", "name", "meant"),
    [
        ("training", "optimizer", "sgd", "gd"),
        ("training", "optimizer", "Adam", "adam"),
        ("network", "activation", "ReLU", "relu"),
        ("network", "activation", "leakyReLU", "leaky_relu"),
        ("network", "output", "swish", "silu"),
        ("training", "loss", "binary_cross_entropy", "bce"),
        ("network", "dtype", "double", "float64"),
        ("network", "activation", "gelu2", "gelu"),
    ],
)
def test_values_by_other_names(section: str, key: str, name: str, meant: str) -> None:
    """A value with another spelling or name gets the value that is meant; also where it is swept."""
    text = f"got {name!r}; did you mean {meant!r}?"
    fault = refused(**{section: {key: name}})
    assert fault.startswith(f"{section}.{key}: must be one of '")
    assert fault.endswith(text)
    swept = refused(parameters={key: [name]})
    assert swept.startswith(f"parameters.{key}[0]: ")
    assert swept.endswith(text)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("test_accuracy", "'error_rate' with criterion_on = 'test'"),
        ("validation_loss", "'loss' with criterion_on = 'validation'"),
    ],
)
def test_criteria_of_held_out_patterns(name: str, meant: str) -> None:
    """A measure of held-out patterns as a criterion is answered with both options."""
    assert refused(convergence={"criterion": name}).endswith(f"got {name!r}; did you mean {meant}?")
    assert refused(parameters={"criterion": [name]}).endswith(f"got {name!r}; did you mean {meant}?")


def test_values_that_are_not_supported() -> None:
    """A value that other packages have is answered by its kind, and not with a similar one."""
    assert refused(network={"activation": "selu"}).endswith("got 'selu'; this activation is not supported")
    fault = refused(training={"optimizer": "LBFGS"})
    assert fault.startswith("training.optimizer: must be one of '")
    assert fault.endswith("got 'LBFGS'; this optimizer is not supported")


@pytest.mark.parametrize("values", [[2, 4], {"range": [2, 4]}])
def test_several_values_are_swept(values: Any) -> None:
    """Several values of a key belong in [parameters]."""
    for table, key in (("network", "hidden"), ("training", "batch")):
        fault = refused(**{table: {key: values}})
        assert fault.startswith(f"{table}.{key}: must be one value")
        assert fault.endswith(f"got {values}; to sweep {key}, move it to [parameters]")


@pytest.mark.parametrize(
    ("arguments", "change"),
    [
        (("--lr", "0.1"), "--set learning_rate=VALUE"),
        (("--lr=0.1",), "--set learning_rate=0.1"),
        (("--max-steps=5",), "--set max_steps=5"),
        (("--seed=5",), "--set seeds.base=5"),
    ],
)
def test_keys_are_not_options_of_commands(arguments: tuple[str, ...], change: str) -> None:
    """The answer to a key of a study in place of an option is the ``--set`` that changes it."""
    assert_refused(command("run", "xor", *arguments), (arguments[0].partition("=")[0], change))
    finished = command("run", "xor", "--nonsense", "3")
    assert (finished.code, "No such option: --nonsense" in finished.err) == (2, True)


def test_hints_lead_to_known_names() -> None:
    """Each alias leads to one known key or value, and is not itself one."""
    values = {value for entry in entries() for value in entry.values}
    for key, aliases in known_keys().items():
        assert all(meant_key(alias, SECTION_OF) == key for alias in aliases)
        assert not set(aliases) & set(SECTION_OF)
    for value, aliases in hints._VALUES.items():
        assert value in values
        assert all(meant_value(alias, [value]) == value for alias in aliases)
    for wish, names in hints._WISHES.items():
        assert all(not_supported(name) == f"{wish} not supported" for name in names)
        assert not [
            name for name in names if meant_key(name, SECTION_OF) or meant_value(name, sorted(map(str, values)))
        ]


@pytest.mark.parametrize(("steps", "hint"), [(1e4, "; write 10000"), (-1.0, ""), (0.0, ""), (3e9, ""), (1e300, "")])
def test_whole_numbers_are_written_only_where_they_may_be_allowed(steps: float, hint: str) -> None:
    """A float in place of an integer gets that integer as advice, unless no option would take it."""
    assert refused(training={"max_steps": steps}) == f"training.max_steps: must be an integer, got {steps}{hint}"

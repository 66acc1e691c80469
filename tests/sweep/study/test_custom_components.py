"""Custom components in studies: their names, their declarations in the canonical form, and faults."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sweep
from sweep.study.load import parse_study
from tests.sweep.own import FILE, only_plugins
from tests.sweep.support import make_study, refused


@pytest.fixture
def custom() -> Iterator[None]:
    """Load the components of a file."""
    with only_plugins(FILE):
        yield


def study_of(**changes: Any) -> sweep.Study:
    """Make a study of XOR."""
    return sweep.load_study("xor", {"hidden": 2, "learning_rate": 0.1, "seeds.count": 4, **changes})


@pytest.mark.usefixtures("custom")
def test_canonical_form_declares_components() -> None:
    """It holds name, hash and settings of custom components, and can be read without their code."""
    study = study_of(optimizer=["gd", "quickprop"], activation="swish", steepness=2)
    canonical = study.canonical()
    assert set(canonical["components"]) == {"quickprop", "swish"}
    assert canonical["components"]["swish"]["kind"] == "activation"
    assert len(canonical["components"]["quickprop"]["sha256"]) == 64
    assert canonical["components"]["quickprop"]["settings"] == [
        {"name": "mu", "default": 1.75, "meaning": "most growth of a change", "above": 0.0}
    ]
    assert canonical["training"]["mu"] == 1.75
    with only_plugins():
        again = parse_study(study.to_toml(), "elsewhere")
        assert again.identity == study.identity
        assert again.canonical() == canonical
        assert [column for column in again.fixed() if column in ("mu", "steepness", "lean")] == ["steepness", "mu"]


@pytest.mark.usefixtures("custom")
def test_other_studies_do_not_change() -> None:
    """A study without custom components has no table for them, whatever is loaded."""
    study = make_study()
    assert "components" not in study.canonical()
    assert study.tables.custom == {}
    assert sweep.load_study("xor").identity.startswith("fe597e276d82")


def test_names_count_only_for_their_kind(tmp_path: Path) -> None:
    """A component with the name of a value of another key, or of another kind, changes no study."""
    file = tmp_path / "mine.py"
    file.write_text("import sweep\n\n@sweep.optimizer\ndef uniform(p, g, rate):\n    return p - g\n")
    changes = {"distribution": ["uniform", "normal"]}
    before = study_of(**changes).identity
    with only_plugins(file):
        assert study_of(**changes).identity == before
        assert study_of(optimizer="uniform", **changes).identity != before
        with pytest.raises(sweep.StudyError, match=r"must be one of .*, got 'uniform'"):
            study_of(activation="uniform")


def test_the_source_is_part_of_the_identity(tmp_path: Path) -> None:
    """Comments above a function and its file do not count; any change of the function, a number or a setting does."""
    text = (
        "import sweep\nRATE = 1.0\n\n@sweep.optimizer(settings=(sweep.Setting('pace', 2.0, 'pace'),))\n"
        "def mine(p, g, rate, pace):\n    return p - (RATE * rate) * g * pace\n"
    )
    changed = ["# a comment\n" + text, text.replace("1.0", "1.5"), text.replace("g * pace", "pace * g")]
    changed += [text.replace("2.0", "3.0"), text.replace("'pace'),", "'pace', above=0),")]
    identities = []
    for number, each in enumerate([text, *changed]):
        file = tmp_path / f"file{number}.py"
        file.write_text(each)
        with only_plugins(file):
            identities.append(study_of(optimizer="mine", pace=2.0).identity)
    assert identities[0] == identities[1]
    assert len(set(identities)) == len(identities) - 1


@pytest.mark.usefixtures("custom")
@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"optimizer": "quickprop", "mu": 0}, "training.mu: must be above 0, got 0"),
        ({"optimizer": "gd", "mu": 1}, "unknown key 'mu'"),
        ({"optimizer": ["gd", "own_gd"], "steepness": 1}, "unknown key 'steepness'"),
        ({"activation": "quickprop"}, "network.activation: must be one of"),
        ({"optimizer": "own_gd", "step_ratio": 2}, "training.step_ratio: "),
        ({"optimizer": "own_rprop", "batch": 1}, "'own_rprop' needs batch 'full'"),
        ({"schedule": "trapezoid", "fall": 0}, "training.fall: must be above 0, got 0"),
        ({"schedule": "trapezoid", "optimizer": "rprop"}, "'constant', got training.schedule 'trapezoid'"),
        ({"loss": "expectile", "lean": 0.99999999999, "dtype": "float32"}, "must be below 1 after rounding"),
    ],
)
def test_refused(changes: dict[str, Any], text: str) -> None:
    """Values beyond limits, components of another kind and settings without effect are each one sentence."""
    with refused(text):
        study_of(**changes)


GOOD = {"kind": "optimizer", "sha256": "0" * 64}


@pytest.mark.parametrize(
    ("name", "table", "text"),
    [
        ("gd", GOOD, "not that of a built-in component"),
        ("Mine", GOOD, "lower-case letters"),
        ("mine", 3, "got 3"),
        ("mine", {"kind": "optimizer"}, "must be a table with kind and sha256"),
        ("mine", {**GOOD, "code": "print()"}, "must be a table with kind and sha256"),
        ("mine", {**GOOD, "kind": "task"}, "must be one of activation, loss, optimizer"),
        ("mine", {**GOOD, "sha256": "0"}, "64 hexadecimal digits"),
        ("mine", {**GOOD, "operations": -1}, "must be an integer from 0"),
        ("mine", {**GOOD, "full_batch": 1}, "true or false"),
        ("mine", {**GOOD, "settings": ["none"]}, "must be Setting(name, default, meaning)"),
        ("mine", {**GOOD, "settings": [{"name": "scale", "default": 1.0}, 7]}, "settings: 7 must be Setting"),
        ("mine", {**GOOD, "settings": [{"name": "gain", "default": 2.0}]}, "is already a setting of xor-sweep"),
        ("mine", {**GOOD, "settings": [{"name": "k", "default": 1.0, "below": 1.0}]}, "within its limits"),
        ("mine", {**GOOD, "settings": [{"name": "k", "default": "1"}]}, "finite number"),
    ],
)
def test_declarations_are_validated(name: str, table: Any, text: str) -> None:
    """The declarations in a study from elsewhere may be wrong in any way."""
    training = {"optimizer": "mine", "learning_rate": 0.1}
    with pytest.raises(sweep.StudyError, match="components") as caught:
        sweep.Study(data={"task": "xor"}, network={"hidden": 2}, training=training, components={name: table})
    assert text in str(caught.value)


@pytest.mark.usefixtures("custom")
def test_misspelled_names() -> None:
    """The answer lists custom components of the kind beside built-in ones, or how to load some."""
    with pytest.raises(sweep.StudyError, match="'squared', custom: '"):
        study_of(loss="quik")
    with pytest.raises(sweep.StudyError, match=r"'rprop', custom: .*'quickprop'"):
        study_of(optimizer=["gd", "quik"])
    with pytest.raises(sweep.StudyError, match=r"must be one of 'cyclic' or 'shuffled', got 'quik'$"):
        study_of(order="quik")
    with only_plugins(), pytest.raises(sweep.StudyError, match="or a custom component loaded by --plugin FILE"):
        study_of(output="swish_of_mine")


def test_a_study_file_alone_runs_no_code(tmp_path: Path) -> None:
    """Reading a declaration executes no file near it, and a component without its code is not trained."""
    (tmp_path / "mine.py").write_text("raise SystemExit('executed')")
    study = study_of()
    text = study.to_toml().replace('optimizer = "gd"', 'optimizer = "mine"')
    text += f'\n[components.mine]\nkind = "optimizer"\nsha256 = "{"0" * 64}"\n'
    read = parse_study(text, str(tmp_path / "study.toml"))
    assert tomllib.loads(read.to_toml())["components"] == {"mine": GOOD}
    with pytest.raises(sweep.StudyError, match=f"optimizer 'mine': source must have SHA-256 {'0' * 64}"):
        sweep.run(read, tmp_path / "results")
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("name", ["hidden", "training", "n", "seed", "count", "steps", "convergence_rate", "targets"])
def test_reserved_names_of_settings(tmp_path: Path, name: str) -> None:
    """No key of a study and no column of results has two meanings."""
    file = tmp_path / "mine.py"
    file.write_text(
        f"import sweep\n\n@sweep.optimizer(settings=(sweep.Setting('{name}', 1.0, 'pace'),))\n"
        "def mine(p, g, rate, pace):\n    return p - g\n"
    )
    with (
        only_plugins(file),
        pytest.raises(sweep.StudyError, match=f"components.mine: the name of setting '{name}' is reserved"),
    ):
        study_of(optimizer="mine")


def test_settings_of_two_components_must_agree(tmp_path: Path) -> None:
    """Components that share the name of a setting share its value in each cell."""
    component = (
        "@sweep.optimizer(settings=(sweep.Setting('pace', {}, 'pace'),))\ndef {}(p, g, rate, pace):\n    return p - g\n"
    )
    file = tmp_path / "two.py"
    file.write_text("import sweep\n\n" + component.format("1.0", "one") + component.format("2.0", "two"))
    with only_plugins(file):
        assert study_of(optimizer="one").values_of("pace") == (1.0,)
        with pytest.raises(sweep.StudyError, match="one and two declare 'pace' differently"):
            study_of(optimizer=["one", "two"])


@pytest.mark.usefixtures("custom")
def test_first_steps_are_drawn_as_for_rprop() -> None:
    """A custom optimizer with the formula of rprop has its rows, with drawn first steps too."""
    losses = [
        sweep.run(study_of(optimizer=name, step_ratio=ratio, max_steps=20)).runs()["final_loss"].tolist()
        for name, ratio in (("own_rprop", 4.0), ("rprop", 4.0), ("rprop", 1.0))
    ]
    assert losses[0] == losses[1] != losses[2]

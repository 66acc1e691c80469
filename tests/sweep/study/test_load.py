"""Study files and built-in studies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sweep import StudyError, load_study
from sweep.study.load import built_in_studies
from tests.sweep.study.conftest import TEXT
from tests.sweep.support import refused


def test_built_in_studies() -> None:
    """They are sorted by name, and described."""
    studies = {name: load_study(name) for name in built_in_studies()}
    assert {"xor", "seed", "hinton-xor", "trask"} < set(studies)
    assert list(studies) == sorted(studies), "proben1-cancer1-shortcuts before proben1-cancer1"
    assert all(study.name == name and study.description for name, study in studies.items())


def test_study_file(file: Path) -> None:
    """A string and a path name the same file."""
    study = load_study(file)
    assert (study.name, study.parameters, study.seeds.count) == ("mine", {"hidden": (2, 4)}, 10)
    assert study.values_of("bias")[0] is False
    assert load_study(str(file)) == study


def test_pattern_file_lies_beside_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path of a pattern file starts at the folder of the study file, not at the working directory."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "p.csv").write_text("x0,y\n1,2\n")
    study = tmp_path / "there" / "s.toml"
    study.write_text('[data]\nfile = "p.csv"\n[network]\nhidden = 1\n[training]\nlearning_rate = 1\n')
    monkeypatch.chdir(tmp_path)
    assert load_study("there/s.toml").data.inputs == ((1.0,),)
    absolute = study.read_text().replace("p.csv", str(tmp_path / "there" / "p.csv"))
    (tmp_path / "absolute.toml").write_text(absolute)
    assert load_study("absolute.toml") == load_study(study)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("name = ", ("TOML",)),
        ("[data]\ntask = 'xor'\n[data]\n", ("TOML",)),
        (TEXT + "[netwrok]\nhidden = 2\n", ("unknown key 'netwrok'", "did you mean 'network'")),
        (TEXT.replace('task = "xor"', ""), ("data", "task")),
        (TEXT.replace('[data]\ntask = "xor"', ""), ("data", "task")),
        ("data = 3\n" + TEXT.replace('[data]\ntask = "xor"', ""), ("data", "table")),
        (TEXT.replace("count = 10", "count = 1.5"), ("seeds.count", "1.5", "integer")),
        (TEXT.replace("hidden = { values = [2, 4] }", "hidden.values = []"), ("parameters.hidden", "empty")),
    ],
)
def test_bad_study_file(file: Path, text: str, parts: tuple[str, ...]) -> None:
    """A bad file is one sentence that names the fault."""
    file.write_text(text)
    with refused(*parts):
        load_study(file)


def test_unknown_keys_and_other_faults_at_once(file: Path) -> None:
    """An unknown table does not hide faults of the others."""
    file.write_text(TEXT.replace("count = 10", "count = 0") + "[seed]\n[output]\n")
    with pytest.raises(StudyError) as caught:
        load_study(file)
    assert len(caught.value.faults) == 3


def test_byte_order_mark_is_no_fault(file: Path) -> None:
    """Editors on Windows start a file with a byte order mark."""
    file.write_text(TEXT, "utf-8-sig")
    assert load_study(file).name == "mine"


@pytest.mark.parametrize("source", [3, None, {"data": {"task": "xor"}}, b"xor"])
def test_source_that_names_nothing(source: Any) -> None:
    """A study is loaded by name or path."""
    with pytest.raises(StudyError, match="must be a Study, the name of a built-in one or the path of one"):
        load_study(source)


def test_flat_targets_in_a_file(file: Path) -> None:
    """A study file may have one target for each pattern."""
    patterns = "inputs = [[0, 0], [0, 1], [1, 0], [1, 1]]\ntargets = [0, 1, 1, 0]"
    expected = load_study(file)
    file.write_text(TEXT.replace('task = "xor"', patterns))
    assert load_study(file) == expected

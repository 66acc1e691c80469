"""Results of studies with large patterns: shards, reuse, repair, and damage of the patterns in study.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sweep
from sweep import Study, load_study, open_result
from tests.sweep.support import assert_refused, command, copy_result, make_study, write_study

INPUTS = np.random.default_rng(0).normal(size=(1001, 10))


def study_of(inputs: Any = INPUTS, count: int = 4) -> Study:
    return make_study(
        data={"inputs": inputs, "targets": [k % 2 for k in range(1001)]}, hidden=1, max_steps=1, count=count
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished study, not to be changed."""
    folder = tmp_path_factory.mktemp("whole") / "r"
    sweep.run(study_of(), folder)
    return folder


def test_folder_holds_its_patterns(whole: Path, tmp_path: Path) -> None:
    """A copy of the folder is read, checked and trained again by itself."""
    there = copy_result(whole, tmp_path / "copy")
    assert "packed = " in (there / "study.toml").read_text()
    result = open_result(there)
    assert result.study == study_of()
    assert np.array(result.study.data.inputs).tobytes() == INPUTS.tobytes()
    for again in (("verify", there, "--all"), ("run", there / "study.toml", "--out", tmp_path / "again")):
        assert command(*again).code == 0
    assert open_result(tmp_path / "again").facts["digest"] == result.facts["digest"]
    assert (tmp_path / "again" / "study.toml").read_bytes() == (there / "study.toml").read_bytes()


def test_shards_and_reuse(whole: Path, tmp_path: Path) -> None:
    """Shards share a folder, and runs of a study are reused in one of more seeds."""
    digest = open_result(whole).facts["digest"]
    for shard in ("1/2", "2/2"):
        command("run", write_study(tmp_path / "study.toml", study_of()), "--shard", shard, "--out", tmp_path / "shards")
    assert open_result(tmp_path / "shards").facts["digest"] == digest
    more = sweep.run(study_of(count=6), tmp_path / "more", reuse=whole)
    assert more.facts["reused_steps"] == open_result(whole).facts["net_steps"]
    assert more.facts["digest"] == sweep.run(study_of(count=6)).facts["digest"]


def test_damage(whole: Path, tmp_path: Path) -> None:
    """Each command refuses damaged or exchanged patterns in a sentence, and the study restores them."""
    folder = copy_result(whole, tmp_path / "r")
    path = folder / "study.toml"
    text = path.read_text()
    other = study_of(INPUTS + 1.0).to_toml()
    middle = text.index("packed = ") + 1000
    damaged = {
        "is damaged: data: inputs.packed is damaged": text[:middle] + "!" + text[middle + 1 :],
        "inputs.packed is damaged: it must hold numbers": text[:middle] + "AAAA" + text[middle + 4 :],
        "is damaged: study": text[:middle],
        "it holds another study than run.json names": other,
    }
    for sentence, content in damaged.items():
        path.write_text(content)
        for options in (("show", folder), ("best", folder)):
            assert_refused(command(*options), (sentence,))
        assert_refused(command("run", write_study(tmp_path / "s", study_of()), "--out", folder), ("study",))
        assert command("verify", folder).code == 1
        assert_refused(command("verify", folder, "--repair"), ("is damaged; name the study to restore it",))
        assert command("verify", folder, "--repair", "--study", write_study(tmp_path / "s", study_of())).code == 0
        assert path.read_text() == text
        assert load_study(path) == study_of()

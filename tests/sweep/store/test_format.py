"""The format of a results folder: each command refuses a later one in one sentence, and changes nothing in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import sweep
from sweep.store.run_facts import FORMAT, FormatError
from tests.sweep.records import rewrite
from tests.sweep.support import assert_refused, command, copy_result, make_study, tree, write_study

STUDY = make_study(count=10)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished study, not to be changed."""
    folder = tmp_path_factory.mktemp("whole") / "r"
    sweep.run(STUDY, folder)
    return folder


def commands(place: str, folder: Path) -> list[tuple[object, ...]]:
    """Return the commands that read or write a results folder."""
    run = ("run", write_study(folder / "study.toml", STUDY), "--out")
    return [
        ("show", place),
        ("best", place),
        ("figure", place, "--out", folder / "f.png"),
        ("report", place, "--out", folder / "r.html"),
        ("export", place),
        ("compare", place, place),
        ("trace", place, "--run", 1),
        ("weights", place, "--out", folder / "w"),
        ("verify", place),
        ("verify", place, "--repair"),
        ("merge", place, "--out", folder / "m"),
        (*run, place),
        (*run, place, "--overwrite"),
        (*run, folder / "r", "--reuse", place),
    ]


def test_a_later_format(whole: Path, tmp_path: Path) -> None:
    """A later format is refused in complete and partial results, with other keys, and with or without a study."""
    for name, changes in (("whole", {}), ("begun", {"complete": False}), ("other", {"keep": "all", "waves": ...})):
        folder = copy_result(whole, tmp_path / name)
        rewrite(folder / "run.json", format=FORMAT + 1, **changes)
        if name == "other":
            (folder / "study.toml").write_text("[later]\n")
        (tmp_path / "beside").mkdir(exist_ok=True)
        options, before = commands(str(folder), tmp_path / "beside"), tree(tmp_path)
        sentence = f"'{folder}' has format 2, but this version reads format 1; install a newer xor-sweep"
        for each in options:
            assert_refused(command(*each), (sentence,))
            assert tree(tmp_path) == before


def test_lost_run_json_of_a_later_format(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts name the format too, so a repair refuses a later one even if run.json is lost."""
    with monkeypatch.context() as patch:
        for module in ("run_facts", "store", "claim"):
            patch.setattr(f"sweep.store.{module}.FORMAT", FORMAT + 1)
        sweep.run(STUDY, tmp_path / "r")
    (tmp_path / "r" / "run.json").unlink()
    before = tree(tmp_path / "r")
    with pytest.raises(FormatError, match="has format 2"):
        sweep.repair(tmp_path / "r")
    assert tree(tmp_path / "r") == before


COMMIT = "commits/0000000.json"

# Records with a right checksum that this version does not write: the change of a folder, and the fault.
OTHERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no format": (lambda folder: rewrite(folder / "run.json", format=...), "it has no 'format'"),
    "renamed": (
        lambda folder: rewrite(folder / "run.json", numerics_version=..., numerics=1),
        "it has no 'numerics_version'",
    ),
    "no cells_sha256": (lambda folder: rewrite(folder / "run.json", cells_sha256=...), "it has no 'cells_sha256'"),
    "commit as run.json": (lambda folder: shutil.copy(folder / COMMIT, folder / "run.json"), "it has no 'format'"),
    "no wave": (lambda folder: rewrite(folder / "run.json", waves=[]), "add up to 10 seeds, got []"),
    "empty wave": (lambda folder: rewrite(folder / "run.json", waves=[0, 10]), "add up to 10 seeds, got [0, 10]"),
    "long waves": (lambda folder: rewrite(folder / "run.json", waves=[5, 6]), "add up to 10 seeds, got [5, 6]"),
    "other waves": (lambda folder: rewrite(folder / "run.json", waves=[1, 9]), "belong to two waves in run.json"),
    "no pcg64_digest": (lambda folder: rewrite(folder / COMMIT, pcg64_digest=...), "it has no 'pcg64_digest'"),
    "further key": (lambda folder: rewrite(folder / COMMIT, further=1), "it has an unknown key 'further'"),
    "run.json as commit": (
        lambda folder: shutil.copy(folder / "run.json", folder / "commits" / "0000001.json"),
        "it has no 'study'",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_records_of_another_version(whole: Path, tmp_path: Path, name: str) -> None:
    """A record with other names, or one in place of another, is refused in one sentence, and can be repaired."""
    folder = copy_result(whole, tmp_path / "whole")
    change, fault = OTHERS[name]
    change(folder)
    run = ("run", write_study(tmp_path / "study.toml", make_study(count=12)), "--out")
    for each in (("best", folder), ("trace", folder, "--run", 1), (*run, tmp_path / "r", "--reuse", folder)):
        assert_refused(command(*each), (fault,))
    assert fault in sweep.verify(folder).faults[0]
    sweep.repair(folder)
    assert sweep.verify(folder).intact
    assert sweep.open_result(folder).facts["digest"] == sweep.open_result(whole).facts["digest"]


@pytest.mark.parametrize("name", ["no format", "empty wave", "no pcg64_digest"])
def test_overwrite_records_of_another_version(whole: Path, tmp_path: Path, name: str) -> None:
    """A run is refused by a record of another version, but may overwrite it."""
    folder = copy_result(whole, tmp_path / "whole")
    change, fault = OTHERS[name]
    change(folder)
    run = ("run", write_study(tmp_path / "study.toml", STUDY), "--out", folder)
    assert_refused(command(*run), (fault,))
    assert command(*run, "--overwrite").code == 0
    assert sweep.verify(folder).intact

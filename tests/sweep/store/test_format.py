"""The format of a results folder: each command refuses a later one in one sentence, and changes nothing in it."""

from __future__ import annotations

from pathlib import Path

import pytest

import sweep
from sweep.store.files import Files
from sweep.store.local import files_at
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


def contents(files: Files) -> dict[str, bytes]:
    """Return the contents of all files of a folder."""
    names = [name for name in files.names() if name not in ("commits", "parts")]
    names += [f"{folder}/{name}" for folder in ("commits", "parts") for name in files.names(folder)]
    return {name: files.read(name) for name in names}


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


def assert_all_refuse(place: str, folder: Path) -> None:
    """Require that each command refuses the folder, and leaves it and the other folder as they were."""
    files, options = files_at(place), commands(place, folder)
    before, beside = contents(files), sorted(folder.iterdir())
    sentence = f"{place!r} has format 2, but this version reads format 1; install a newer xor-sweep"
    for each in options:
        assert_refused(command(*each), (sentence,))
        assert contents(files) == before
        assert sorted(folder.iterdir()) == beside


def test_a_later_format(whole: Path, tmp_path: Path) -> None:
    """A later format is refused in complete and partial results, with other keys, and with or without a study."""
    for name, changes in (("whole", {}), ("begun", {"complete": False}), ("other", {"keep": "all", "waves": ...})):
        folder = copy_result(whole, tmp_path / name)
        rewrite(folder / "run.json", format=FORMAT + 1, **changes)
        if name == "other":
            (folder / "study.toml").write_text("[later]\n")
        (tmp_path / "beside").mkdir(exist_ok=True)
        assert_all_refuse(str(folder), tmp_path / "beside")


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

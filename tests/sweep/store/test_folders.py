"""Which folders may hold results, and what is never touched."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import sweep
from sweep import StoreError, open_result
from tests.sweep.support import make_study, training_watched, tree, write_study

STUDY = make_study(count=5)
OTHER = make_study(count=5, scale=2.0)


def assert_refused(
    out: Path, *options: str, study: sweep.Study = STUDY, overwrite: bool = False, keep: Any = "runs"
) -> None:
    """Require that a run into ``out`` is refused with a reason, and neither trains nor changes anything."""
    root = out.parent
    before = tree(root)
    with training_watched() as trained, pytest.raises(StoreError) as caught:
        sweep.run(study, out=out, overwrite=overwrite, keep=keep)
    assert trained == []
    assert tree(root) == before
    for option in (str(out), *options):
        assert option in str(caught.value)


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Act without the rights of root, if this process has them."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(65_534)
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that any user can reach (those of ``tmp_path`` are their owner's) and write in."""
    with tempfile.TemporaryDirectory(prefix="sweep-tests-") as name:
        Path(name).chmod(0o777)
        yield Path(name)


def test_new_and_empty_folders(tmp_path: Path) -> None:
    """A missing folder is created with its parents; an empty one is used."""
    (tmp_path / "empty").mkdir()
    for out in (tmp_path / "a" / "b" / "c", tmp_path / "empty"):
        assert sweep.run(STUDY, out=out).directory == out
        assert open_result(out).study == STUDY


def test_another_study(tmp_path: Path) -> None:
    """A folder with another study's results, finished or not, is not touched."""
    out = tmp_path / "r"
    sweep.run(OTHER, out=out)
    assert_refused(out, OTHER.identity[:12], STUDY.identity[:12], "--out", "--overwrite")
    begun = tmp_path / "begun"
    with training_watched(0, KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
        sweep.run(OTHER, out=begun)
    assert_refused(begun, "another study")


def test_the_same_study_kept_otherwise(tmp_path: Path) -> None:
    """Rows and counts do not mix."""
    sweep.run(STUDY, out=tmp_path / "r", keep="cells")
    assert_refused(tmp_path / "r", "keep: must be 'cells'")
    sweep.run(STUDY, out=tmp_path / "rows")
    assert_refused(tmp_path / "rows", "keep: must be 'runs'", keep="cells")


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["notes.txt", "photo.png", "data/deep.csv"])
def test_foreign_files(tmp_path: Path, name: str, overwrite: bool) -> None:
    """A folder of other files is refused and not changed, with and without --overwrite."""
    path = tmp_path / "r" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    assert_refused(tmp_path / "r", Path(name).parts[0], overwrite=overwrite)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("text", ["", "draft = ["])
def test_folder_of_a_study_file(tmp_path: Path, text: str, overwrite: bool) -> None:
    """A folder with a study.toml and other files is not a results folder, and nothing in it is removed."""
    (tmp_path / "r").mkdir()
    file = write_study(tmp_path / "r" / "study.toml", STUDY)
    file.write_text(text + file.read_text())
    (tmp_path / "r" / "paper.pdf").write_bytes(b"mine")
    assert_refused(tmp_path / "r", "no result", overwrite=overwrite)


def test_overwrite_removes_damaged_results(tmp_path: Path) -> None:
    """Results that cannot be read can be replaced."""
    out = tmp_path / "r"
    sweep.run(STUDY, out=out)
    (out / "run.json").write_text("{}")
    (out / "cells.parquet").unlink()
    expected = sweep.run(STUDY).facts["digest"]
    assert sweep.run(STUDY, out=out, overwrite=True).facts["digest"] == expected


def test_study_file_gone_from_a_results_folder(tmp_path: Path) -> None:
    """A results folder without its study.toml is not used for another study."""
    out = tmp_path / "r"
    sweep.run(OTHER, out=out)
    (out / "study.toml").unlink()
    try:
        digest = sweep.run(STUDY, out=out).facts["digest"]
    except StoreError:
        return
    assert digest == sweep.run(STUDY).facts["digest"]


@pytest.mark.parametrize("below", ["", "deep", "deep/er"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_path_of_a_file(tmp_path: Path, below: str, overwrite: bool) -> None:
    """A path that is, or lies below, a regular file is refused, and the file stays."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match=r"file' is a file"):
        sweep.run(STUDY, out=tmp_path / "file" / below, overwrite=overwrite)
    assert tree(tmp_path) == {"file": b"mine"}


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
def test_place_where_nobody_can_write() -> None:
    """A file system in which not even root can create a folder is reported."""
    with pytest.raises(StoreError, match=r"'/proc/results'"):
        sweep.run(STUDY, out="/proc/results")


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="users of POSIX")
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("mode", [0o555, 0o444, 0o000], ids=oct)
@pytest.mark.parametrize("kind", ["parent", "empty", "results"])
def test_folder_that_cannot_be_written(open_folder: Path, kind: str, mode: int, overwrite: bool) -> None:
    """Without the permission to write, enter or list a folder, nothing is done, and one sentence says why."""
    folder = open_folder / "locked"
    folder.mkdir()
    sweep.run(OTHER, out=folder if kind == "results" else None)  # imports, too, what that user may not read
    before = tree(folder)
    folder.chmod(mode)
    try:
        with ordinary_user(), training_watched() as trained, pytest.raises(StoreError, match="locked"):
            sweep.run(STUDY, out=folder / "r" if kind == "parent" else folder, overwrite=overwrite)
    finally:
        folder.chmod(0o777)
    assert trained == []
    assert tree(folder) == before


def test_folder_that_appears_between_two_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that another process creates between two checks is used."""
    out = tmp_path / "r"

    def looking(look: Any) -> Any:
        def looked(path: Path, *given: Any, **options: Any) -> Any:
            found = look(path, *given, **options)
            os.makedirs(out, exist_ok=True)
            return found

        return looked

    for name in ("exists", "is_dir"):
        monkeypatch.setattr(Path, name, looking(getattr(Path, name)))
    assert sweep.run(STUDY, out=out).directory == out

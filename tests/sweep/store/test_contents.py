"""What --overwrite removes and what killed processes leave: our files go, foreign files stay."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import sweep
from sweep import StoreError, open_result
from sweep.figures import draw, save_figure
from sweep.store.contents import remove_results
from sweep.store.local import FolderLock, LocalFiles
from tests.sweep.in_parts import interrupt_in_parts, run_in_parts
from tests.sweep.support import command, copy_result, digest_of, make_study, tree, write_study

pytestmark = pytest.mark.slow

STUDY = make_study(count=10, name="mine")
OTHER = make_study(count=10, name="other", scale=2.0)
PART_RUNS = 20

FOREIGN = {
    "notes.txt": b"mine",
    "paper.pdf": b"mine",
    "deep.svg/notes.txt": b"mine",
    "n_hidden.png": b"mine",
    "parts/0000000.parquet": b"mine",
    "parts/0000000-0123456.parquet": b"mine",
    "parts/0000000-01234567.csv": b"mine",
    "parts/0000001-89abcdef.json": b"mine",
    "parts/deep/0000000-01234567.parquet": b"mine",
    "commits/0000000.json.bak": b"mine",
    "commits/000000x.json": b"mine",
    "cells.csv": b"mine",
    "figure.png": b"mine",
    "heatmap.png": b"mine",
    ".hidden": b"mine",
    ".run.json.backup": b"mine",
}


def put(folder: Path, files: dict[str, bytes]) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of finished results, leftovers and foreign files. Do not change it."""
    folder = tmp_path_factory.mktemp("mixed") / "r"
    run_in_parts(OTHER, out=folder, part_runs=PART_RUNS)
    put(folder, FOREIGN | LEFTOVERS)
    return folder


LEFTOVERS = {
    "parts/0000000-01234567.parquet": b"half a part",
    "parts/0000001-89abcdef.parquet": b"",
    ".run.json.01234567": b"{",
    ".study.toml.01234567": b"",
    ".cells.parquet.01234567": b"",
}


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    """Return the digest of either study by its identity."""
    return {study.identity: str(sweep.run(study).facts["digest"]) for study in (STUDY, OTHER)}


class Crash(BaseException):
    """The end of the process, for a test."""


class CrashingSystem:
    """System calls that change files; the process ends before call number ``moment``."""

    NAMES = ("unlink", "mkdir", "replace", "link")

    def __init__(self, moment: int | None) -> None:
        self.moment, self.calls = moment, 0

    def __enter__(self) -> CrashingSystem:
        """Start to count."""
        self._patches = [mock.patch.object(os, name, self._counted(getattr(os, name))) for name in self.NAMES]
        for patch in self._patches:
            patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Call the system again."""
        for patch in self._patches:
            patch.stop()

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **options: Any) -> Any:
            if self.moment is not None and self.calls >= self.moment:
                raise Crash  # and nothing more is done, not even to clean up
            self.calls += 1
            return call(*given, **options)

        return counted


@pytest.fixture
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not sync: it takes most of the time of small studies."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.mark.wide
@pytest.mark.parametrize("stride", [11, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.usefixtures("no_waiting_for_the_disk")
def test_overwrite_stopped_at_any_moment(mixed: Path, tmp_path: Path, expected: dict[str, str], stride: int) -> None:
    """Between any two changes, a reader sees whole results or an error, and every way to continue succeeds."""
    folder = copy_result(mixed, tmp_path / "whole")
    with CrashingSystem(None) as whole:
        run_in_parts(STUDY, out=folder, overwrite=True, threads=1, part_runs=PART_RUNS)
    assert whole.calls >= 30
    refused = 0
    for moment in range(0, whole.calls, stride):
        folder = copy_result(mixed, tmp_path / str(moment))
        with CrashingSystem(moment), pytest.raises(Crash):
            run_in_parts(STUDY, out=folder, overwrite=True, threads=1, part_runs=PART_RUNS)
        try:
            result = open_result(folder)
        except StoreError:
            refused += 1
        else:
            assert digest_of(result.runs()) == result.facts["digest"] == expected[result.study.identity]
            assert len(result.cells) == 4
        stopped = tree(folder)
        for study, overwrite in ((STUDY, True), (STUDY, False), (OTHER, False)):
            again = copy_result(folder, tmp_path / f"{moment}-again")
            try:
                found = run_in_parts(study, out=again, overwrite=overwrite, part_runs=PART_RUNS).facts["digest"]
            except StoreError as error:
                assert not overwrite, error  # noqa: PT017
                assert tree(again) == stopped
            else:
                assert found == expected[study.identity]
                assert not set(LEFTOVERS) & tree(again).keys()
            for name, content in FOREIGN.items():
                assert (again / name).read_bytes() == content
            shutil.rmtree(again)
        shutil.rmtree(folder)
    assert 20 / stride < refused < whole.calls


def test_overwrite_removes_ours_alone(mixed: Path, tmp_path: Path) -> None:
    """Figures and the report go too. Files of other names remain, and figures that a user has renamed or drawn."""
    folder = copy_result(mixed, tmp_path / "r")
    for words in (("figure",), ("figure", "slice", "--value", "median_steps"), ("report",)):
        assert command(words[0], folder, *words[1:]).code == 0
    assert (folder / "report.html").exists()
    drawn = (folder / "slice_steps_q50.png").read_bytes()
    kept = {"renamed.png": drawn, "by-script.png": b"", "loss.png": b""}
    put(folder, kept)
    save_figure(draw(open_result(folder), "loss"), folder / "loss.png")
    kept["loss.png"] = (folder / "loss.png").read_bytes()
    remove_results(LocalFiles(folder), {})
    left = {name: content for name, content in tree(folder).items() if content is not None}
    assert left == FOREIGN | kept


@pytest.mark.usefixtures("no_waiting_for_the_disk")
def test_published_results_are_overwritten_from_any_state(
    mixed: Path, tmp_path: Path, expected: dict[str, str]
) -> None:
    """A folder without parts and commits can be overwritten too, also after an interrupted attempt."""
    for moment in range(100):
        folder = tmp_path / str(moment)
        folder.mkdir()
        for name in ("study.toml", "run.json", "cells.parquet"):
            (folder / name).write_bytes((mixed / name).read_bytes())
        try:
            with CrashingSystem(moment):
                run_in_parts(STUDY, out=folder, overwrite=True, threads=1, part_runs=PART_RUNS)
        except Crash:
            digest = run_in_parts(STUDY, out=folder, overwrite=True, part_runs=PART_RUNS).facts["digest"]
            assert digest == expected[STUDY.identity]
        else:
            break
    assert moment > 15


def test_what_has_our_name_but_is_a_folder(tmp_path: Path) -> None:
    """One sentence reports what cannot be removed."""
    folder = tmp_path / "r"
    sweep.run(OTHER, out=folder)
    (folder / "parts" / "0000000-01234567.parquet").mkdir()
    finished = command("run", write_study(tmp_path / "s.toml", STUDY), "--out", folder, "--overwrite")
    assert (finished.code, finished.out) == (2, "")
    assert len(finished.err.splitlines()) == 1
    with pytest.raises(StoreError):
        open_result(folder)


@pytest.mark.parametrize("finished", [False, True])
def test_leftovers_are_collected_by_the_next_run(tmp_path: Path, expected: dict[str, str], finished: bool) -> None:
    """Drafts and parts without a commit are removed; commits, their parts and foreign files stay."""
    folder = tmp_path / "r"
    if finished:
        run_in_parts(STUDY, out=folder, part_runs=PART_RUNS)
    else:
        interrupt_in_parts(STUDY, folder, 1, part_runs=PART_RUNS)
    before = tree(folder)
    put(folder, FOREIGN | LEFTOVERS)
    assert run_in_parts(STUDY, out=folder, part_runs=PART_RUNS).facts["digest"] == expected[STUDY.identity]
    after = tree(folder)
    assert not set(LEFTOVERS) & after.keys()
    assert (FOREIGN.items() | {item for item in before.items() if item[0] != "run.json"}) <= after.items()


def test_parts_without_commits_of_a_finished_result_stay(tmp_path: Path) -> None:
    """If commits are lost, as in an incomplete copy, the rows stay."""
    folder = tmp_path / "r"
    run_in_parts(STUDY, out=folder, part_runs=PART_RUNS)
    for lost in (folder / "commits").iterdir():
        lost.unlink()
        run_in_parts(STUDY, out=folder, part_runs=PART_RUNS)
        assert len(list((folder / "parts").iterdir())) == STUDY.n_runs // PART_RUNS


def test_leftovers_stay_while_another_process_is_there(tmp_path: Path, expected: dict[str, str]) -> None:
    """Another process that shares the work may be writing these files right now."""
    folder = tmp_path / "r"
    interrupt_in_parts(STUDY, folder, 1, part_runs=PART_RUNS)
    put(folder, LEFTOVERS)
    other = FolderLock(folder)
    other.take_shared()
    assert run_in_parts(STUDY, out=folder, part_runs=PART_RUNS).facts["digest"] == expected[STUDY.identity]
    assert set(LEFTOVERS) <= tree(folder).keys()
    other.release()


def test_nothing_is_collected_beside_a_damaged_commit(tmp_path: Path) -> None:
    """While it is unclear which file counts, all files stay."""
    folder = tmp_path / "r"
    interrupt_in_parts(STUDY, folder, 1, part_runs=PART_RUNS)
    put(folder, LEFTOVERS | {"commits/0000000.json": b"{"})
    before = tree(folder)
    with pytest.raises(StoreError, match="damaged"):
        run_in_parts(STUDY, out=folder, part_runs=PART_RUNS)
    assert tree(folder) == before

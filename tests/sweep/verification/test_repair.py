"""A repair does what it reports, and touches neither files that a run may be writing nor foreign ones."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

import sweep
from sweep import StoreError, open_result
from sweep.store.commits import Commit, decode_record, encode_record
from sweep.store.local import FolderLock, LocalFiles, files_at
from sweep.store.reader import StoreReader
from sweep.verification import check as checking
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import (
    SIX_PARTS,
    assert_refused,
    command,
    copy_result,
    forge,
    make_study,
    parts_of,
    replace_value,
    training_watched,
    tree,
    write_study,
)
from tests.sweep.training.test_until import unfinish

STUDY = SIX_PARTS
N_PARTS = 6
LEFT = ["parts/0000001-01234567.parquet", "commits/.0000001.json.01234567", ".run.json.01234567"]


@pytest.fixture
def folder(six_parts: Path, tmp_path: Path) -> Path:
    """Return a copy to damage."""
    return copy_result(six_parts, tmp_path / "r")


@pytest.mark.parametrize("threads", ["-1", "0", "99999999"])
@pytest.mark.parametrize("words", [(), ("--repair",)])
def test_threads_out_of_range(folder: Path, words: tuple[str, ...], threads: str) -> None:
    """An invalid number of threads is refused before the folder is checked."""
    unfinish(folder)
    parts_of(folder)[0].write_bytes(b"")
    assert_refused(command("verify", folder, "--threads", threads, *words), (f"got {threads}", "threads"))


def test_threads_repair_together(folder: Path, six_parts: Path) -> None:
    """A repair trains in several threads, with the same result."""
    for part in parts_of(folder)[1:]:
        part.write_bytes(b"")
    assert len(sweep.repair(folder, threads=3).faults) == N_PARTS - 1
    assert sweep.verify(folder, sample=-1).faults == []
    assert open_result(folder).facts["digest"] == open_result(six_parts).facts["digest"]


def test_commits_of_another_plan(folder: Path, tmp_path: Path) -> None:
    """A commit that shares runs with others is replaced where one is lost; beside a whole result none can be."""
    run_in_parts(STUDY, out=tmp_path / "other", part_runs=32)
    foreign = tmp_path / "other" / "commits" / "0000002.json"
    shutil.copy(parts_of(tmp_path / "other")[2], folder / "parts")
    shutil.copy(foreign, folder / "commits")
    assert "do not hold every run exactly once" in sweep.verify(folder).faults[0]
    assert not sweep.repair(folder).intact
    assert sweep.verify(folder, sample=-1).intact
    commit = decode_record(foreign.read_bytes(), "") | {"part": 9, "file": "0000009-01234567.parquet"}
    (folder / "commits" / "0000009.json").write_bytes(encode_record(commit))
    shutil.copy(parts_of(tmp_path / "other")[2], folder / "parts" / commit["file"])
    with pytest.raises(StoreError, match=r"cannot repair this.*--overwrite"):
        sweep.repair(folder)


@pytest.mark.parametrize("lost", ["run.json", "commits/0000003.json", "both"])
def test_files_of_another_study(folder: Path, tmp_path: Path, lost: str) -> None:
    """The study of most commits counts, whatever a copied file names."""
    parts = [part for part in parts_of(folder) if not part.name.startswith("0000003")]
    digest = open_result(folder).facts["digest"]
    run_in_parts(make_study(count=30, learning_rate=[0.2, 0.04], hidden=[3, 2]), out=tmp_path / "other", part_runs=20)
    for name in ("run.json", "commits/0000003.json"):
        if lost in (name, "both"):
            shutil.copy(tmp_path / "other" / name, folder / name)
    faults = sweep.verify(folder).faults
    assert any(("run.json" if lost == "both" else lost) in fault for fault in faults)
    with training_watched() as trained:
        sweep.repair(folder)
        assert run_in_parts(STUDY, out=folder, part_runs=20).facts["digest"] == digest
    assert trained == ([] if lost == "run.json" else [3])
    assert sweep.verify(folder).intact
    assert all(part.exists() for part in parts)


@pytest.mark.parametrize("name", ["parts", "commits"])
def test_lost_folders(folder: Path, name: str) -> None:
    """The parts of a lost folder are trained again."""
    digest = open_result(folder).facts["digest"]
    shutil.rmtree(folder / name)
    assert not sweep.verify(folder).intact
    sweep.repair(folder)
    assert sweep.verify(folder).intact
    assert open_result(folder).facts["digest"] == digest


@pytest.mark.parametrize("name", ["run.json", "cells.parquet", "commits/0000001.json", "part"])
def test_files_larger_than_memory(folder: Path, name: str) -> None:
    """A huge file in place of one of ours is reported and repaired."""
    path = parts_of(folder)[1] if name == "part" else folder / name
    os.truncate(path, 2**43)
    finished = command("verify", folder)
    assert (finished.code, "does not fit into memory" in finished.out) == (1, True)
    assert command("verify", folder, "--repair").code == 0
    assert sweep.verify(folder).intact


def test_results_that_change_meanwhile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that another run removes during the check are not damage."""

    def vanish(store: StoreReader, commit: Commit) -> None:
        for name in (f"parts/{commit.file}", f"commits/{commit.part:07d}.json"):
            (folder / name).unlink()
        raise StoreError("it cannot be read")

    monkeypatch.setattr(StoreReader, "table", vanish)
    with pytest.raises(StoreError, match="changed during the check"):
        sweep.verify(folder, threads=1)


def test_last_line_of_a_repair(folder: Path) -> None:
    """The last line counts repaired parts too, and does not claim the same bits for changed rows."""
    forged = forge(folder, folder.parent / "forged", lambda table: replace_value(table, 33, "final_loss", 0.125))
    (folder / "commits" / "0000002.json").unlink()
    mended = command("verify", folder, "--repair")
    assert (mended.code, mended.out.splitlines()[-1]) == (0, f"intact: {STUDY.n_runs} runs in {N_PARTS} parts")
    changed = command("verify", forged, "--all", "--repair")
    assert changed.code == 0
    assert changed.out.splitlines()[-1].endswith(" trained again, to be compared")
    again = command("verify", forged, "--all", "--repair")
    assert again.out.endswith(f"; {STUDY.n_runs} trained again, with the same bits\n")


def test_another_study_toml_and_no_run_json(folder: Path, six_parts: Path) -> None:
    """The user's study restores both files; another study, or none, changes nothing."""
    (folder / "run.json").unlink()
    for other in (make_study(count=3), None):
        if other:
            write_study(folder / "study.toml", other)
        else:
            (folder / "study.toml").write_bytes(b"name = ")
        before = tree(folder)
        for study in (None, make_study(count=4)):
            with pytest.raises(StoreError, match="--study"):
                sweep.repair(folder, study=study)
        assert tree(folder) == before
        sweep.repair(folder, study=STUDY)
        assert sweep.verify(folder).faults == []
        assert open_result(folder).facts["digest"] == open_result(six_parts).facts["digest"]
        (folder / "run.json").unlink()


def test_parts_name_the_study_if_no_commit_is_readable(folder: Path, six_parts: Path) -> None:
    """Rows never become those of another study."""
    (folder / "run.json").unlink()
    (folder / "study.toml").write_bytes(b"name = ")
    for commit in (folder / "commits").iterdir():
        commit.write_bytes(b"{")
    with pytest.raises(StoreError, match=r"--study: must be study"):
        sweep.repair(folder, study=make_study(count=3))
    assert (folder / "study.toml").read_bytes() == b"name = "


def test_a_study_of_the_user_stays(tmp_path: Path) -> None:
    """A folder that holds only a study.toml of the user is not changed."""
    (tmp_path / "study.toml").write_text("name = ")
    for study in (None, STUDY):
        with pytest.raises(StoreError):
            sweep.repair(tmp_path, study=study)
    assert (tmp_path / "study.toml").read_text() == "name = "


def leave(folder: Path, age: float) -> None:
    """Create files as killed processes leave them, of this age in seconds."""
    for name in LEFT:
        (folder / name).write_bytes(b"left")
        os.utime(folder / name, (time.time() - age,) * 2)


@pytest.mark.parametrize("locks", [True, False])
@pytest.mark.parametrize("age", [0.0, 2 * checking._LEAST_AGE])
def test_leftovers(folder: Path, monkeypatch: pytest.MonkeyPatch, locks: bool, age: float) -> None:
    """They are not damage. A repair removes them, without locks only old ones, and never foreign files."""
    for name in ("notes.txt", "parts/mine.txt"):
        (folder / name).write_bytes(b"mine")
    monkeypatch.setattr(FolderLock, "excludes", locks)
    leave(folder, age)
    assert sweep.verify(folder).intact
    printed = command("verify", folder).out
    assert "not part of the results: 3 files that no commit names, from a run under way" in printed
    removed = sweep.repair(folder).leftovers
    assert sorted(removed) == (sorted(LEFT) if locks or age else [])
    assert len(sweep.verify(folder).leftovers) == len(LEFT) - len(removed)
    assert {"notes.txt", "parts/mine.txt"} <= tree(folder).keys()


@pytest.mark.wide
def test_leftovers_in_an_object_store(out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only old leftovers are removed, since there are no locks."""
    run_in_parts(STUDY, out=out, part_runs=20)
    files = files_at(out)
    for name in LEFT:
        files.write(name, b"left")
    assert abs((files.modified(LEFT[0]) or 0.0) - time.time()) < 600
    assert files.modified("nothing") is None
    assert sweep.repair(out).leftovers == []
    assert sorted(sweep.verify(out).leftovers) == sorted(LEFT)
    monkeypatch.setattr(checking, "_LEAST_AGE", -600.0)
    assert sorted(sweep.repair(out).leftovers) == sorted(LEFT)
    assert sweep.verify(out).leftovers == []


@pytest.mark.parametrize("locks", [True, False])
def test_parts_that_are_committed_meanwhile(folder: Path, monkeypatch: pytest.MonkeyPatch, locks: bool) -> None:
    """A part whose commit appears after the commits were read is not a leftover, however old it is."""
    unfinish(folder)
    commit, part = folder / "commits" / "0000004.json", parts_of(folder)[4]
    os.utime(part, (0, 0))
    content, names = commit.read_bytes(), LocalFiles.names

    def committed_meanwhile(files: LocalFiles, name: str = "") -> list[str]:
        if name == "parts":
            commit.write_bytes(content)
        return names(files, name)

    monkeypatch.setattr(LocalFiles, "names", committed_meanwhile)
    monkeypatch.setattr(FolderLock, "excludes", locks)
    for check in (sweep.verify, sweep.repair):
        commit.unlink()
        assert check(folder).leftovers == []
        assert part.exists()


def test_the_part_of_a_damaged_commit_is_not_a_leftover(folder: Path) -> None:
    """It may be the valid file; it becomes a leftover once its part is trained again."""
    (folder / "commits" / "0000004.json").write_bytes(b"{")
    assert sweep.verify(folder).leftovers == []
    assert len(sweep.repair(folder).leftovers) == 1
    assert len(list((folder / "parts").iterdir())) == N_PARTS

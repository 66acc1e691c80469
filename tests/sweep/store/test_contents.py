"""What --overwrite removes and what killed processes leave: our files go, foreign files stay."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import sweep
from sweep import StoreError, open_result
from sweep.figures import draw, save_figure
from sweep.store.contents import remove_results
from sweep.store.local import FolderLock, LocalFiles
from tests.sweep.fault_lab import Lab, assert_told, numbered, thorough
from tests.sweep.faults import CHANGES, Fault
from tests.sweep.in_parts import interrupt_in_parts, run_in_parts
from tests.sweep.support import assert_refused, command, copy_result, make_study, tree, write_study

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


@pytest.mark.wide
@thorough(7)
@pytest.mark.parametrize("published", [True, False])
def test_overwrite_stopped_at_any_moment(lab: Lab, stride: int, published: bool) -> None:
    """Between any two changes, a reader sees whole results or an error, and every way to continue succeeds.

    A published folder has no parts and commits.
    """
    truths, beside = {each.study.name: each for each in lab.truths.values()}, {} if published else FOREIGN | LEFTOVERS
    ways: list[tuple[str, tuple[str, ...]]] = [("mine", ("--overwrite",)), ("mine", ()), ("other", ())]
    for each in numbered(Fault(CHANGES), 1, stride):
        root = lab.root()
        assert lab.run(root, name="other").code == 0
        for name in ("parts", "commits") if published else ():
            shutil.rmtree(root / "r" / name)
        put(root / "r", beside)
        if lab.crash(root, each, words=("--overwrite",)) is None:
            break
        lab.readable(root / "r")
        for name, words in ways[:1] if published else ways:
            again = lab.root()
            copy_result(root / "r", again / "r")
            ended = lab.run(again, name=name, words=words)
            if ended.code == 0:
                assert f"digest {truths[name].digest}" in ended.out.splitlines()
                assert not set(LEFTOVERS) & tree(again / "r").keys()
            else:
                assert not words
                assert_told(ended)
                assert tree(again / "r") == tree(root / "r")
            assert {*beside.items()} & {*FOREIGN.items()} <= tree(again / "r").items()
    assert each.number > 20
    if published:
        lab.truth.check_finished(root / "r")


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


def test_what_has_our_name_but_is_a_folder(tmp_path: Path) -> None:
    """One sentence reports what cannot be removed."""
    folder = tmp_path / "r"
    sweep.run(OTHER, out=folder)
    (folder / "parts" / "0000000-01234567.parquet").mkdir()
    file = write_study(tmp_path / "s.toml", STUDY)
    assert_refused(command("run", file, "--out", folder, "--overwrite"), ("0000000-01234567.parquet",))
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

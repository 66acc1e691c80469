"""Commits are checked whenever they are read: other studies, plans, versions and editors may have written them."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa
import pytest

import sweep
from sweep import StoreError, open_result
from sweep.schedule.plan import Plan
from sweep.store.commits import check_planned
from sweep.store.store import Store
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.part_result import PartResult
from tests.sweep.in_parts import interrupt_in_parts, run_in_parts
from tests.sweep.records import rewrite
from tests.sweep.store.test_damage import read_all
from tests.sweep.support import (
    SIX_PARTS,
    assert_refused,
    command,
    copy_result,
    forge,
    make_store,
    make_study,
    parts_of,
    replace_value,
    training_watched,
)

STUDY = SIX_PARTS
OTHER = make_study(count=30, learning_rate=[0.2, 0.05], hidden=[3, 2], scale=2.0)
PART_RUNS = 20


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a study of which three of six parts are committed, not to be changed."""
    folder = tmp_path_factory.mktemp("begun") / "r"
    interrupt_in_parts(STUDY, folder, 3, part_runs=PART_RUNS)
    return folder


def commits_of(folder: Path) -> list[Path]:
    return sorted((folder / "commits").iterdir())


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "another study": ({"study": OTHER.identity}, "another study"),
    "other part": ({"part": 1}, "it is the commit of part 1"),
    "no runs": ({"stop": 0}, "runs 0 to 0"),
    "too many runs": ({"stop": 121}, "runs 0 to 121, but the study has 120"),
    "part with a line end": ({"file": "0000000-01234567.parquet\n"}, "must name a file of its part"),
    "part of another part": ({"file": "0000001-01234567.parquet"}, "must name a file of its part"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_commit_with_other_content(begun: Path, six_parts: Path, tmp_path: Path, name: str) -> None:
    """A commit with impossible values is refused when a study is resumed and when it is read."""
    changes, fault = CHANGES[name]
    for source, use in ((begun, resume), (six_parts, read_all)):
        folder = copy_result(source, tmp_path / source.parent.name)
        path = commits_of(folder)[0]
        rewrite(path, **changes)
        with training_watched() as trained, pytest.raises(StoreError) as caught:
            use(folder)
        assert trained == []
        assert fault in str(caught.value)
        assert repr(str(path)) in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1


def resume(folder: Path) -> None:
    run_in_parts(STUDY, out=folder, part_runs=PART_RUNS)


@pytest.mark.slow
def test_other_files_among_commits_do_not_count(begun: Path, tmp_path: Path) -> None:
    """A file without the name of a commit is not a commit, whatever it holds."""
    folder = copy_result(begun, tmp_path / "r")
    (folder / "commits" / "0000003.json.bak").write_bytes(b"{")
    (folder / "commits" / "notes.json").write_bytes(b"mine")
    resume(folder)
    assert open_result(folder).facts["digest"] == sweep.run(STUDY).facts["digest"]
    assert (folder / "commits" / "notes.json").read_bytes() == b"mine"


def trained(study: sweep.Study, index: int) -> PartResult:
    plan = Plan(study, PART_RUNS)
    return PartTrainer(plan).train(plan.part(index))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"study": OTHER.identity}, "another study"),
        ({"start": 1}, "other runs"),
        ({"stop": 40}, "other runs"),
        ({"file": "../x"}, "must name a file of its part"),
    ],
)
def test_commit_that_came_first(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    """A process that finishes a part second accepts the first commit only if it fits study and part."""
    store, result = make_store(tmp_path / "r", STUDY), trained(STUDY, 0)
    store.write_part(result, session="first", begin=0.0, end=1.0)
    (path,) = commits_of(tmp_path / "r")
    rewrite(path, **changes)
    with pytest.raises(StoreError, match=fault):
        store.write_part(result, session="second", begin=0.0, end=1.0)
    with pytest.raises(StoreError, match=fault):
        store.commit_of(result.part)
    assert len(list((tmp_path / "r" / "parts").iterdir())) == 1


def test_commit_that_came_first_and_went(tmp_path: Path) -> None:
    """If commits are removed while they are written, the run reports it."""
    store, result = make_store(tmp_path / "r", STUDY), trained(STUDY, 0)
    taken = FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    with mock.patch.object(os, "link", side_effect=taken), pytest.raises(StoreError, match="No such file"):
        store.write_part(result, session="s", begin=0.0, end=1.0)
    assert list((tmp_path / "r" / "parts").iterdir()) == []


def test_commit_that_is_linked_twice(tmp_path: Path) -> None:
    """A network file system may repeat a link and then report that the name is taken, by this very commit."""
    store, result, link = make_store(tmp_path / "r", STUDY), trained(STUDY, 0), os.link

    def twice(*given: Any) -> None:
        link(*given)
        link(*given)

    with mock.patch.object(os, "link", twice):
        commit = store.write_part(result, session="s", begin=0.0, end=1.0)
    assert store.commits() == {0: commit}
    assert len(store.table(commit)) == PART_RUNS


@pytest.mark.slow
def test_commits_fit_the_plan(six_parts: Path) -> None:
    """Only commits of this study and this plan are accepted."""
    commit = Store.open(six_parts).commits()[0]
    for other, fault in ((Plan(OTHER, PART_RUNS), "another study"), (Plan(STUDY, PART_RUNS + 1), "other runs")):
        with pytest.raises(StoreError, match=fault):
            check_planned(commit, other)
    check_planned(commit, Plan(STUDY, PART_RUNS))


@pytest.mark.slow
@pytest.mark.parametrize("keep", ["runs", "cells"])
def test_rows_are_counted(tmp_path: Path, keep: str) -> None:
    """A part with fewer runs than its commit names is damaged, even if its file is intact."""
    run_in_parts(STUDY, out=tmp_path / "whole", keep=keep, part_runs=PART_RUNS)  # type: ignore[arg-type]
    if keep == "runs":
        cut = forge(tmp_path / "whole", tmp_path / "cut", lambda table: table.slice(1))
        with pytest.raises(StoreError, match="holds 19 runs"):
            open_result(cut).runs()
        with pytest.raises(StoreError, match="holds 19 runs"):
            open_result(cut).runs(["steps"])
        return
    folder = tmp_path / "whole"
    store, path = Store.open(folder), commits_of(folder)[0]
    rewrite(path, stop=19)
    with pytest.raises(StoreError, match="holds 20 runs"):
        store.tally(store.commits()[0])


def test_run_column_is_checked(six_parts: Path, tmp_path: Path) -> None:
    """Rows of other runs than their commit names are damaged; a trace reports it in one sentence."""
    forged = forge(six_parts, tmp_path / "r", lambda table: replace_value(table, 5, "run", 6))
    with pytest.raises(StoreError, match="'run'"):
        open_result(forged).runs()
    for run in ("5", "6"):
        assert_refused(command("trace", forged, "--run", run), ("column 'run'",))


def test_part_of_other_columns(six_parts: Path, tmp_path: Path) -> None:
    """A part with other columns or types, or one that is not Parquet, is damaged even if its hash fits."""

    def as_text(table: pa.Table) -> pa.Table:
        return table.set_column(0, "run", table["run"].cast(pa.string()))

    for k, change in enumerate((lambda table: table.drop_columns(["steps"]), as_text, lambda _: b"no Parquet")):
        with mock.patch("sweep.store.store.encode_table", lambda table, *_, change=change: encode(change(table))):
            folder = copy_result(six_parts, tmp_path / str(k))
            commits_of(folder)[0].unlink()
            Store.open(folder).write_part(trained(STUDY, 0), session="s", begin=0.0, end=1.0)
        with pytest.raises(StoreError, match="damaged: it"):
            open_result(folder).runs()


def encode(content: pa.Table | bytes) -> bytes:
    """Return a table as a plain Parquet file, and bytes as they are."""
    if isinstance(content, bytes):
        return content
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(content, sink)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("name", ["run.json", "study.toml", "cells.parquet", "part", "commit"])
def test_pipe_in_place_of_a_file(six_parts: Path, tmp_path: Path, name: str) -> None:
    """A pipe or a device is refused, rather than read without end."""
    folder = copy_result(six_parts, tmp_path / "r")
    path = {"part": parts_of(folder)[0], "commit": commits_of(folder)[0]}.get(name, folder / name)
    for replace in (os.mkfifo, lambda path: path.symlink_to("/dev/zero"), os.mkdir):
        path.unlink()
        replace(path)
        with pytest.raises(StoreError, match="cannot be read: it is not a regular file"):
            read_all(folder)

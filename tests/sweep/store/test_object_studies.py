"""Whole studies in an object store: the same result, whatever happens to requests, writers and processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any
from unittest import mock

import pandas as pd
import pytest

import sweep
from sweep import StoreError, Study, open_result
from sweep.schedule.plan import Plan
from sweep.store import requests
from sweep.store.contents import figure_title
from sweep.store.local import files_at
from tests.sweep.fault_lab import RECORDED
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import command, digest_of, make_study, training_watched, write_study

pytestmark = pytest.mark.wide

STUDY = make_study(count=10, name="mine")
OTHER = make_study(count=10, name="other", scale=2.0)
PART_RUNS = 4
N_PARTS = Plan(STUDY, PART_RUNS).n_parts
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def expected() -> str:
    """Return the digest of the study."""
    return str(sweep.run(STUDY).facts["digest"])


def digest(out: str, study: Study = STUDY, **arguments: Any) -> str:
    """Run a study and return its digest."""
    return str(run_in_parts(study, out=out, **{"part_runs": PART_RUNS, "threads": 2, **arguments}).facts["digest"])


def assert_whole(out: str, expected: str, leftovers: int = 0) -> None:
    """Require each run once, and a commit for each file of a part but ``leftovers`` of them."""
    result, files = open_result(out), files_at(out)
    assert digest_of(result.runs()) == result.facts["digest"] == expected
    assert len(files.names("commits")) == N_PARTS
    assert len(files.names("parts")) == N_PARTS + leftovers


def interrupt(out: str, after: int = 3, study: Study = STUDY) -> None:
    """Start a study, and interrupt it after some parts."""
    with training_watched(after, KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
        digest(out, study, threads=1)


def test_a_study(out: str, expected: str, caplog: pytest.LogCaptureFixture) -> None:
    """A study is written, read and finished as in a folder, without warnings."""
    finished = run_in_parts(STUDY, out=out, part_runs=PART_RUNS)
    assert (finished.place, finished.directory) == (out, None)
    assert_whole(out, expected)
    memory, read = sweep.run(STUDY), open_result(Path(out))
    pd.testing.assert_frame_equal(read.runs(), memory.runs())
    pd.testing.assert_frame_equal(read.cells, memory.cells)
    assert read.row(7) == memory.row(7)
    assert all(part.startswith(f"{out}/parts/") for part in read.parts())
    with training_watched() as trained:
        assert digest(out) == expected
    assert not trained
    assert not caplog.records


def test_commands(out: str, tmp_path: Path) -> None:
    """Commands accept addresses like folders, and print them in full."""
    study = write_study(tmp_path / "mine.toml", STUDY)
    finished = command("run", study, "--out", f"{out}/")
    assert finished.code == 0, finished
    assert finished.out.endswith(f"results in {out}\n")
    again = command("run", study, "--out", out)
    assert "already finished on" in again.err
    assert f"in {out} (40 runs); nothing to train" in again.err
    for words in (("show",), ("best",), ("compare", "--vary", "hidden"), ("show", "--parts"), ("trace", "--run", "3")):
        finished = command(words[0], out, *words[1:])
        assert finished.code == 0, finished
        assert finished.out
    assert command("compare", out, out).code == 0
    for name, file in (("figure", "f.svg"), ("report", "r.html")):
        assert command(name, out, "--out", tmp_path / file).code == 0
        assert (tmp_path / file).stat().st_size > 1000


@pytest.mark.parametrize("finished", [False, True])
def test_another_study_and_overwrite(out: str, expected: str, finished: bool) -> None:
    """Another study is refused without --overwrite, which removes our files and nothing else."""
    if finished:
        digest(out, OTHER)
    else:
        interrupt(out, 3, OTHER)
    files = files_at(out)
    foreign = ("notes.txt", "parts/mine.parquet", "deep/er/commits/0000000.json")
    for name in foreign:
        files.write(name, b"mine")
    files.write("heatmap.png", figure_title("heatmap").encode())
    before = sorted(files.names("commits"))
    with pytest.raises(StoreError, match=r"another study.*--overwrite"):
        digest(out)
    assert sorted(files.names("commits")) == before
    assert digest(out, overwrite=True) == expected
    assert_whole(out, expected, leftovers=1)
    assert not files.has("heatmap.png")
    assert [files.read(name) for name in foreign] == [b"mine"] * len(foreign)


def test_foreign_objects(out: str) -> None:
    """A prefix that holds something else is refused."""
    files_at(out).write("notes.txt", b"mine")
    with pytest.raises(StoreError, match=r"holds other files \('notes.txt'\)"):
        digest(out)


class Crash(BaseException):
    """The end of the process, for a test."""


@contextmanager
def watch_requests(watch: Callable[[int], None]) -> Iterator[None]:
    """Call a function with the number of each request before it is made."""
    ask, numbers = requests.ask, count()

    def asking(*given: Any) -> Any:
        watch(next(numbers))
        return ask(*given)

    with mock.patch("sweep.store.objects.ask", asking):
        yield


def crash(moment: int, number: int) -> None:
    """End the process before a request: it makes no later one either."""
    if number >= moment:
        raise Crash


@pytest.mark.parametrize("step", [25, pytest.param(1, marks=pytest.mark.soak)])
def test_overwrite_stopped_at_any_moment(out: str, expected: str, step: int) -> None:
    """Between any two requests, readers see whole results or an error, and every way to continue succeeds."""
    answers, refused = {STUDY.identity: expected, OTHER.identity: str(sweep.run(OTHER).facts["digest"])}, 0
    few: dict[str, Any] = {"part_runs": 20, "threads": 1}
    for moment in range(0, 100, step):
        place = f"{out}/{moment}"
        digest(place, OTHER, **few)
        files_at(place).write("notes.txt", b"mine")
        try:
            with watch_requests(partial(crash, moment)):
                digest(place, overwrite=True, **few)
        except Crash:
            pass
        else:
            break
        try:
            result = open_result(place)
        except StoreError:
            refused += 1
        else:
            assert digest_of(result.runs()) == result.facts["digest"] == answers[result.study.identity]
        study = OTHER if moment % 2 else STUDY
        try:
            assert digest(place, study, **few) == answers[study.identity]
        except StoreError as error:
            assert "another study" in str(error)  # noqa: PT017
        assert digest(place, overwrite=True, **few) == expected
        assert files_at(place).read("notes.txt") == b"mine"
    assert moment > 20
    assert refused > 10 / step


@pytest.mark.parametrize(
    "studies",
    [
        pytest.param([STUDY] * 8, id="same"),
        pytest.param([STUDY, OTHER] * 4, id="two"),
        pytest.param([RECORDED] * 4, id="recorded"),
    ],
)
def test_studies_that_begin_at_once(out: str, studies: list[Study]) -> None:
    """Runs of one study share the work; of different studies, one gets the prefix and the others are refused."""
    barrier = Barrier(len(studies))

    def begin(study: Study) -> str:
        barrier.wait()
        try:
            return digest(out, study, threads=1)
        except StoreError as error:
            return str(error)

    with ThreadPoolExecutor(len(studies)) as pool:
        found = list(pool.map(begin, studies))
    winner = open_result(out)
    for study, ended in zip(studies, found, strict=True):
        if study.identity == winner.study.identity:
            assert ended == winner.facts["digest"]
        else:
            assert "another study" in ended
    assert sweep.verify(out, sample=-1).intact


def test_another_study_begins_in_between(out: str, expected: str) -> None:
    """Whenever another study creates its run.json, the prefix never gets files of both."""
    digest(f"{out}/other", OTHER)
    record = files_at(f"{out}/other").read("run.json")
    endings = set()
    for moment in range(30):
        place = f"{out}/{moment}"

        def begin(number: int, place: str = place, moment: int = moment) -> None:
            if number == moment:
                files_at(place).create("run.json", record)

        with watch_requests(begin):
            try:
                ended = digest(place)
            except StoreError as error:
                ended = str(error)
        if files_at(place).read("run.json") == record:
            endings.add("refused")
            assert "another study" in ended
            assert not files_at(place).has("study.toml")
        else:
            endings.add("trained")
            assert ended == expected
    assert endings == {"refused", "trained"}

"""Races for a place without locks: each part has one commit, and a run whose results are removed reports it."""

from __future__ import annotations

import errno
import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from unittest import mock

import pytest

import sweep
from sweep import StoreError, Study
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from sweep.store.bits import own_bits
from sweep.store.claim import FolderRequest, claim
from sweep.store.local import files_at
from sweep.store.store import Store
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.part_result import PartResult
from tests.kernels.support import some_compiled
from tests.sweep.object_store import Asked, Fault, ObjectStore
from tests.sweep.store.test_object_studies import N_PARTS, OTHER, PART_RUNS, STUDY, assert_whole, digest

pytestmark = pytest.mark.wide

NO_LOCKS = OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
REMOVED = r"^another run with --overwrite removed the results in '{}' and started {} there; wait until it ends"


@pytest.fixture(params=["folder", "objects"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return an empty place without locks."""
    return str(tmp_path / "r") if request.param == "folder" else request.getfixturevalue("out")


def test_eight_writers_race_for_every_part(place: str) -> None:
    """All train and write each part at once: each part has one commit, on which all agree."""
    bits = own_bits()
    plan, barrier = Plan(STUDY, PART_RUNS), Barrier(8)
    results = [PartTrainer(plan).train(plan.part(index)) for index in range(N_PARTS)]

    def write(k: int) -> list[Any]:
        with claim(files_at(place), FolderRequest(STUDY, "runs", False, bits, plan.waves)) as mine:
            commits = []
            for result in results:
                barrier.wait()
                commits.append(mine.write_part(result, session=str(k), begin=0.0, end=1.0))
            return commits

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(write, range(8)))
    assert all(each == found[0] for each in found)
    assert list(Store.open(place).commits().values()) == found[0]
    expected = str(sweep.run(STUDY).facts["digest"])
    assert digest(place) == expected
    assert_whole(place, expected)


@pytest.mark.parametrize("study", [STUDY, OTHER], ids=["again", "another study"])
@pytest.mark.parametrize(
    ("after", "keep"),
    some_compiled(itertools.product((2, 5, 9), ("runs", "cells")), {(2, "cells"), (5, "runs")}.__contains__),
)
def test_loser_of_a_race(place: str, study: Study, after: int, keep: Any) -> None:
    """The error does not report damage, but names the other run and the remedy."""
    train, trained = PartTrainer.train, []

    def watched(worker: PartTrainer, part: Part) -> PartResult:
        trained.append(part.index)
        if len(trained) == after + 1:
            assert len(files_at(place).names("commits")) > 1  # more than the other run trains again
            with mock.patch.object(PartTrainer, "train", train):
                digest(place, study, overwrite=True, max_runs=1, keep=keep)
        return train(worker, part)

    expected = REMOVED.format(place, "the study over" if study is STUDY else "another study")
    with mock.patch("fcntl.flock", side_effect=NO_LOCKS):
        with mock.patch.object(PartTrainer, "train", watched), pytest.raises(StoreError, match=expected):
            digest(place, overwrite=True, threads=1, keep=keep)
        if study is STUDY:  # as the sentence says
            assert digest(place, keep=keep) == sweep.run(STUDY, keep=keep).facts["digest"]
            assert sweep.verify(place).intact


def test_a_study_that_vanishes_while_a_run_begins(place: str) -> None:
    """A run that finds the study removed between two checks starts it itself."""
    opened = sweep.store.claim.Store.open
    calls = []

    def vanishing(files: Any) -> Any:
        calls.append(files)
        if len(calls) == 1:
            files.remove("study.toml")
        return opened(files)

    with mock.patch("fcntl.flock", side_effect=NO_LOCKS), mock.patch("sweep.store.claim.Store.open", vanishing):
        assert digest(place) == sweep.run(STUDY).facts["digest"]
    assert len(calls) == 2


def test_a_commit_that_comes_while_results_are_removed(place: str) -> None:
    """A commit that appears meanwhile is removed too, since its part may be gone."""
    digest(place)
    files = files_at(place)
    name = f"commits/{min(files.names('commits'))}"
    content, remove = files.read(name), type(files).remove

    def removing(these: Any, *names: str) -> None:
        remove(these, *names)
        if any(each.startswith("parts/") for each in names):
            files.create(name, content)

    with mock.patch.object(type(files), "remove", removing):
        assert digest(place, OTHER, overwrite=True) == sweep.run(OTHER).facts["digest"]


def test_an_unreachable_store_has_removed_nothing(
    store: ObjectStore, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of the store is reported, without another wait to look for other runs."""
    monkeypatch.setattr("sweep.store.requests._PATIENCE", 0.3)
    monkeypatch.setattr("sweep.store.requests._LAST_SECONDS", 0.3)
    asked: list[Asked] = []

    def away(each: Asked) -> Fault | None:
        asked.append(each)
        return Fault(503, "SlowDown") if len(asked) > 25 else None

    store.rule = away
    with pytest.raises(StoreError, match="the store answered 503"):
        digest(out, threads=1)


def test_another_run_removes_the_test_object(store: ObjectStore, out: str) -> None:
    """A removed test object does not look like a store without conditional uploads."""
    files: Any = files_at(out)
    put = files._put_new

    def removed(name: str, content: bytes) -> None:
        put(name, content)
        if content == b"1":
            files.remove(name)

    with mock.patch.object(files, "_put_new", removed):
        files.make()
    assert files.names() == []

"""Files in object stores behave like files in folders, and one sentence reports each failure."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from unittest import mock

import pytest

import sweep
from sweep import StoreError, open_result
from sweep.store import requests
from sweep.store.files import Files
from sweep.store.local import LocalFiles, files_at
from sweep.store.objects import ObjectFiles
from tests.sweep.in_parts import run_in_parts
from tests.sweep.object_store import PAGE, Fault, ObjectStore, refusal
from tests.sweep.support import make_study

pytestmark = pytest.mark.wide

STUDY = make_study(count=3, name="mine")


@pytest.fixture
def objects(out: str) -> ObjectFiles:
    """Return the files of an empty prefix."""
    files = files_at(out)
    assert isinstance(files, ObjectFiles)
    return files


@pytest.fixture(params=["folder", "folder without links", "objects"])
def files(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """Return the files of a new place, of any kind, with its folders."""
    if request.param == "folder without links":
        monkeypatch.setattr(os, "link", mock.Mock(side_effect=OSError(errno.EPERM, "no links")))
    made: Files = LocalFiles(tmp_path / "r") if request.param != "objects" else request.getfixturevalue("objects")
    made.make()
    for name in ("parts", "commits"):
        made.make_folder(name)
    return made


def test_write_read_replace_and_remove(files: Files) -> None:
    """Written content is read until it is replaced or removed."""
    files.write("parts/a", b"one")
    assert files.read("parts/a") == b"one"
    files.replace("parts/a", b"two" * 1000)
    assert files.read("parts/a") == b"two" * 1000
    files.write("parts/empty", b"")
    assert files.read("parts/empty") == b""
    assert list(files.read_all(["parts/empty", "parts/a"])) == [b"", b"two" * 1000]
    files.settle("parts")
    files.remove("parts/a", "parts/empty", "parts/never")
    files.remove("parts/a")
    files.remove()
    assert not files.has("parts/a")
    assert files.names("parts") == []


def test_names_and_folders(files: Files) -> None:
    """Names and folders are those of written files."""
    assert not files.has("run.json")
    assert not files.has_folder("never")
    assert files.names("never") == []
    assert set(files.names()) <= {"parts", "commits"}
    files.write("run.json", b"1")
    files.write("parts/é ~+%41.x", b"2")
    assert files.has("run.json")
    assert not files.has("run")
    assert files.has_folder("parts")
    assert not files.has_folder("run")
    assert set(files.names()) - {"commits"} == {"run.json", "parts"}
    assert files.names("parts") == ["é ~+%41.x"]
    assert files.where("run.json") == f"{files.place}/run.json"


def test_read_a_missing_file(files: Files) -> None:
    """The error names the file."""
    message = refusal(lambda: files.read("parts/a"))
    assert message.startswith(f"'{files.place}/parts/a' cannot be read: ")


def test_create(files: Files) -> None:
    """The first content stays, and a second creation fails."""
    assert files.create("commits/a", b"one")
    assert not files.create("commits/a", b"two")
    assert files.read("commits/a") == b"one"
    files.remove("commits/a")
    assert files.create("commits/a", b"two")


def test_many_create_at_once(files: Files) -> None:
    """Exactly one of eight succeeds, and its content stays."""
    barrier = Barrier(8)

    def create(round_: int, k: int) -> bool:
        barrier.wait()
        return files.create(f"commits/{round_}", b"%d" % k)

    with ThreadPoolExecutor(8) as pool:
        for round_ in range(5):
            won = list(pool.map(create, [round_] * 8, range(8)))
            assert sum(won) == 1
            assert files.read(f"commits/{round_}") == b"%d" % won.index(True)


def test_create_the_same_object_again(objects: ObjectFiles) -> None:
    """A repeated upload whose first answer was lost finds its own object."""
    assert objects.create("commits/a", b"one")
    assert objects.create("commits/a", b"one")


def test_the_client_repeats_no_request(
    store: ObjectStore, objects: ObjectFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only our own pauses, which an interrupt ends, come between the attempts."""
    monkeypatch.setattr("sweep.store.requests._PATIENCE", -1.0)
    store.rule = lambda asked: Fault(503, "SlowDown")
    with pytest.raises(StoreError, match="the store answered 503"):
        objects.read("parts/a")
    assert len(store.asked) == 1


@pytest.mark.parametrize("status", [500, 503, 429, 0])
@pytest.mark.parametrize("effect", [False, True])
def test_create_with_lost_answers(store: ObjectStore, objects: ObjectFiles, status: int, effect: bool) -> None:
    """The upload succeeds, whether the attempts without an answer took effect or not."""
    store.rule = lambda asked: Fault(status, effect=effect) if asked.count <= 2 else None
    assert objects.create("commits/a", b"one")
    assert objects.read("commits/a") == b"one"
    assert not objects.create("commits/a", b"two")


@pytest.mark.parametrize("effect", [False, True])
def test_create_without_an_answer(
    store: ObjectStore, objects: ObjectFiles, monkeypatch: pytest.MonkeyPatch, effect: bool
) -> None:
    """A request to a silent store is repeated after the time-out that the environment sets."""
    monkeypatch.setenv("AWS_TIMEOUT", "300ms")
    store.rule = lambda asked: Fault(effect=effect, pause=1.0) if asked.count == 1 and asked.conditional else None
    assert files_at(objects.place).create("commits/a", b"one")
    assert objects.read("commits/a") == b"one"


def test_create_during_conflicts(store: ObjectStore, objects: ObjectFiles) -> None:
    """S3 answers 409 during another upload of the same name; that upload may fail, so ours is repeated."""
    store.rule = lambda asked: (
        Fault(409, "ConditionalRequestConflict") if asked.conditional and asked.count < 4 else None
    )
    assert objects.create("commits/a", b"one")


def test_long_lists(store: ObjectStore, objects: ObjectFiles) -> None:
    """A store lists a page of objects with each request, and removes at most a thousand; most of these are gone."""
    names = [f"commits/{k:07d}.json" for k in range(1005)]
    there = names[:: len(names) // (PAGE + 1)]
    for name in there:
        objects.write(name, b"")
    assert sorted(objects.names("commits")) == [name.removeprefix("commits/") for name in there]
    assert len(there) > PAGE
    store.clear()
    objects.remove(*names)
    assert objects.names("commits") == []
    assert len([asked for asked in store.asked if asked.method == "POST"]) == 2


@pytest.mark.parametrize(
    ("status", "code"),
    [(501, "NotImplemented"), (405, "MethodNotAllowed"), (404, "NoSuchKey"), (400, "Invalid")],
)
def test_stores_that_remove_one_object_at_a_time(
    store: ObjectStore, objects: ObjectFiles, status: int, code: str
) -> None:
    """If a store cannot remove many objects with one request, nothing is left over either."""
    store.rule = lambda asked: Fault(status, code) if asked.method == "POST" else None
    run_in_parts(make_study(count=3, scale=2.0), out=objects.place, part_runs=2)
    assert set(objects.names()) == {"study.toml", "run.json", "cells.parquet", "parts", "commits"}
    objects.write("parts/é ~+%41.x", b"mine")
    result = run_in_parts(STUDY, out=objects.place, overwrite=True, part_runs=2)
    assert result.facts["digest"] == sweep.run(STUDY).facts["digest"]
    assert len(objects.names("parts")) == len(objects.names("commits")) + 1
    objects.remove("parts/é ~+%41.x", "parts/never")
    assert len(objects.names("parts")) == len(objects.names("commits"))
    asked = [asked.method for asked in store.asked].count("POST")
    objects.remove("parts/never")
    assert [asked.method for asked in store.asked].count("POST") == asked  # this is known by now


def test_objects_that_cannot_be_removed(
    store: ObjectStore, objects: ObjectFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the reason, also if each object is removed by its own request."""
    monkeypatch.setattr(requests, "_PATIENCE", 0.1)
    faults = {"denied": Fault(403, "AccessDenied"), "answered 503": Fault(503, "SlowDown"), "broke": Fault(0)}
    for words, fault in faults.items():
        answers = {"POST": Fault(501, "NotImplemented"), "DELETE": fault}
        store.rule = lambda asked, answers=answers: answers.get(asked.method)
        message = refusal(lambda: objects.remove("a", "b"))
        assert f"{objects.place}/a' cannot be removed: " in message
        assert words in message


def test_empty_objects_for_folders_are_not_files(store: ObjectStore, objects: ObjectFiles) -> None:
    """Web pages of stores create such objects for a new folder."""
    store.put(f"{objects.prefix}/")
    store.put(f"{objects.prefix}/commits/")
    assert objects.names() == ["commits"]
    assert objects.names("commits") == []
    assert not objects.has_folder("commits")
    assert sweep.run(STUDY, out=objects.place).complete


@pytest.mark.parametrize("code", [None, "NotImplemented"])
def test_stores_without_conditional_uploads(store: ObjectStore, out: str, code: str | None) -> None:
    """Such stores are refused before anything is written; results in them can be read."""
    fault = Fault(501, code) if code else Fault(unconditional=True)
    store.rule = lambda asked: fault if asked.conditional else None
    message = refusal(lambda: sweep.run(STUDY, out=out))
    for option in (out, "If-None-Match", "--out"):
        assert option in message
    store.clear()
    assert files_at(out).names() == []
    sweep.run(STUDY, out=out)
    store.rule = lambda asked: fault if asked.conditional else None
    assert open_result(out).complete


FAULTS = {
    "permission denied (AccessDenied)": Fault(403, "AccessDenied"),
    "permission denied (SignatureDoesNotMatch)": Fault(403, "SignatureDoesNotMatch"),
    "another region; set AWS_REGION": Fault(301, "PermanentRedirect"),
    "AWS_REGION": Fault(400, "AuthorizationHeaderMalformed"),
    "no such bucket": Fault(404, "NoSuchBucket"),
    "the store answered 503 Service Unavailable": Fault(503, "SlowDown"),
    "the connection broke, repeatedly": Fault(0),
}


@pytest.mark.parametrize("words", FAULTS)
def test_what_stores_refuse(
    store: ObjectStore, objects: ObjectFiles, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """Every operation reports a refusal of the store in one sentence."""
    monkeypatch.setattr(requests, "_PATIENCE", 0.1)
    store.rule = lambda asked: None if asked.method == "HEAD" else FAULTS[words]
    for call in (
        objects.make,
        lambda: objects.read("a"),
        lambda: objects.write("a", b""),
        lambda: objects.create("a", b""),
        lambda: objects.remove("a"),
        lambda: objects.names("a"),
        lambda: objects.has_folder("a"),
        lambda: objects.has("a"),
    ):
        message = refusal(call)
        assert objects.place in message
        assert words in message

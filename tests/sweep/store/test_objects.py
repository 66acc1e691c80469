"""Files of object stores do what files of folders do, and say in one sentence what cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

import sweep
from sweep import StoreError, open_result
from sweep.store import requests
from sweep.store.files import Files
from sweep.store.local import LocalFiles
from sweep.store.location import files_at
from sweep.store.objects import ObjectFiles
from tests.sweep.in_parts import run_in_parts
from tests.sweep.object_store import Fault, ObjectStore
from tests.sweep.support import make_study

pytestmark = pytest.mark.slow

STUDY = make_study(count=3, name="mine")


@pytest.fixture
def objects(out: str) -> ObjectFiles:
    """Return the files of an empty prefix."""
    files = files_at(out)
    assert isinstance(files, ObjectFiles)
    return files


@pytest.fixture(params=["folder", "objects"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    """Return the files of a new place, of either kind, with its folders."""
    made: Files = LocalFiles(tmp_path / "r") if request.param == "folder" else request.getfixturevalue("objects")
    made.make()
    for name in ("parts", "commits"):
        made.make_folder(name)
    return made


def refusal(call: Callable[[], object]) -> str:
    """Return the one sentence that an error says."""
    with pytest.raises(StoreError) as caught:
        call()
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 300
    assert "never shown" not in message
    return message


def test_write_read_replace_and_remove(files: Files) -> None:
    """What is written is read, until it is replaced or removed."""
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


def test_what_is_there(files: Files) -> None:
    """Names and folders are those of what was written, and nothing is there before."""
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


def test_read_what_is_not_there(files: Files) -> None:
    """A sentence says which file cannot be read."""
    told = refusal(lambda: files.read("parts/a"))
    assert told.startswith(f"'{files.place}/parts/a' cannot be read: ")


def test_create(files: Files) -> None:
    """The first counts, and stays; whoever comes second is told so."""
    assert files.create("commits/a", b"one")
    assert not files.create("commits/a", b"two")
    assert files.read("commits/a") == b"one"
    files.remove("commits/a")
    assert files.create("commits/a", b"two")


def test_many_create_at_once(files: Files) -> None:
    """Exactly one of eight wins, each time, and its content is there."""
    barrier = Barrier(8)

    def create(round_: int, k: int) -> bool:
        barrier.wait()
        return files.create(f"commits/{round_}", b"%d" % k)

    with ThreadPoolExecutor(8) as pool:
        for round_ in range(5):
            won = list(pool.map(create, [round_] * 8, range(8)))
            assert sum(won) == 1
            assert files.read(f"commits/{round_}") == b"%d" % won.index(True)


def test_create_again_what_is_its_own(objects: ObjectFiles) -> None:
    """An upload whose answer was lost meets its own object when it is made again."""
    assert objects.create("commits/a", b"one")
    assert objects.create("commits/a", b"one")


@pytest.mark.parametrize("status", [500, 503, 429, 0])
@pytest.mark.parametrize("effect", [False, True])
def test_create_with_lost_answers(store: ObjectStore, objects: ObjectFiles, status: int, effect: bool) -> None:
    """Whether the upload took place or not, it is there in the end and counts as this one."""
    store.rule = lambda asked: Fault(status, effect=effect) if asked.count <= 2 else None
    assert objects.create("commits/a", b"one")
    assert objects.read("commits/a") == b"one"
    assert not objects.create("commits/a", b"two")


@pytest.mark.parametrize("effect", [False, True])
def test_create_without_an_answer(
    store: ObjectStore, objects: ObjectFiles, monkeypatch: pytest.MonkeyPatch, effect: bool
) -> None:
    """A store that is silent is asked again after the time-out that obstore reads from the environment."""
    monkeypatch.setenv("AWS_TIMEOUT", "300ms")
    store.rule = lambda asked: Fault(effect=effect, pause=1.0) if asked.count == 1 and asked.conditional else None
    assert files_at(objects.place).create("commits/a", b"one")
    assert objects.read("commits/a") == b"one"


def test_create_amid_conflicts(store: ObjectStore, objects: ObjectFiles) -> None:
    """S3 answers 409 while another upload of the same name is under way; that may fail, so it is tried again."""
    store.rule = lambda asked: (
        Fault(409, "ConditionalRequestConflict") if asked.conditional and asked.count < 4 else None
    )
    assert objects.create("commits/a", b"one")


def test_long_lists(store: ObjectStore, objects: ObjectFiles) -> None:
    """Stores list a thousand names with each answer, and remove as many with each request."""
    names = [f"commits/{k:07d}.json" for k in range(1005)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: objects.write(name, b""), names))
    assert sorted(objects.names("commits")) == [name.removeprefix("commits/") for name in names]
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
    """Where one request does not remove many, a run leaves nothing behind, and --overwrite removes what is ours."""
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
    assert [asked.method for asked in store.asked].count("POST") == asked  # it is known by now


def test_objects_that_cannot_be_removed(
    store: ObjectStore, objects: ObjectFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence says why, also where each is removed by a request of its own."""
    monkeypatch.setattr(requests, "_PATIENCE", 0.1)
    faults = {"denied": Fault(403, "AccessDenied"), "answered 503": Fault(503, "SlowDown"), "broke": Fault(0)}
    for words, fault in faults.items():
        answers = {"POST": Fault(501, "NotImplemented"), "DELETE": fault}
        store.rule = lambda asked, answers=answers: answers.get(asked.method)
        told = refusal(lambda: objects.remove("a", "b"))
        assert f"{objects.place}/a' cannot be removed: " in told
        assert words in told


def test_empty_objects_for_folders_are_no_files(store: ObjectStore, objects: ObjectFiles) -> None:
    """Web pages of stores make such when one clicks 'new folder'."""
    store.put(f"{objects.prefix}/")
    store.put(f"{objects.prefix}/commits/")
    assert objects.names() == ["commits"]
    assert objects.names("commits") == []
    assert not objects.has_folder("commits")
    assert sweep.run(STUDY, out=objects.place).complete


@pytest.mark.parametrize("code", [None, "NotImplemented"])
def test_stores_that_cannot_upload_on_condition(store: ObjectStore, out: str, code: str | None) -> None:
    """They are refused before anything is trusted, and nothing is left there; what they hold can be read."""
    fault = Fault(501, code) if code else Fault(unconditional=True)
    store.rule = lambda asked: fault if asked.conditional else None
    told = refusal(lambda: sweep.run(STUDY, out=out))
    for option in (out, "If-None-Match", "--out"):
        assert option in told
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
    "the connection broke, again and again": Fault(0),
}


@pytest.mark.parametrize("words", FAULTS)
def test_what_stores_refuse(
    store: ObjectStore, objects: ObjectFiles, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """Each refusal is told in a sentence, by whatever is asked."""
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
        told = refusal(call)
        assert objects.place in told
        assert words in told

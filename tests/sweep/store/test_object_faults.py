"""Requests that fail, and processes that are killed during requests: studies in an object store lose nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

import sweep
from sweep import StoreError
from sweep.store import requests
from sweep.store.location import files_at
from tests.sweep.object_store import Asked, Fault, ObjectStore
from tests.sweep.store.test_object_studies import N_PARTS, PART_RUNS, STUDY, assert_whole, digest
from tests.sweep.support import training_watched

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def expected() -> str:
    """Return the digest of the study."""
    return str(sweep.run(STUDY).facts["digest"])


def uploads(where: str) -> Callable[[Asked], bool]:
    """Return a predicate that selects uploads of files of a folder."""
    return lambda asked: asked.method == "PUT" and f"/{where}/" in asked.path


@pytest.mark.parametrize(
    ("status", "effect"),
    [
        (500, True),
        (503, False),
        *(pytest.param(*each, marks=pytest.mark.soak) for each in ((500, False), (503, True), (0, False), (0, True))),
    ],
)
def test_every_request_fails_once(store: ObjectStore, out: str, expected: str, status: int, effect: bool) -> None:
    """A failed request is repeated, whether it took effect or not, and each run is present once."""
    store.rule = lambda asked: Fault(status, "SlowDown", effect) if asked.count == 1 else None
    assert digest(out) == expected
    store.clear()
    assert_whole(out, expected)


@pytest.mark.parametrize(
    ("folder", "effect"),
    [
        ("parts", False),
        ("commits", True),
        *(pytest.param(*each, marks=pytest.mark.soak) for each in (("parts", True), ("commits", False))),
    ],
)
def test_a_store_that_fails_for_long(
    store: ObjectStore, out: str, expected: str, monkeypatch: pytest.MonkeyPatch, folder: str, effect: bool
) -> None:
    """The run ends with one sentence, and the next one continues."""
    monkeypatch.setattr(requests, "_PATIENCE", 0.3)
    chosen, done = uploads(folder), []
    store.rule = lambda asked: Fault(effect=effect) if chosen(asked) and (done.append(asked) or len(done) > 4) else None
    with pytest.raises(StoreError) as caught:
        digest(out, threads=1)
    message = str(caught.value)
    assert message.startswith(f"'{out}/{folder}/")
    for words in ("' cannot be written: the store answered 500 Internal", "repeatedly for 0 seconds"):
        assert words in message
    store.clear()
    with training_watched() as trained:
        assert digest(out) == expected
    committed = 5 if folder == "commits" and effect else 4
    assert len(trained) == N_PARTS - committed
    assert_whole(out, expected, leftovers=len(files_at(out).names("parts")) - N_PARTS)


@pytest.mark.parametrize(
    ("folder", "effect"),
    [
        ("parts", False),
        ("commits", True),
        pytest.param("parts", True, marks=pytest.mark.soak),
        pytest.param("commits", False, marks=pytest.mark.soak),
    ],
)
def test_killed_amid_an_upload(
    store: ObjectStore, out: str, expected: str, tmp_path: Path, folder: str, effect: bool
) -> None:
    """No commit is lost, whether the upload took effect or not."""
    here, chosen, done = Event(), uploads(folder), []
    store.rule = lambda asked: (
        Fault(hold=here, effect=effect) if chosen(asked) and (done.append(asked) or len(done) == 3) else None
    )
    code = (
        "from tests.sweep.in_parts import run_in_parts; from tests.sweep.store.test_object_studies import STUDY;"
        f"run_in_parts(STUDY, {out!r}, 1, part_runs={PART_RUNS})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert here.wait(60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    store.clear()
    with training_watched() as trained:
        assert digest(out) == expected
    assert len(trained) == N_PARTS - (3 if folder == "commits" and effect else 2)
    assert_whole(out, expected, leftovers=int((folder == "parts" and effect) or (folder == "commits" and not effect)))

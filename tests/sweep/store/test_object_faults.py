"""Requests that fail, and processes that are killed during requests: studies in an object store lose nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import NamedTuple

import pandas as pd
import pytest

import sweep
from sweep import StoreError, Study, open_result
from sweep.store import requests
from tests.sweep.fault_lab import RECORDED
from tests.sweep.object_store import Asked, Fault, ObjectStore
from tests.sweep.store.test_object_studies import N_PARTS, PART_RUNS, STUDY, assert_whole, digest
from tests.sweep.support import training_watched
from tests.waiting import LONG

pytestmark = pytest.mark.wide

ROOT = Path(__file__).parents[3]


def check_finished(out: str, study: Study) -> None:
    """Require that the same call completes the study correctly, with its learning curves, if it records any."""
    memory = sweep.run(study)
    assert digest(out, study) == memory.facts["digest"]
    if study.record.curves:
        pd.testing.assert_frame_equal(open_result(out).learning_curves(), memory.learning_curves())
    assert sweep.verify(out, sample=-1).intact


@pytest.mark.parametrize(
    ("study", "status", "effect"),
    [
        (STUDY, 500, True),
        (RECORDED, 503, True),
        (RECORDED, 503, False),
        *(
            pytest.param(study, status, effect, marks=pytest.mark.soak)
            for study in (STUDY, RECORDED)
            for status in (500, 503, 0)
            for effect in (False, True)
        ),
    ],
)
def test_every_request_fails_once(store: ObjectStore, out: str, study: Study, status: int, effect: bool) -> None:
    """A failed request is repeated, whether it took effect or not, and each run is present once."""
    store.rule = lambda asked: Fault(status, "SlowDown", effect) if asked.count == 1 else None
    digest(out, study)
    store.clear()
    check_finished(out, study)


class Upload(NamedTuple):
    """Uploads that fail: a text in their paths, how many succeed before, and whether conditional ones count."""

    path: str
    before: int = 0
    conditional: bool = True

    def fails(self, asked: Asked, done: list[Asked]) -> bool:
        """Return whether an upload is one of them; count it."""
        if asked.method != "PUT" or self.path not in asked.path or (asked.conditional and not self.conditional):
            return False
        done.append(asked)
        return len(done) > self.before


PART = Upload("/parts/", 4)
COMMIT = Upload("/commits/", 4)
CURVES, CELLS, FACTS = (
    Upload(f"/{name}", conditional=False) for name in ("curves.parquet", "cells.parquet", "run.json")
)


@pytest.mark.parametrize(
    ("study", "upload", "effect"),
    [
        (STUDY, PART, False),
        (STUDY, COMMIT, True),
        *((RECORDED, upload, True) for upload in (CURVES, CELLS, FACTS)),
        *(pytest.param(STUDY, *each, marks=pytest.mark.soak) for each in ((PART, True), (COMMIT, False))),
        *(pytest.param(RECORDED, upload, False, marks=pytest.mark.soak) for upload in (CURVES, CELLS, FACTS)),
    ],
)
def test_a_store_that_fails_for_long(
    store: ObjectStore, out: str, monkeypatch: pytest.MonkeyPatch, study: Study, upload: Upload, effect: bool
) -> None:
    """The run ends with one sentence that names the file, and the next one continues."""
    monkeypatch.setattr(requests, "_PATIENCE", 0.3)
    done: list[Asked] = []
    store.rule = lambda asked: Fault(500, effect=effect) if upload.fails(asked, done) else None
    with pytest.raises(StoreError) as caught:
        digest(out, study, threads=1)
    message = str(caught.value)
    assert message.startswith(f"'{out}{upload.path}")
    for words in ("' cannot be written: the store answered 500 Internal", "repeatedly for 0 seconds"):
        assert words in message
    store.clear()
    if upload is not FACTS or not effect:
        with pytest.raises(StoreError, match="not complete"):
            open_result(out)
    with training_watched() as trained:
        digest(out, study)
    if upload.before:
        assert len(trained) == N_PARTS - (5 if upload is COMMIT and effect else 4)
    check_finished(out, study)


@pytest.mark.parametrize(
    ("folder", "effect"),
    [
        ("parts", False),
        ("commits", True),
        pytest.param("parts", True, marks=pytest.mark.soak),
        pytest.param("commits", False, marks=pytest.mark.soak),
    ],
)
def test_killed_amid_an_upload(store: ObjectStore, out: str, folder: str, effect: bool) -> None:
    """No commit is lost, whether the upload took effect or not."""
    here, upload, done = Event(), Upload(f"/{folder}/", 2), list[Asked]()
    store.rule = lambda asked: Fault(hold=here, effect=effect) if upload.fails(asked, done) and len(done) == 3 else None
    code = (
        "from tests.sweep.in_parts import run_in_parts; from tests.sweep.store.test_object_studies import STUDY;"
        f"run_in_parts(STUDY, {out!r}, 1, part_runs={PART_RUNS})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert here.wait(LONG)
    process.send_signal(signal.SIGKILL)
    process.wait()
    store.clear()
    expected = str(sweep.run(STUDY).facts["digest"])
    with training_watched() as trained:
        assert digest(out) == expected
    assert len(trained) == N_PARTS - (3 if folder == "commits" and effect else 2)
    assert_whole(out, expected, leftovers=int((folder == "parts" and effect) or (folder == "commits" and not effect)))

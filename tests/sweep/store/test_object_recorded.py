"""Requests for curves, cells and facts fail or race: nothing is left incomplete."""

from __future__ import annotations

import threading

import pandas as pd
import pytest

import sweep
from sweep import StoreError
from sweep.store import requests
from tests.sweep.fault_lab import RECORDED
from tests.sweep.object_store import Asked, Fault, ObjectStore

FILES = ("curves.parquet", "cells.parquet", "run.json")


def check_whole(out: str) -> None:
    """Require the rows and curves of a run in memory."""
    expected, found = sweep.run(RECORDED), sweep.run(RECORDED, out)
    assert found.facts["digest"] == expected.facts["digest"]
    pd.testing.assert_frame_equal(sweep.open_result(out).learning_curves(), expected.learning_curves())
    assert sweep.verify(out, sample=-1).intact


@pytest.mark.parametrize(
    ("status", "effect"),
    [(503, True), *(pytest.param(*each, marks=pytest.mark.soak) for each in ((500, False), (500, True), (0, True)))],
)
def test_every_request_fails_once(store: ObjectStore, out: str, status: int, effect: bool) -> None:
    """A failed request is repeated, whether it took effect or not."""
    store.rule = lambda asked: Fault(status, "SlowDown", effect) if asked.count == 1 else None
    check_whole(out)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("effect", [True, pytest.param(False, marks=pytest.mark.soak)])
def test_a_store_that_fails_for_long(
    store: ObjectStore, out: str, monkeypatch: pytest.MonkeyPatch, name: str, effect: bool
) -> None:
    """The error names the file, the result stays partial, and the same call completes it."""
    monkeypatch.setattr(requests, "_PATIENCE", 0.1)

    def rule(asked: Asked) -> Fault | None:
        late = asked.method == "PUT" and asked.path.endswith(f"/{name}") and not asked.conditional
        return Fault(503, "SlowDown", effect) if late else None

    store.rule = rule
    with pytest.raises(StoreError, match=rf"^'{out}/{name}' cannot be written: the store answered 503"):
        sweep.run(RECORDED, out, threads=1)
    store.clear()
    if name != "run.json" or not effect:
        with pytest.raises(StoreError, match="not complete"):
            sweep.open_result(out)
    check_whole(out)


def test_runs_that_finish_at_once(store: ObjectStore, out: str) -> None:
    """All calls write curves, cells and facts, and each returns the same result."""
    together, digests = threading.Barrier(4), []

    def call() -> None:
        together.wait()
        digests.append(sweep.run(RECORDED, out, threads=1).facts["digest"])

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert digests == [sweep.run(RECORDED).facts["digest"]] * 4
    check_whole(out)

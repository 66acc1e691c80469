"""Ctrl-C while an object store is unreachable ends a run within seconds, and finished parts are kept."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

import sweep
from sweep.store.requests import Waits
from tests.kernels.support import some_compiled
from tests.sweep.object_store import Asked, Fault, ObjectStore
from tests.sweep.store.test_object_studies import PART_RUNS, STUDY, digest
from tests.sweep.support import write_study
from tests.waiting import LONG

pytestmark = pytest.mark.wide

ROOT = Path(__file__).parents[3]
# The command with small parts, so that a run is under way when the store goes, which waits for it for weeks.
CODE = f"""
import sys
from functools import partial
from sweep.training import run as training
from sweep.__main__ import run_command
from tests.sweep.in_parts import run_in_parts
from sweep.store import requests
requests._PATIENCE = 1e6
training.run = partial(run_in_parts, part_runs={PART_RUNS})
sys.argv[0] = "sweep"
run_command()
"""
MOMENTS: dict[str, Callable[[Asked], bool]] = {
    "before it begins": lambda asked: True,
    "during the parts": lambda asked: asked.method == "PUT" and "/parts/" in asked.path,
    "during the commits": lambda asked: asked.method == "PUT" and "/commits/" in asked.path,
}


@pytest.mark.parametrize(
    ("moment", "silent"),
    some_compiled(
        itertools.product(MOMENTS, (False, True)),
        {("during the parts", True), ("during the commits", False)}.__contains__,
    ),
)
def test_one_interrupt_while_the_store_is_away(
    store: ObjectStore, out: str, tmp_path: Path, moment: str, silent: bool
) -> None:
    """Neither failing requests nor requests without an answer delay the end."""
    begin, waits, seen, failed = MOMENTS[moment], Event(), [], []

    def rule(asked: Asked) -> Fault | None:
        if begin(asked):
            seen.append(asked)
        if not failed and len(seen) < 3:
            return None
        failed.append(asked)
        if silent or len(failed) > 4:  # of two threads, each has repeated a request: the next pause takes longer
            waits.set()
        return Fault(hold=Event(), effect=True) if silent else Fault(503, "SlowDown")

    store.rule = rule
    options = ["run", str(write_study(tmp_path / "mine.toml", STUDY)), "--out", out, "--threads", "2"]
    environment = os.environ | {"AWS_TIMEOUT": "10h"}
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, *options], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    assert waits.wait(LONG)
    process.send_signal(signal.SIGINT)
    try:
        _, errors = process.communicate(timeout=LONG)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert f"interrupted; finished parts are kept in {out}" in errors
    store.clear()
    assert digest(out) == sweep.run(STUDY).facts["digest"]


def test_a_request_that_comes_through_after_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a run is to end, a request has some more seconds; its answer or error still counts."""
    monkeypatch.setattr("sweep.store.requests._LAST_SECONDS", LONG)

    def ended() -> None:
        raise KeyboardInterrupt

    def slow(error: BaseException | None) -> str:
        time.sleep(0.3)
        if error:
            raise error
        return "answer"

    assert Waits(ended).answer(lambda: slow(None)) == "answer"
    with pytest.raises(OSError, match="away"):
        Waits(ended).answer(lambda: slow(OSError("away")))


def test_a_request_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exception that ends the run is raised after these seconds, during a request or a pause."""
    now, over, checks = [0.0], Event(), []
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=lambda seconds: None)
    monkeypatch.setattr("sweep.store.requests.time", clock)
    monkeypatch.setattr("sweep.store.requests._LAST_SECONDS", 3.0)

    def ended() -> None:
        now[0] += 1.0
        checks.append(now[0])
        if len(checks) > 3:
            raise KeyboardInterrupt

    for wait in (lambda waits: waits.answer(over.wait), lambda waits: waits.pause(60.0)):
        checks.clear()
        with pytest.raises(KeyboardInterrupt):
            wait(Waits(ended))
        assert len(checks) == 4 + 3
    over.set()

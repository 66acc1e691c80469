"""Child processes of one that has trained: the same digest, however they are started, or one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import sweep
from tests.sweep.caches import ROOT
from tests.sweep.object_store import ObjectStore
from tests.sweep.support import make_study, write_study
from tests.waiting import LONG

# A user's script: the parent trains a study, then a child trains another one and reports the outcome.
PROGRAM = """
import faulthandler, multiprocessing, sys
import sweep

def train(file, out, cluster):
    try:
        return sweep.run(file, out, cluster=cluster).facts["digest"]
    except sweep.SweepError as error:
        return str(error)

def child(answers, *given):
    faulthandler.dump_traceback_later(500, exit=True)
    answers.send(train(*given))

if __name__ == "__main__":
    method, daemon, mine, other, place, clusters = sys.argv[1:]
    clusters = [each or None for each in clusters.split(",")]
    train(mine, place and place + "/mine", clusters[0])
    context = multiprocessing.get_context(method)
    answer, answers = context.Pipe(duplex=False)
    given = answers, other, (place and place + "/other") or None, clusters[1]
    process = context.Process(target=child, args=given, daemon=daemon == "daemon")
    process.start()
    print(answer.recv() if answer.poll(600) else "hangs")
    process.join(10)
"""
MINE, OTHER = make_study(count=3, hidden=2), make_study(count=3, hidden=3, curves={"seeds": 1})
FORKED = "hangs in a process forked from one that has used it; start this process with the method 'spawn'"


def outcome_of_child(folder: Path, method: str, place: str = "", clusters: str = ",", daemon: str = "daemon") -> str:
    """Return the outcome that the child reports."""
    (script := folder / "script.py").write_text(PROGRAM)
    files = [write_study(folder / f"{name}.toml", study) for name, study in (("mine", MINE), ("other", OTHER))]
    options = [sys.executable, "-W", "ignore::DeprecationWarning", script, method, daemon, *files, place, clusters]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(options, capture_output=True, text=True, check=False, env=environment, timeout=2 * LONG)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1, done
    return done.stdout.strip()


@pytest.mark.parametrize(
    "method", ["fork", *(pytest.param(each, marks=pytest.mark.soak) for each in ("spawn", "forkserver"))]
)
def test_daemons_train(tmp_path: Path, method: str) -> None:
    """A daemon, which must not have children, trains after its parent, also learning curves."""
    outcome = outcome_of_child(tmp_path, method, str(tmp_path / "r"))
    assert outcome == sweep.run(OTHER).facts["digest"] == sweep.open_result(tmp_path / "r" / "other").facts["digest"]


@pytest.mark.wide
def test_forks_and_object_stores(tmp_path: Path, out: str, store: ObjectStore) -> None:
    """A fork lacks the threads of the store's client, so it is refused."""
    outcome = outcome_of_child(tmp_path, "fork", out)
    assert outcome.startswith(f"'{out}/other' cannot be written: obstore {FORKED}")


@pytest.mark.soak
def test_children_and_object_stores(tmp_path: Path, out: str, store: ObjectStore) -> None:
    """A spawned child creates its own client, as the error recommends."""
    assert outcome_of_child(tmp_path, "spawn", out) == sweep.run(OTHER).facts["digest"]


@pytest.mark.soak
def test_daemons_and_clusters(tmp_path: Path) -> None:
    """A daemon must not start the processes of a local cluster, so it is refused."""
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    outcome = outcome_of_child(tmp_path, "fork", str(tmp_path / "r"), ",local:1")
    assert outcome.startswith("cluster 'local:1' cannot be started in a daemonic process of multiprocessing")


@pytest.mark.soak
def test_forks_and_clusters(tmp_path: Path) -> None:
    """A fork lacks the threads of dask, so it is refused."""
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    outcome = outcome_of_child(tmp_path, "fork", str(tmp_path / "r"), "local:1,local:1", "child")
    assert outcome.startswith(f"cluster 'local:1' cannot be reached: dask.distributed {FORKED}")

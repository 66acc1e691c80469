"""Studies on a dask cluster: the same results as with threads, and what is refused."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

import sweep
from sweep import StoreError, StudyError, SweepError, open_result
from sweep.store.bits import own_bits
from sweep.store.store import Store
from tests.sweep.cluster_faults import faults
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import assert_refused, assert_same_table, command, make_study, write_study

pytest.importorskip("distributed", reason="the extra cluster is not installed")
import psutil
from distributed import Client, LocalCluster

import sweep.training.executors.cluster
import sweep.training.run  # before a test changes state that this process and its worker share

pytestmark = pytest.mark.wide

STUDY = make_study(count=100, name="cluster")
PART_RUNS = 16
PAGES = ("health", "metrics", "json/counts.json", "info/main/workers.html", "info/call-stacks/x.html", "status")


@contextmanager
def cluster_of(n_workers: int, n_threads: int, **settings: Any) -> Iterator[LocalCluster]:
    """Start a cluster as users do: a scheduler with an address."""
    settings = {"processes": True, "memory_limit": 0, "silence_logs": 50, "dashboard_address": None, **settings}
    http = {"dashboard_address": "127.0.0.1:0"}
    with LocalCluster(n_workers=n_workers, threads_per_worker=n_threads, scheduler_kwargs=http, **settings) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Return the address of a scheduler with a worker of two threads, in this process for coverage."""
    with cluster_of(1, 2, processes=False, protocol="tcp") as started:
        yield started.scheduler_address


@pytest.fixture
def no_traces(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Require that a run leaves no process, folder or variable behind."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    before, variables = set(psutil.Process().children(recursive=True)), dict(os.environ)
    variables.pop("PYTEST_CURRENT_TEST", None)
    yield
    left = [each for each in psutil.Process().children(recursive=True) if each not in before]
    assert [each for each in left if "resource_tracker" not in " ".join(each.cmdline())] == []
    assert list(folder.iterdir()) == []
    assert {name: value for name, value in os.environ.items() if name in variables} == variables
    assert set(os.environ) - set(variables) <= {"PYTEST_CURRENT_TEST", "__DASK_PARENT_PID"}  # the last by its import


def test_learning_curves_are_those_of_threads(tmp_path: Path, cluster: str) -> None:
    """The process that sends parts records curves, once all parts are committed."""
    study = make_study(count=20, curves={"seeds": 3})
    result = run_in_parts(study, tmp_path / "r", cluster=cluster, part_runs=PART_RUNS)
    assert_same_table(result.learning_curves(), sweep.run(study).learning_curves())


@pytest.mark.parametrize(("keep", "dtype"), [("runs", "float64"), ("cells", "float64"), ("runs", "float32")])
def test_digest_is_that_of_threads(tmp_path: Path, cluster: str, keep: Any, dtype: str) -> None:
    """Rows, cells and digest do not depend on who trains."""
    study = make_study(count=100, dtype=dtype)
    expected = run_in_parts(study, keep=keep, part_runs=PART_RUNS)
    result = run_in_parts(study, tmp_path / "r", keep=keep, cluster=cluster, part_runs=PART_RUNS)
    assert result.facts["digest"] == expected.facts["digest"]
    assert result.facts["threads"] == 2
    assert_same_table(result.cells, expected.cells)
    assert len({commit.session for commit in Store.open(tmp_path / "r").commits().values()}) == 1


def test_rounds_and_rows_that_are_reused(tmp_path: Path, cluster: str) -> None:
    """Workers train the open cells of each round, and reuse rows of earlier results."""
    study = make_study(count=160, threshold=0.05, max_steps=200, until={"width": 0.15, "first": 10})
    expected = sweep.run(study)
    assert expected.facts["n_runs"] < study.n_runs
    result = run_in_parts(study, tmp_path / "r", cluster=cluster, part_runs=PART_RUNS)
    assert result.facts["digest"] == expected.facts["digest"]
    more = make_study(count=170, threshold=0.05, max_steps=200)
    grown = run_in_parts(more, tmp_path / "more", cluster=cluster, reuse=[tmp_path / "r"], part_runs=PART_RUNS)
    assert grown.facts["digest"] == sweep.run(more).facts["digest"]


def test_what_is_reused_may_change_between_calls(tmp_path: Path, cluster: str) -> None:
    """Workers read earlier results again in each call, since these may have changed."""
    study, out = make_study(count=60), tmp_path / "r"
    for count in (20, 40):
        run_in_parts(
            make_study(count=count), tmp_path / "earlier", overwrite=True, part_runs=4
        )  # more parts than are held
        shutil.rmtree(out, ignore_errors=True)
        result = run_in_parts(study, out, cluster=cluster, reuse=[tmp_path / "earlier"], part_runs=PART_RUNS)
        assert result.facts["digest"] == sweep.run(study).facts["digest"]


def listening() -> set[Any]:
    """Return the addresses at which this process and its children listen."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return {port.laddr for each in processes for port in each.net_connections("inet") if port.status == "LISTEN"}


def serves(port: int, page: str) -> bool:
    """Return whether this machine serves such a page to everybody."""
    with suppress(OSError, HTTPException):
        return bool(urlopen(f"http://127.0.0.1:{port}/{page}", timeout=5).status == 200)
    return False


@pytest.mark.parametrize("n_workers", [2, *(pytest.param(n, marks=pytest.mark.soak) for n in (1, 4))])
def test_processes_of_this_machine(
    tmp_path: Path, no_traces: None, n_workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--cluster local:N` starts N processes and ends them; only this machine can reach them."""
    file, before, ports = write_study(tmp_path / "cluster.toml", STUDY), listening(), set()
    add, shown = sweep.results.aggregate.Aggregate.add, []

    def watched(*given: Any) -> None:
        found = listening() - before
        shown.extend(page for port in found - ports for page in PAGES if serves(port.port, page))
        ports.update(found)
        add(*given)

    monkeypatch.setattr(sweep.results.aggregate.Aggregate, "add", watched)
    finished = command("run", file, "--out", tmp_path / "r", "--cluster", f"local:{n_workers}")
    assert finished.code == 0, finished
    assert f"digest {sweep.run(STUDY).facts['digest']}" in finished.out
    assert ("  1 worker\n" if n_workers == 1 else f"  {n_workers} workers\n") in finished.err
    assert {port.ip for port in ports} == {"127.0.0.1"}
    assert len(ports) > n_workers
    assert shown == []
    assert "error" not in finished.err.lower()
    again = command("run", file, "--out", tmp_path / "r", "--cluster", "tcp://localhost:1")
    assert (again.code, "already finished" in again.err) == (0, True)  # without reaching for the cluster


def test_limits_hold_on_a_cluster(tmp_path: Path, cluster: str) -> None:
    """Each call trains up to its limit, and repeated calls complete the study."""
    out, seen = tmp_path / "r", []
    expected = sweep.run(STUDY).facts["digest"]
    for _ in range(20):
        result = run_in_parts(STUDY, out, cluster=cluster, part_runs=PART_RUNS, max_runs=100)
        seen.append(result.facts["n_runs"])
        if result.complete:
            break
        assert result.facts["limited"]
    assert seen == [112, 224, 336, 400]
    assert open_result(out).facts["digest"] == expected
    shard = run_in_parts(STUDY, tmp_path / "s", cluster=cluster, shard=(1, 2), part_runs=PART_RUNS)
    assert len(Store.open(tmp_path / "s").commits()) == 13
    assert not shard.complete
    short = run_in_parts(STUDY, tmp_path / "t", cluster=cluster, time_budget=1e-6, part_runs=PART_RUNS)
    assert short.facts["n_runs"] == PART_RUNS


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        ("full", StoreError, "disk of the worker is full"),
        pytest.param("memory", MemoryError, "no more memory for part", marks=pytest.mark.soak),
    ],
)
def test_errors_of_workers_keep_type_and_message(
    tmp_path: Path, no_traces: None, error: str, kind: type[Exception], sentence: str
) -> None:
    """The first error of a worker ends the run; finished parts are kept."""
    with faults(FAULT_ERROR=error, FAULT_PART="12"), pytest.raises(kind, match=f"^{sentence}$"):
        run_in_parts(STUDY, tmp_path / "r", cluster="local:1", part_runs=PART_RUNS)
    assert 0 < len(Store.open(tmp_path / "r").commits()) < 25


def test_workers_that_do_not_fit(tmp_path: Path, cluster: str) -> None:
    """Another version, logarithm or plan, or a missing folder, is refused, and the error names the worker."""

    def refused(out: Path, options: str, **patched: Any) -> None:
        def patch(dask_worker: Any, undo: bool = False) -> None:
            for name, value in patched.items():
                owner: Any = sys.modules[{"own_bits": "sweep.store.bits", "files_at": "sweep.store.local"}[name]]
                if undo:
                    setattr(owner, name, owner.before)
                else:
                    owner.before = getattr(owner, name)
                    setattr(owner, name, value)

        with Client(cluster, set_as_default=False) as client:
            client.run(patch)
            try:
                with pytest.raises(StoreError, match=options) as caught:
                    run_in_parts(STUDY, out, cluster=cluster, part_runs=PART_RUNS)
            finally:
                client.run(patch, undo=True)
        assert str(caught.value).startswith("worker tcp://127.0.0.1:")
        assert "\n" not in str(caught.value)
        assert Store.open(out).commits() == {}

    others = [
        replace(own_bits(), **bits) for bits in ({"numerics_version": 0}, {"log_digest": "0"}, {"sources_digest": "0"})
    ]
    started = "were started with another version of the numerics"
    refused(tmp_path / "a", started, own_bits=lambda: others[0])
    refused(tmp_path / "b", r"on a machine whose log\(\) rounds differently", own_bits=lambda: others[1])
    refused(tmp_path / "d", "were started with other sources of sweep's kernels", own_bits=lambda: others[2])
    nowhere = sweep.store.local.files_at(tmp_path / "nowhere")
    refused(
        tmp_path / "c",
        "does not see results folder '.*c'; make it available to all workers",
        files_at=lambda place: nowhere,
    )


def test_worker_without_the_package(tmp_path: Path, cluster: str) -> None:
    """A worker without the package is refused before anything is sent to it."""

    def hide(hidden: bool) -> None:
        import sys

        name = "sweep.training.executors.remote"
        if hidden:
            sys.modules["kept"], sys.modules[name] = sys.modules.pop(name, None), None  # type: ignore[assignment]
        else:
            del sys.modules[name]
            if kept := sys.modules.pop("kept"):
                sys.modules[name] = kept

    with Client(cluster, set_as_default=False) as client:
        client.run(hide, True)
        try:
            with pytest.raises(SweepError, match=r"worker tcp://127.0.0.1:\d+ lacks a package .*; install"):
                run_in_parts(STUDY, tmp_path / "r", cluster=cluster, part_runs=PART_RUNS)
        finally:
            client.run(hide, False)


def test_requirements_of_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster needs a folder and the packages of the extra, and refuses ``threads``."""
    file = write_study(tmp_path / "cluster.toml", STUDY)
    with pytest.raises(StudyError, match=r"out: must be a results folder"):
        sweep.run(STUDY, cluster="local:2")
    run = ("run", file, "--out", tmp_path / "r", "--cluster")
    assert_refused(command(*run, "local:2", "--threads", 2), ("threads: must be omitted", "'local:2'", "got 2"))
    assert_refused(command(*run, "local:0"), ("'local:0'", "from 1 to 64"))
    assert_refused(command(*run, "somewhere"), ("'somewhere'", "tcp://HOST:PORT"))
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert_refused(command(*run, "local:2"), ("'local:2'", "pip install 'xor-sweep[cluster]'"))
    assert not (tmp_path / "r").exists()

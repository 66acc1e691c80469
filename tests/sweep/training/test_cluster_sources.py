"""Workers of a cluster that would train by other sources of kernels are refused, and say what is not the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sweep import StoreError
from sweep.store.store import Store
from tests.sweep.in_shards import run_in_shards
from tests.sweep.store.test_mixture import forget
from tests.sweep.support import make_study

pytest.importorskip("distributed", reason="the extra cluster is not installed")
from distributed import LocalCluster

ROOT = Path(__file__).parents[3]
STUDY = make_study(count=100, name="cluster", distribution="uniform")
SHARD_RUNS = 16


@contextmanager
def worker_of(folder: Path) -> Iterator[str]:
    """Start a scheduler, and a worker in a process of its own that looks for packages in a folder first."""
    command = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-nanny", "--nthreads", "1"]
    command += ["--no-dashboard", "--local-directory", str(folder / "scratch")]
    http = {"dashboard_address": "127.0.0.1:0"}
    with LocalCluster(
        n_workers=0, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=None, scheduler_kwargs=http
    ) as cluster:
        worker = subprocess.Popen(
            [*command, cluster.scheduler_address],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
            stderr=subprocess.DEVNULL,
        )
        try:
            yield cluster.scheduler_address
        finally:
            worker.kill()
            worker.wait()


@pytest.mark.wide
@pytest.mark.parametrize("changed", [False, True])
def test_one_line_is_changed(tmp_path: Path, changed: bool) -> None:
    """A worker whose kernels differ in a comment trains nothing, also for results that an older version began."""
    shutil.copytree(ROOT / "kernels", tmp_path / "kernels", ignore=shutil.ignore_patterns("__pycache__"))
    if changed:
        with (tmp_path / "kernels" / "step" / "update.py").open("a") as file:
            file.write("# Nothing else is changed.\n")
    begun, old = tmp_path / "begun", tmp_path / "old"
    for out in (begun, old):
        run_in_shards(STUDY, out, max_runs=1, shard_runs=SHARD_RUNS)
    forget(old)
    with worker_of(tmp_path) as address:
        for out, words in ((begun, "were begun by other sources of kernels"), (old, "the digest of the sources of")):
            if not changed:
                assert run_in_shards(STUDY, out, cluster=address, shard_runs=SHARD_RUNS).complete
                continue
            with pytest.raises(StoreError, match=f"^worker tcp://.* cannot take part: .*{words}") as caught:
                run_in_shards(STUDY, out, cluster=address, shard_runs=SHARD_RUNS)
            assert "\n" not in str(caught.value)
            assert len(Store.open(out).commits()) == 1

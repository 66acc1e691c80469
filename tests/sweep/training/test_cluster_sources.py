"""Workers of a cluster with other sources are refused, and the error names the difference."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import sweep
from sweep import StoreError
from sweep.store.store import Store
from tests.sweep.in_parts import run_in_parts
from tests.sweep.own import FILE, only_plugins
from tests.sweep.support import assert_same_table, make_study

pytest.importorskip("distributed", reason="the extra cluster is not installed")
from distributed import LocalCluster

pytestmark = pytest.mark.wide

ROOT = Path(__file__).parents[3]
STUDY = make_study(count=100, name="cluster", distribution="uniform")
PART_RUNS = 16


@contextmanager
def worker_of(folder: Path, *options: str) -> Iterator[str]:
    """Start a scheduler, and a worker process that looks for packages in a folder first."""
    command = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-nanny", "--nthreads", "1"]
    command += ["--no-dashboard", "--local-directory", str(folder / "scratch")]
    http = {"dashboard_address": "127.0.0.1:0"}
    with LocalCluster(
        n_workers=0, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=None, scheduler_kwargs=http
    ) as cluster:
        worker = subprocess.Popen(
            [*command, *options, cluster.scheduler_address],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
            stderr=subprocess.DEVNULL,
        )
        try:
            yield cluster.scheduler_address
        finally:
            worker.kill()
            worker.wait()


@pytest.mark.parametrize("changed", ["", "kernels/step/update.py", "sweep/measures/margin.py"])
def test_one_line_is_changed(tmp_path: Path, changed: str) -> None:
    """A worker whose sources differ in a comment trains nothing."""
    for package in ("kernels", "sweep"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    if changed:
        with (tmp_path / changed).open("a") as file:
            file.write("# Nothing else is changed.\n")
    out, of_kernels = tmp_path / "r", changed.startswith("kernels")
    run_in_parts(STUDY, out, max_runs=1, part_runs=PART_RUNS)
    with worker_of(tmp_path) as address:
        if not changed:
            assert run_in_parts(STUDY, out, cluster=address, part_runs=PART_RUNS).complete
            return
        reason = "with other sources of sweep's kernels" if of_kernels else "its sources of xor-sweep differ"
        with pytest.raises(StoreError, match=f"^worker tcp://.* cannot train: .*{reason}") as caught:
            run_in_parts(STUDY, out, cluster=address, part_runs=PART_RUNS)
    assert "\n" not in str(caught.value)
    assert len(Store.open(out).commits()) == 1


@pytest.mark.soak
def test_worker_with_another_component_of_this_name(tmp_path: Path) -> None:
    """The worker uses the source that the run sends, and its curves end like the rows."""
    (tmp_path / "other.py").write_text(FILE.read_text().replace("mu / (1.0 + mu)", "1.01 * mu / (1.0 + mu)"))
    preload = f"import sweep; sweep.load_plugin({str(tmp_path / 'other.py')!r})"
    curves = {"record.curves": {"seeds": 2}, "record.weights": "final"}
    with only_plugins(FILE):
        study = sweep.load_study(
            "xor", {"hidden": 2, "optimizer": "quickprop", "max_steps": 20, "seeds.count": 9, **curves}
        )
        expected = sweep.run(study)
        with worker_of(tmp_path, "--preload", preload) as address:
            found = run_in_parts(study, tmp_path / "r", cluster=address, part_runs=PART_RUNS)
    assert found.facts["digest"] == expected.facts["digest"]
    assert_same_table(found.learning_curves(), expected.learning_curves())

"""Loss of workers, of the scheduler or of the run: no trained part is lost."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import sweep
from sweep import SweepError
from sweep.store.store import Store
from tests.sweep.cluster_faults import faults
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import make_study, write_study
from tests.waiting import LONG, until

pytest.importorskip("distributed", reason="the extra cluster is not installed")
import dask
import psutil

pytestmark = pytest.mark.wide

ROOT = Path(sweep.__path__[0]).parent
STUDY = make_study(count=100, name="losses")
PART_RUNS = 16
N_PARTS = 25


@pytest.fixture(scope="module")
def expected() -> str:
    """Return the digest of the study."""
    return str(run_in_parts(STUDY, part_runs=PART_RUNS).facts["digest"])


def workers_of(process: psutil.Process) -> list[psutil.Process]:
    """Return the processes that train for a run."""
    return [each for each in process.children(recursive=True) if "spawn_main" in " ".join(each.cmdline())]


@contextmanager
def killing(times: int, folder: Path, training: Path, n_parts: int) -> Iterator[list[int]]:
    """Kill workers of this process one by one, at random moments while the first half of the parts is trained.

    Workers that train have noted their numbers in the folder ``training``.
    """
    draw, killed, ended = random.Random(times), [], threading.Event()

    def kill() -> None:
        for n_commits in sorted(draw.sample(range(1, n_parts // 2), times)):
            wait_for_commits(folder, n_commits, ended)
            ended.wait(draw.uniform(0, 0.1))
            while not ended.is_set():  # until there is a worker that is not just starting
                with suppress(psutil.Error, IndexError):
                    trains = [each for each in workers_of(psutil.Process()) if (training / str(each.pid)).exists()]
                    worker = draw.choice(trains)
                    worker.kill()
                    killed.append(worker.pid)
                    break
                time.sleep(0.01)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize(
    ("count", "kills"), [pytest.param(100, 2, id="few"), pytest.param(800, 20, id="many", marks=pytest.mark.soak)]
)
def test_workers_that_are_killed(tmp_path: Path, count: int, kills: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However workers are killed, each part is committed once, and the result is the same."""
    monkeypatch.setattr("sweep.training.executors.chunks._USUAL_SECONDS", 0.0)  # each part travels alone
    study = make_study(count=count, name="killed")
    n_parts = -(-count * 4 // PART_RUNS)
    (training := tmp_path / "training").mkdir()
    with (
        faults(FAULT_SECONDS="0.3", FAULT_NOTES=str(training)),
        killing(kills, tmp_path / "r", training, n_parts) as killed,
    ):
        result = run_in_parts(study, tmp_path / "r", cluster="local:2", part_runs=PART_RUNS)
    assert len(killed) == kills
    commits = Store.open(tmp_path / "r").commits()
    assert list(commits) == list(range(n_parts))
    assert result.facts["digest"] == run_in_parts(study, part_runs=PART_RUNS).facts["digest"]


@pytest.mark.soak
def test_parts_that_kill_workers(tmp_path: Path, expected: str) -> None:
    """The error names them once all other parts are trained; the same call can complete the result later."""
    with (
        faults(FAULT_KILLERS="12 13"),
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        pytest.raises(
            SweepError,
            match=r"^parts 12 to 13 of this study killed every worker.*, 1 in turn;.*run the same command again",
        ),
    ):
        run_in_parts(STUDY, tmp_path / "r", cluster="local:1", part_runs=PART_RUNS)
    assert sorted(Store.open(tmp_path / "r").commits()) == [k for k in range(N_PARTS) if k not in (12, 13)]
    result = run_in_parts(STUDY, tmp_path / "r", part_runs=PART_RUNS)
    assert result.facts["digest"] == expected


@contextmanager
def scheduler_with_worker(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Start a scheduler and, once its address is known, a worker, as `dask scheduler` and `dask worker` do."""
    file = tmp_path / "scheduler.json"
    options = [sys.executable, "-W", "ignore", "-m"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT}
    where = ["--host", "127.0.0.1", "--scheduler-file", str(file), "--no-dashboard"]
    local = ["--preload", "tests.sweep.cluster_faults", "--nthreads", "1", "--local-directory", str(tmp_path)]
    ports = ["--port", "0", "--dashboard-address", "127.0.0.1:0"]
    scheduler = [*options, "distributed.cli.dask_scheduler", *ports, *where]
    started = [subprocess.Popen(scheduler, **quiet)]  # type: ignore[call-overload]
    try:
        until(lambda: started[0].poll() is not None or (file.exists() and file.read_text().rstrip().endswith("}")))
        assert started[0].poll() is None
        started.append(subprocess.Popen([*options, "distributed.cli.dask_worker", *local, *where], **quiet))  # type: ignore[call-overload]
        yield json.loads(file.read_text())["address"], started
    finally:
        for each in started:
            each.kill()
            each.wait()


def wait_for_commits(folder: Path, n: int, ended: threading.Event | None = None) -> None:
    """Wait until ``n`` parts are committed, or the run has ended."""
    until(lambda: len(list(folder.glob("commits/*.json"))) >= n or (ended and ended.is_set()))


@pytest.mark.soak
def test_lost_scheduler(tmp_path: Path, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends in one sentence, and threads complete the study."""
    monkeypatch.setenv("FAULT_SECONDS", "0.1")
    out = tmp_path / "r"
    with scheduler_with_worker(tmp_path) as (address, started):

        def lose() -> None:
            wait_for_commits(out, 3)
            started[0].kill()

        thread = threading.Thread(target=lose)
        thread.start()
        with pytest.raises(SweepError, match=f"^cluster '{address}' was lost.*run the same command again to resume$"):
            run_in_parts(STUDY, out, cluster=address, part_runs=PART_RUNS)
        thread.join()
    assert 3 <= len(Store.open(out).commits()) < N_PARTS
    assert run_in_parts(STUDY, out, part_runs=PART_RUNS).facts["digest"] == expected


@contextmanager
def command_on_a_cluster(tmp_path: Path, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """Start a command whose worker takes ``seconds`` for each part, and wait for some commits."""
    file = write_study(tmp_path / "losses.toml", STUDY)
    code = (
        "from sweep.__main__ import main; from sweep.training import run as training; import functools\n"
        "from tests.sweep.in_parts import run_in_parts\n"
        f"training.run = functools.partial(run_in_parts, part_runs={PART_RUNS})\n"
        "if __name__ == '__main__': main()"
    )
    options = [sys.executable, "-W", "ignore", "-c", code, "run", str(file), "--out", str(tmp_path / "r")]
    (tmp_path / "temporary").mkdir()
    variables = {
        "DASK_DISTRIBUTED__WORKER__PRELOAD": '["tests.sweep.cluster_faults"]',
        "FAULT_SECONDS": str(seconds),
        "TMPDIR": str(tmp_path / "temporary"),
    }
    with subprocess.Popen(
        [*options, "--cluster", "local:1"],
        env=os.environ | variables,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # with a process group of its own, all of which a terminal interrupts
    ) as process:
        try:
            wait_for_commits(tmp_path / "r", 2)
            yield process
        finally:
            process.kill()


def assert_nobody_left(processes: list[psutil.Process]) -> None:
    """Require that processes end."""
    assert psutil.wait_procs(processes, timeout=LONG)[1] == []


@pytest.mark.soak
def test_first_interrupt_keeps_the_current_part(tmp_path: Path, expected: str) -> None:
    """Ctrl-C in a terminal ends a command with code 130, after the current part of its worker."""
    with command_on_a_cluster(tmp_path, seconds=0.5) as process:
        workers = workers_of(psutil.Process(process.pid))
        assert workers
        for worker in workers:
            worker.suspend()
        n_commits = len(list((tmp_path / "r/commits").glob("*.json")))
        os.killpg(process.pid, signal.SIGINT)
        for worker in workers:
            worker.resume()
        error = process.communicate(timeout=LONG)[1]
        assert process.returncode == 130, error
    assert "interrupted; finished parts are kept" in error
    assert "Traceback" not in error
    assert n_commits < len(Store.open(tmp_path / "r").commits()) <= n_commits + 2
    assert_nobody_left(workers)
    assert list((tmp_path / "temporary").iterdir()) == []
    assert len(list((tmp_path / "r/parts").iterdir())) == len(Store.open(tmp_path / "r").commits())
    result = run_in_parts(STUDY, tmp_path / "r", cluster="local:1", part_runs=PART_RUNS)
    assert result.facts["digest"] == expected


@pytest.mark.soak
def test_second_interrupt_does_not_wait(tmp_path: Path, expected: str) -> None:
    """A second Ctrl-C ends a command and its worker during a part that does not end."""
    with command_on_a_cluster(tmp_path, seconds=0.5) as process:
        workers = workers_of(psutil.Process(process.pid))
        for worker in workers:
            worker.suspend()
        os.killpg(process.pid, signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):  # a command waits for its worker, which is stopped
            process.wait(0.5)
        for _ in range(3):  # a slow process may take the first two for one
            os.killpg(process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(LONG / 20)
                break
        error = process.communicate(timeout=LONG)[1]
        assert process.returncode == 130, error
    assert_nobody_left(workers)
    assert run_in_parts(STUDY, tmp_path / "r", part_runs=PART_RUNS).facts["digest"] == expected


@pytest.mark.soak
def test_run_that_is_killed(tmp_path: Path, expected: str) -> None:
    """Workers end with the process that has started them."""
    with command_on_a_cluster(tmp_path, seconds=0.5) as process:
        workers = workers_of(psutil.Process(process.pid))
        process.kill()
        process.communicate(timeout=LONG)
    assert_nobody_left(workers)
    assert run_in_parts(STUDY, tmp_path / "r", part_runs=PART_RUNS).facts["digest"] == expected

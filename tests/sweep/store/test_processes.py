"""Real processes that race for a folder, are killed or interrupted: correct digests, or one sentence."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sweep
from sweep import Study, load_study, open_result
from sweep.schedule.plan import Plan
from tests.sweep.support import digest_of, parts_of, write_study

pytestmark = pytest.mark.slow

ROOT = Path(sweep.__path__[0]).parent

# Half a second of work for one thread, in many parts.
CHANGES = {"seeds.count": 20_000, "max_steps": 10_000, "learning_rate": 0.0003}
STUDIES = {scale: load_study("linear-seed", {**CHANGES, "scale": scale}) for scale in (1.0, 2.0)}


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    """Return the digest of each study by its identity; this also compiles the kernels."""
    return {study.identity: str(sweep.run(study).facts["digest"]) for study in STUDIES.values()}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Write the study files."""
    folder = tmp_path_factory.mktemp("studies")
    return [write_study(folder / f"{scale}.toml", study) for scale, study in STUDIES.items()]


def start(*options: str | Path) -> subprocess.Popen[str]:
    """Start a command in a new process."""
    return subprocess.Popen(
        [sys.executable, "-m", "sweep", *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
    )


def end(process: subprocess.Popen[str], seconds: float = 120) -> tuple[int, str, str]:
    """Wait for a process and return its exit code, output and errors; one that hangs fails the test."""
    try:
        out, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        pytest.fail(f"hangs: {process.args}")
    return process.returncode, out, errors


def assert_right_or_refused(ended: tuple[int, str, str], digest: str) -> bool:
    """Require that a process ended with this digest, or was refused in one sentence; return which."""
    code, out, errors = ended
    assert "Traceback" not in errors
    if code == 0:
        assert f"digest {digest}" in out.splitlines()
        return True
    assert (code, out) == (2, "")
    (line,) = [line for line in errors.splitlines() if "error: " in line]
    assert "another study" in line or "in use" in line or "has locked" in line
    return False


def assert_sound(folder: Path, expected: dict[str, str]) -> Study:
    """Require finished results with the correct digest, rows that have it, and no further files."""
    result = open_result(folder)
    assert digest_of(result.runs()) == result.facts["digest"] == expected[result.study.identity]
    assert len(list((folder / "commits").iterdir())) == len(parts_of(folder)) == len(list((folder / "parts").iterdir()))
    return result.study


def race(folder: Path, files: list[Path], expected: dict[str, str], seed: int, overwrite: bool) -> None:
    """Run two studies into one folder, one a little later."""
    choice = random.Random(seed)
    order = choice.sample(range(2), 2)
    options = ["--threads", "1", *(["--overwrite"] if overwrite else [])]
    processes = []
    for k in order:
        processes.append(start("run", files[k], "--out", folder, *options))
        time.sleep(choice.choice((0.0, 0.0, choice.uniform(0, 2.0))))
    digests = [expected[load_study(files[k]).identity] for k in order]
    finished = [
        assert_right_or_refused(end(process), digest) for process, digest in zip(processes, digests, strict=True)
    ]
    assert any(finished)
    last = assert_sound(folder, expected)
    if finished.count(True) == 1:
        assert last == load_study(files[order[finished.index(True)]])


@pytest.mark.parametrize(("seed", "overwrite"), [(1, False), (2, True)])
def test_two_studies_race_for_a_folder(
    tmp_path: Path, files: list[Path], expected: dict[str, str], seed: int, overwrite: bool
) -> None:
    """Each ends with its own digest, or is refused in one sentence while the other runs."""
    race(tmp_path / "r", files, expected, seed, overwrite)


@pytest.mark.soak
@pytest.mark.parametrize("overwrite", [False, True])
def test_two_studies_race_many_times(
    tmp_path: Path, files: list[Path], expected: dict[str, str], overwrite: bool
) -> None:
    """The same, twenty times into new folders and twenty times into a single one."""
    for seed in range(40):
        folder = tmp_path / (str(seed) if seed % 2 else "same")
        if not overwrite and folder.exists():
            shutil.rmtree(folder)
        race(folder, files, expected, seed, overwrite)


def attack(folder: Path, file: Path, expected: dict[str, str], seed: int, kills: int) -> None:
    """Kill processes that share one study at random moments, start others, and let the last ones finish."""
    choice = random.Random(seed)
    study = load_study(file)
    for _ in range(kills):
        processes = [start("run", file, "--out", folder, "--threads", "1") for _ in range(choice.choice((1, 2)))]
        deadline = time.monotonic() + 60
        some = len(list(folder.glob("commits/*.json")))
        while len(list(folder.glob("commits/*.json"))) == some and time.monotonic() < deadline:
            if any(process.poll() is not None for process in processes):
                break
            time.sleep(0.002)
        time.sleep(choice.uniform(0, 0.05))
        for process in processes:
            process.kill()
        for process in processes:
            end(process)
    last = [start("run", file, "--out", folder, "--threads", "1") for _ in range(2)]
    for process in last:
        assert assert_right_or_refused(end(process), expected[study.identity])
    assert end(start("run", file, "--out", folder))[0] == 0  # alone: it tidies up
    assert assert_sound(folder, expected) == study
    assert not list(folder.glob(".*"))


@pytest.mark.soak
def test_killed_processes(tmp_path: Path, files: list[Path], expected: dict[str, str]) -> None:
    """After kills at random moments, the same command ends with the correct digest and removes leftovers."""
    attack(tmp_path / "r", files[0], expected, seed=2, kills=1)


@pytest.mark.soak
def test_many_killed_processes(tmp_path: Path, files: list[Path], expected: dict[str, str]) -> None:
    """The same with fifty kills."""
    for seed in range(10):
        attack(tmp_path / str(seed), files[seed % 2], expected, seed, kills=5)


def interrupt(folder: Path, delays: list[float]) -> None:
    """Send SIGINT after each of these times to a process that trains for minutes; check how it ends."""
    process = start("run", "xor", "--set", "seeds.count=100_000", "--out", folder)
    for delay in delays:
        time.sleep(delay)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    code, _, errors = end(process, 60)
    if code == 1:  # Python itself was starting
        assert "KeyboardInterrupt" in errors
        assert str(ROOT / "sweep") not in errors
    elif code != -signal.SIGINT:  # as before the command line handles it
        assert code == 130
        assert "Traceback" not in errors
    facts = folder / "run.json"
    assert not facts.exists() or not json.loads(facts.read_text())["complete"]


def test_interrupts_of_the_first_second(tmp_path: Path, expected: dict[str, str]) -> None:
    """After Ctrl-C at any moment, once or twice, the process ends with code 130 and without a traceback."""
    choice = random.Random(3)
    for k in range(10):
        interrupt(tmp_path / str(k), [choice.uniform(0, 1), choice.uniform(0, 0.1)][: 1 + k % 2])


@pytest.mark.soak
def test_many_interrupts_of_the_first_second(tmp_path: Path, expected: dict[str, str]) -> None:
    """The same a hundred times once, and a hundred times twice."""
    choice = random.Random(4)
    for k in range(200):
        interrupt(tmp_path / str(k), [choice.uniform(0, 1), choice.uniform(0, 0.1)][: 1 + k % 2])


def test_two_processes_share_the_work(tmp_path: Path, files: list[Path], expected: dict[str, str]) -> None:
    """The second process logs that it joins; both print the digest."""
    processes = [start("run", files[0], "--out", tmp_path / "r", "--threads", "1") for _ in range(2)]
    ended = [end(process) for process in processes]
    for finished in ended:
        assert assert_right_or_refused(finished, expected[STUDIES[1.0].identity])
    assert_sound(tmp_path / "r", expected)
    joins = [line for _, _, errors in ended for line in errors.splitlines() if "share the work" in line]
    assert len(joins) <= 1  # none if the first process ended before
    assert Plan(STUDIES[1.0]).n_parts >= 20

"""Ctrl-C in the first second of a process, while Python and the command line start."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sweep
from tests.waiting import LONG

pytestmark = pytest.mark.slow

ROOT = Path(sweep.__path__[0]).parent


def interrupt(folder: Path, delays: list[float]) -> None:
    """Send SIGINT after each of these times to a process that trains for minutes; check how it ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sweep", "run", "xor", "--set", "seeds.count=100_000", "--out", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
    )
    for delay in delays:
        time.sleep(delay)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    try:
        _, errors = process.communicate(timeout=LONG)
    finally:
        process.kill()
    if process.returncode == 1:  # Python itself was starting
        assert "KeyboardInterrupt" in errors
        assert str(ROOT / "sweep") not in errors
    elif process.returncode != -signal.SIGINT:  # as before the command line handles it
        assert process.returncode == 130
        assert "Traceback" not in errors
    facts = folder / "run.json"
    assert not facts.exists() or not json.loads(facts.read_text())["complete"]


@pytest.mark.parametrize(
    "times", [4, pytest.param(10, marks=pytest.mark.wide), pytest.param(200, marks=pytest.mark.soak)]
)
def test_interrupts_of_the_first_second(tmp_path: Path, times: int) -> None:
    """After Ctrl-C at any moment, once or twice, the process ends with code 130 and without a traceback."""
    choice = random.Random(times)
    for k in range(times):
        interrupt(tmp_path / str(k), [choice.uniform(0, 1), choice.uniform(0, 0.1)][: 1 + k % 2])

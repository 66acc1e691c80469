"""Several threads of one process may call ``run``, even before anything is compiled or imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import sweep
from tests.kernels.support import compiled_only
from tests.sweep.caches import ROOT
from tests.sweep.support import make_study

STUDY = make_study(hidden=2, learning_rate=[0.1, 0.2])

# Threads start at once and switch constantly; prints the digest or the error of each.
PROGRAM = """
import sys, threading
import sweep

study, run, together = sweep.load_study(sys.argv[1]), sweep.run, threading.Barrier(8)
sys.setswitchinterval(1e-5)

def call():
    together.wait()
    try:
        print(run(study, threads=2).facts["digest"] + "\\n", end="")
    except Exception as error:
        print(f"{type(error).__name__}: {error}".splitlines()[0] + "\\n", end="")

threads = [threading.Thread(target=call) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.wide
@compiled_only
def test_the_first_calls_come_from_several_threads(tmp_path: Path) -> None:
    """Each thread has the digest of a single call, since our types are registered under Numba's compiler lock."""
    expected = sweep.run(STUDY, threads=1).facts["digest"]
    (file := tmp_path / "s.toml").write_text(STUDY.to_toml())
    done = subprocess.run([sys.executable, "-c", PROGRAM, file], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [expected] * 8, done.stderr

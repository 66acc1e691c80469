"""Kernels that are compiled ahead are all that training needs, and processes that compile end with who started them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kernels.simd import jit
from sweep import SweepError
from sweep.training import compile_ahead
from tests.sweep.caches import ROOT, kernels_in, sweep_with_cache
from tests.sweep.support import make_study, write_study

# Two shapes, two ways to draw, and networks that diverge, which constant patterns need a kernel more for.
STUDY = make_study(count=20, hidden=[2, 5], learning_rate=[0.1, 1e6], distribution=["normal", "uniform"], max_steps=30)
compiled_only = pytest.mark.skipif(not jit.ENABLED, reason="without the JIT nothing is compiled")


@compiled_only
def test_training_finds_its_kernels(tmp_path: Path) -> None:
    """After ``sweep compile`` a run compiles nothing, and there is nothing more to compile."""
    file, cache = write_study(tmp_path / "s.toml", STUDY), tmp_path / "cache"
    assert sweep_with_cache(cache, "compile", file, "--processes", "2").stdout == "3 compiled\n"
    before = kernels_in(cache)
    assert len(before) >= 4
    sweep_with_cache(cache, "run", file, "--out", tmp_path / "r")
    assert kernels_in(cache) == before
    assert sweep_with_cache(cache, "compile", file).stdout.startswith("nothing to compile")


@compiled_only
def test_processes_end_with_their_parent(tmp_path: Path) -> None:
    """When whoever started it is killed, a process that compiles ends too."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "sweep.training.compile_ahead"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)
    assert process.stdin is not None
    assert process.stdout is not None
    items = [{"cell": 0, "distribution": "normal", "stream": "mt19937"}] * 50_000  # more lines than the pipe holds
    process.stdin.write(json.dumps({"study": STUDY.to_toml(), "items": items}) + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"
    process.stdin.close()  # as the end of a process closes it
    assert process.wait(60.0) != 0
    process.stdout.close()


@compiled_only
def test_lost_processes_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A process that is killed ends the command with a sentence."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    start = compile_ahead._start

    def killed(*given: Any) -> subprocess.Popen[str]:
        process = start(*given)
        process.send_signal(signal.SIGKILL)
        return process

    monkeypatch.setattr(compile_ahead, "_start", killed)
    monkeypatch.setattr(
        compile_ahead, "items_to_compile", lambda study: [{"cell": 0, "distribution": "normal", "stream": "mt19937"}]
    )
    with pytest.raises(SweepError, match="ended early"):
        compile_ahead.compile_study(STUDY, 1, lambda *given: None)

"""Kernels that are compiled ahead are all that training needs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kernels.simd import jit
from sweep import SweepError
from sweep.training import compile_ahead, compilers
from tests.sweep.caches import kernels_in, sweep_with_cache
from tests.sweep.support import make_study, write_study

# Two shapes, two ways to draw, and networks that are not finite, which constant patterns need a kernel more for. It is
# worth that by the steps that it may take; it takes none.
STUDY = make_study(
    count=20,
    hidden=[2, 5],
    scale=[1.0, 1e200],
    distribution=["normal", "uniform"],
    learning_rate=0.1,
    below=1e3,
    max_steps=10**8,
)
compiled_only = pytest.mark.skipif(not jit.ENABLED, reason="without the JIT nothing is compiled")


@compiled_only
def test_training_finds_its_kernels(tmp_path: Path) -> None:
    """After ``sweep compile`` a run compiles nothing, and there is nothing more to compile."""
    file, cache = write_study(tmp_path / "s.toml", STUDY), tmp_path / "cache"
    assert sweep_with_cache(cache, "compile", file, "--processes", "2").stdout == "3 compiled\n"
    before = kernels_in(cache)
    assert len(before) == 3
    sweep_with_cache(cache, "run", file, "--out", tmp_path / "r")
    assert kernels_in(cache) == before
    assert sweep_with_cache(cache, "compile", file).stdout.startswith("nothing to compile")


@compiled_only
def test_lost_processes_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A process that is killed ends the command with a sentence."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    start = subprocess.Popen

    def killed(*given: object, **named: object) -> subprocess.Popen[str]:
        process: subprocess.Popen[str] = start(*given, **named)  # type: ignore[call-overload]
        process.kill()
        return process

    monkeypatch.setattr(compilers.subprocess, "Popen", killed)
    with pytest.raises(SweepError, match="ended early"):
        compile_ahead.compile_study(STUDY, 1, lambda *given: None)

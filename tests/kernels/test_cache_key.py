"""The key of machine code on disk contains all that the code depends on, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from numba.core.config import _OptLevel

from kernels.numba import jit
from kernels.numba.entries import compiler_options
from tests.kernels.support import compiled_only_marks

pytestmark = compiled_only_marks


def is_found() -> bool:
    """Make a small kernel, call it, and return whether its machine code came from the disk."""

    @jit.kernel("double")
    def double(numbers: Any, place: int) -> float:
        return 2.0 * numbers[place]

    probe: Any = double
    assert probe(np.arange(4.0), 3) == 6.0
    return bool(probe.stats.cache_hits)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPT", _OptLevel(0)),
        ("OPT", _OptLevel("max")),
        ("LOOP_VECTORIZE", 0),
        ("SLP_VECTORIZE", 1),
        ("LLVM_REFPRUNE_PASS", 0),
        ("DEBUGINFO_DEFAULT", 1),
        ("EXTEND_VARIABLE_LIFETIMES", 1),
        ("CPU_NAME", None if numba.config.CPU_NAME == "generic" else "generic"),  # not the one of these tests
    ],
)
def test_options_that_change_code(name: str, value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that was compiled with another option is not used, and remains for later processes with that option."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert not is_found()
    with monkeypatch.context() as changed:
        changed.setattr(numba.config, name, value)
        assert not is_found()
        assert is_found()
    assert is_found()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NUMBA_NUM_THREADS", 1),
        ("THREADING_LAYER", "workqueue"),
        ("CACHE_DIR", "/somewhere"),
        ("COLOR_SCHEME", "dark_bg"),
        ("DISABLE_PERFORMANCE_WARNINGS", 1),
        ("FULL_TRACEBACKS", 1),
        ("DISABLE_CUDA", 1),
    ],
)
def test_options_that_change_no_code(name: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options that only differ between machines and sessions cause no compiling."""
    before = compiler_options()
    assert hasattr(numba.config, name)
    monkeypatch.setattr(numba.config, name, value)
    assert compiler_options() == before

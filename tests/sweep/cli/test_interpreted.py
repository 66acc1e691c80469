"""Commands that train little need no compiler and give the same results as with it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import sweep
from sweep import Study, open_result
from sweep.cli import interpreted
from sweep.study.load import load_study
from tests.sweep.caches import kernels_in, sweep_with_cache
from tests.sweep.support import make_study, write_study

TINY = make_study(count=5, hidden=2, learning_rate=[0.1, 0.2], max_steps=20)


@pytest.mark.wide
def test_replays_need_no_compiler(tmp_path: Path) -> None:
    """Rows are verified and traced without it. The 500 losses of the notebook are equal, compiled or interpreted."""
    out, cache = tmp_path / "r", tmp_path / "interpreted"
    sweep.run(TINY, out=out)
    assert "5 trained again" in sweep_with_cache(cache, "verify", out, "--sample", "5").stdout
    assert "equal" in sweep_with_cache(cache, "trace", out, "--run", "3").stderr
    found = sweep_with_cache(tmp_path / "interpreted", "trace", "seed").stdout
    assert kernels_in(tmp_path / "interpreted") == set()
    assert found == sweep_with_cache(tmp_path / "compiled", "trace", "seed", NUMBA_DISABLE_JIT="0").stdout
    assert kernels_in(tmp_path / "compiled") != set()


@pytest.mark.compiled
@pytest.mark.slow
def test_tiny_studies_need_no_compiler(tmp_path: Path) -> None:
    """Interpreted kernels give the digest of compiled ones."""
    file, cache, out = write_study(tmp_path / "tiny.toml", TINY), tmp_path / "cache", tmp_path / "r"
    sweep_with_cache(cache, "run", file, "--out", out)
    assert kernels_in(cache) == set()
    assert open_result(out).facts["digest"] == sweep.run(TINY).facts["digest"]


def is_interpreted(operations: float) -> bool:
    """Return whether a new process would interpret this much work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBA_DISABLE_JIT", "0")
        patch.delenv("NUMBA_DISABLE_JIT")
        patch.delitem(sys.modules, "numba", raising=False)
        interpreted.interpret_if_tiny(operations)
        return os.environ.get("NUMBA_DISABLE_JIT") == "1"


def test_cost_decides() -> None:
    """Tiny studies are interpreted; many runs, long runs, wide networks and large grids are compiled."""
    assert interpreted.operations_of_study(TINY) == pytest.approx(interpreted.operations_of_runs(TINY, 2))
    assert is_interpreted(interpreted.operations_of_study(TINY))
    assert is_interpreted(2 * interpreted.operations_of_runs(load_study("seed"), 1))
    for options in ({"count": 1000}, {"max_steps": 100_000}, {"hidden": [1000]}):
        study = make_study(**{"count": 10, "hidden": [2, 3], "learning_rate": 0.1, "max_steps": 40, **options})
        assert not is_interpreted(interpreted.operations_of_study(study))
    each = {"linspace": [0.1, 1.0, 10**5]}
    immense = Study(
        data={"task": "xor"},
        network={"hidden": 2},
        training={"learning_rate": 0.1},
        parameters={"scale": each, "gain": each},
        seeds={"count": 10**6},
    )
    assert not is_interpreted(interpreted.operations_of_study(immense))


@pytest.mark.parametrize("setting", ["0", "1"])
def test_the_variable_decides(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    """A variable that is set does not change, and nothing changes once Numba is imported."""
    monkeypatch.setenv("NUMBA_DISABLE_JIT", setting)
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    interpreted.interpret_if_tiny(0.0)
    assert os.environ["NUMBA_DISABLE_JIT"] == setting
    monkeypatch.delenv("NUMBA_DISABLE_JIT")
    monkeypatch.setitem(sys.modules, "numba", sys)
    interpreted.interpret_if_tiny(0.0)
    assert "NUMBA_DISABLE_JIT" not in os.environ

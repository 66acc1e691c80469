"""``sweep compile`` compiles all kernels that training needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sweep import SweepError
from sweep.schedule.kernel_count import most_kernels
from sweep.schedule.plan import Plan
from sweep.training.compiling import compiler_pool
from sweep.training.compiling.kernel_items import uncompiled
from sweep.training.networks.part_trainer import PartTrainer
from tests.kernels.support import compiled_only
from tests.sweep.caches import kernels_in, sweep_with_cache
from tests.sweep.support import make_study, write_study

# Two shapes, two ways to draw, and networks that are not finite, for which constant patterns need another kernel. The
# limit of steps makes that kernel worthwhile, although no step is taken.
STUDY = make_study(
    count=20,
    hidden=[2, 5],
    scale=[1.0, 1e200],
    distribution=["normal", "uniform"],
    learning_rate=0.1,
    threshold=1e3,
    max_steps=10**8,
)


@pytest.mark.wide
@compiled_only
def test_training_finds_its_kernels(tmp_path: Path) -> None:
    """After ``sweep compile``, a run compiles nothing, and nothing is left to compile."""
    file, cache = write_study(tmp_path / "s.toml", STUDY), tmp_path / "cache"
    assert sweep_with_cache(cache, "compile", file, "--processes", "2").stdout == "3 compiled\n"
    before = kernels_in(cache)
    assert len(before) == 3
    sweep_with_cache(cache, "run", file, "--out", tmp_path / "r")
    assert kernels_in(cache) == before
    assert sweep_with_cache(cache, "compile", file).stdout.startswith("nothing to compile")


@pytest.mark.parametrize(
    "options",
    [
        {"gain": [1.0, 2.0], "weight_decay": [0.0, 0.1]},  # a kernel for all settings
        {"batch": 2, "max_steps": 10**9},  # which computes every product, so it also trains runs that are not finite
    ],
)
def test_one_kernel(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernels are those that the plan counts."""
    monkeypatch.setattr("kernels.train.is_compiled", lambda kernel, arguments: False)
    plan = Plan(make_study(count=4, hidden=2, learning_rate=[0.1, 0.2], **options))
    assert most_kernels(plan.study, plan.parts.operations) == 1
    assert len(uncompiled(PartTrainer(plan), range(plan.n_shapes), settles=True)) == 1


@compiled_only
def test_lost_processes_are_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A killed process ends the command with one sentence."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compiler_pool, "_PROGRAM", "sys.exit(1)")
    with pytest.raises(SweepError, match="ended early"):
        compiler_pool.compile_study(STUDY, 1, lambda *_: None)

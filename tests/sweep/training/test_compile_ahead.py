"""Kernels that are compiled ahead are all that training needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernels.simd import jit
from sweep import SweepError
from sweep.schedule.kernel_count import most_kernels
from sweep.schedule.plan import Plan
from sweep.training import compile_ahead, compilers
from sweep.training.kernel_items import uncompiled
from sweep.training.part_trainer import PartTrainer
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
    threshold=1e3,
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


def test_cells_that_are_not_alike_have_kernels_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compiled ahead is what the plan says at most: with and without a gain and weight decay, however swept.

    Of options that no other test here has, since what a process has compiled it keeps.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    study = make_study(
        count=4,
        hidden=2,
        learning_rate=[0.1, 0.2],
        gain=[1.0, 2.0],
        weight_decay=[0.0, 0.1],
        max_steps=3,
        activation="silu",
        loss="huber",
    )
    plan = Plan(study)
    expected = most_kernels(study, plan.parts.operations)
    assert expected == 4
    assert len(uncompiled(PartTrainer(plan), range(plan.n_shapes), settles=True)) == (expected if jit.ENABLED else 0)


@compiled_only
def test_lost_processes_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A process that is killed ends the command with a sentence."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compilers, "_PROGRAM", "sys.exit(1)")
    with pytest.raises(SweepError, match="ended early"):
        compile_ahead.compile_study(STUDY, 1, lambda *given: None)

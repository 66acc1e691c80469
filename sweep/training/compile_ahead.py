"""Compile the kernels of a study before it is trained, in processes side by side, into the cache on disk."""

from __future__ import annotations

from collections.abc import Callable

from kernels.simd.compiling import CompileWatch
from sweep.errors import SweepError
from sweep.schedule.plan import Plan
from sweep.study.model import Study
from sweep.training.compilers import Compilers
from sweep.training.kernel_items import uncompiled
from sweep.training.part_trainer import PartTrainer


def compile_study(study: Study, n_processes: int, tell: Callable[[int, int], None]) -> int:
    """Compile the kernels of a study in processes side by side.

    Parameters
    ----------
    study
    n_processes
        The largest number of processes; fewer where there are fewer kernels, or memory for fewer.
    tell
        Called with the number of kernels that are compiled, and that of all.

    Returns
    -------
    int
        Number of kernels that were compiled.

    Raises
    ------
    SweepError
        If processes end early, as where memory is short or the cache cannot be written.
    """
    plan = Plan(study)
    items = uncompiled(PartTrainer(plan), range(plan.n_shapes), settles=True)
    with Compilers(study, items, n_processes, CompileWatch(lambda _: None), lambda: None, told=True) as compilers:
        if not compilers.wait(lambda n_done: tell(n_done, len(items))):
            raise SweepError(
                "processes that compile have ended early; try again with fewer (--processes 1), and see whether their "
                "cache can be written (XDG_CACHE_HOME)"
            )
    return len(items)

"""Compile the kernels of a study before it is trained, in processes side by side, into the cache on disk."""

from __future__ import annotations

from collections.abc import Callable

from kernels.numba.compiling import CompileWatch
from sweep.errors import SweepError
from sweep.schedule.plan import Plan
from sweep.study.model import Study
from sweep.training.compiling.compiler_pool import Compilers
from sweep.training.compiling.kernel_items import uncompiled
from sweep.training.networks.part_trainer import PartTrainer


def compile_study(study: Study, n_processes: int, report: Callable[[int, int], None]) -> int:
    """Compile the kernels of a study in processes side by side; return how many were compiled.

    There are fewer processes if there are fewer kernels, or not enough memory. ``report`` is called with the number of
    compiled kernels and that of all kernels. SweepError if processes end early, as if the cache cannot be written.
    """
    plan = Plan(study)
    items = uncompiled(PartTrainer(plan), range(plan.n_shapes), settles=True)
    with Compilers(
        study, items, n_processes, CompileWatch(lambda _: None), lambda: None, prints_errors=True
    ) as compilers:
        if not compilers.wait(lambda n_done: report(n_done, len(items))):
            raise SweepError(
                "the processes that compile ended early; try again with fewer (--processes 1), and check that their "
                "cache can be written (XDG_CACHE_HOME)"
            )
    return len(items)

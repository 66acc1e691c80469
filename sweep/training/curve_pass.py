"""The pass that records the learning curves of a study whose rows are complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.store.files import waits_ended_by
from sweep.store.own_bits import own_bits
from sweep.system.progress import SweepProgress
from sweep.system.signals import Interrupts
from sweep.training.compiling.kernel_modules import import_all_kernels
from sweep.training.executors.threads import work_in_threads
from sweep.training.networks.curve_recorder import CurveRecorder

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep.schedule.plan import Plan
    from sweep.store.stored_runs import StoredResult


def record_curves(plan: Plan, parts: StoredResult, n_threads: int, shown: bool | None) -> pa.Table | None:
    """Train the first runs of each cell once more, and return their learning curves; None if the study records none.

    StoreError if this version or machine would give other bits, or a run does not end like its row.
    """
    if plan.study.record.curves is None:
        return None
    parts.check_bits(own_bits())
    import_all_kernels()
    n_runs = plan.n_cells * plan.study.record.curves.seeds
    with (
        Interrupts() as interrupts,
        waits_ended_by(interrupts.check, parts.opened),
        SweepProgress(n_runs, 0.0, n_threads, shown) as progress,
    ):
        recorder, curves = CurveRecorder(plan, interrupts.check), []
        progress.show("recording learning curves")
        for each in work_in_threads(recorder.record, recorder.blocks(parts), n_threads, interrupts, progress.tick):
            curves.append(each)
            progress.skip(len(set(each["run"].tolist())), 0.0)
    return recorder.table(curves)

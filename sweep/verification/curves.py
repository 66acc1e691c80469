"""Check learning curves: all against the rows of their runs, and a sample by training again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sweep.analysis.table_values import column_values
from sweep.errors import StoreError
from sweep.schemas.run_columns import curves_columns
from sweep.system.signals import Interrupts
from sweep.training.executors.threads import import_all_kernels, work_in_threads
from sweep.training.networks.curve_recorder import Columns, CurveRecorder, difference_of_ends, take

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep.store.reader import StoreReader
    from sweep.study.model import Study
    from sweep.verification.sample import Sample


def curve_file_faults(store: StoreReader) -> list[str]:
    """Return the faults of the file of learning curves of a complete result, without reading its parts."""
    try:
        if store.study.record.curves:
            store.read_curves()
    except StoreError as error:
        return [str(error)]
    return []


def curve_faults(store: StoreReader, sample: Sample, n_threads: int) -> list[str]:
    """Compare the learning curves of a complete result with its intact rows, and some with a new training.

    Parameters
    ----------
    store
        The results folder.
    sample
        How many curves are trained again, and by which seed they are drawn.
    n_threads
        Number of threads.

    Returns
    -------
    list of str
        A sentence for each fault.
    """
    faults = curve_file_faults(store)
    if faults or not store.study.record.curves:
        return faults
    recorder, where = CurveRecorder(store.plan), store.files.where("curves.parquet")
    blocks = list(recorder.blocks(store))
    table = store.read_curves()
    if any(table[name].null_count for name in table.schema.names):
        return [f"{where!r} is damaged: it lacks values"]
    stored = _columns(table, store.study)
    found = _fault_by_rows(stored, _columns(recorder.table([recorder.points(rows) for rows in blocks]), store.study))
    found = found or _fault_of_ends(stored, blocks)
    if found is None and sample.n_runs:
        found = _fault_by_training(stored, recorder, blocks, sample, n_threads)
    return [f"{where!r} is damaged: {found}"] if found else []


def _columns(table: pa.Table, study: Study) -> Columns:
    """Return the columns of a table of curves as arrays."""
    known = [column for column in curves_columns(study) if column.name in table.schema.names]
    return {column.name: column_values(table, column) for column in known}


def _fault_by_rows(stored: Columns, planned: Columns) -> str | None:
    """Return a fault if curves lack points, or have others than rows and study require; None otherwise."""
    for run in np.setxor1d(stored["run"], planned["run"])[:1]:
        return f"it has {'a' if run in stored['run'] else 'no'} learning curve of run {run}"
    runs, counts = np.unique(stored["run"], return_counts=True)
    for run in runs[counts != np.unique(planned["run"], return_counts=True)[1]][:1]:
        return f"the learning curve of run {run} has other points than its row and the study require"
    for name, values in planned.items():
        for k in np.flatnonzero(stored[name] != values)[:1]:
            curve = f"the learning curve of run {planned['run'][k]}: {name}"
            return f"{curve} must be {values[k]!s}, got {stored[name][k]!s}"
    return None


def _fault_of_ends(stored: Columns, blocks: list[Columns]) -> str | None:
    """Return a fault if curves start or end with other values than their rows; None otherwise."""
    rows = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    rows = take(rows, np.argsort(rows["run"]))
    is_end = np.diff(stored["run"], append=-1) != 0
    is_start = (stored["steps"] == 0) & ~is_end
    place = np.searchsorted(rows["run"], stored["run"][is_start])
    for k in np.flatnonzero(stored["train_loss"][is_start] != rows["initial_loss"][place])[:1]:
        return f"the learning curve of run {rows['run'][place[k]]} starts with another loss than its row"
    return difference_of_ends(rows, take(stored, is_end))


def _fault_by_training(
    stored: Columns, recorder: CurveRecorder, blocks: list[Columns], sample: Sample, n_threads: int
) -> str | None:
    """Return a fault if a new training of the sampled runs gives other curves; None otherwise."""
    runs = sample.choose(np.unique(stored["run"]))
    chosen = [take(rows, np.isin(rows["run"], runs)) for rows in blocks]
    import_all_kernels()
    with Interrupts() as interrupts:
        work = (rows for rows in chosen if len(rows["run"]))
        made = list(work_in_threads(recorder.record, work, n_threads, interrupts, interrupts.check))
    for curves in made:
        curves = take(curves, np.argsort(curves["run"], kind="stable"))
        own = take(stored, np.isin(stored["run"], curves["run"]))
        for name, values in curves.items():
            for k in np.flatnonzero(own[name] != values)[:1]:
                curve = f"the learning curve of run {own['run'][k]} at step {own['steps'][k]}: {name}"
                return f"{curve} must be {values[k]!s} by training, got {own[name][k]!s}"
    return None

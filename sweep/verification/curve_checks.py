"""Check learning curves: which points they must have by the rows of their runs, and a sample by training again."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sweep.analysis.table_values import column_values
from sweep.errors import StoreError
from sweep.schemas.run_columns import curves_columns
from sweep.store.reader import StoreReader
from sweep.study.model import Study
from sweep.training.executors.threads import workers
from sweep.training.networks.curve_recorder import Columns, CurveRecorder, take
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
    """Return faults of the learning curves of a complete result with intact rows."""
    faults = curve_file_faults(store)
    if faults or not store.study.record.curves:
        return faults
    recorder = CurveRecorder(store.plan)
    where = store.files.where("curves.parquet")
    blocks = list(recorder.blocks(store))
    table = store.read_curves()
    if any(table[name].null_count for name in table.schema.names):
        return [f"{where!r} is damaged: it lacks values"]
    stored = _columns(table, store.study)
    planned = _columns(recorder.table([recorder.points(rows) for rows in blocks]), store.study)
    wrong = [name for name, values in planned.items() if not np.array_equal(stored[name], values)]
    found = f"its column {wrong[0]!r} does not fit the rows of its runs" if wrong else None
    if found is None and sample.n_runs:
        found = _fault_by_training(stored, recorder, blocks, sample, n_threads)
    return [f"{where!r} is damaged: {found}"] if found else []


def _columns(table: pa.Table, study: Study) -> Columns:
    """Return the columns of a table of curves as arrays."""
    known = [column for column in curves_columns(study) if column.name in table.schema.names]
    return {column.name: column_values(table, column) for column in known}


def _fault_by_training(
    stored: Columns, recorder: CurveRecorder, blocks: list[Columns], sample: Sample, n_threads: int
) -> str | None:
    """Return a fault if a new training of the sampled runs gives other curves; None otherwise."""
    runs = sample.choose(np.unique(stored["run"]))
    chosen = [take(rows, np.isin(rows["run"], runs)) for rows in blocks]
    with workers([], 0, n_threads, shown=False) as at_work:
        made = list(at_work.map(recorder.record, (rows for rows in chosen if len(rows["run"]))))
    for curves in made:
        curves = take(curves, np.argsort(curves["run"], kind="stable"))
        own = take(stored, np.isin(stored["run"], curves["run"]))
        for name, values in curves.items():
            for k in np.flatnonzero(own[name] != values)[:1]:
                curve = f"the learning curve of run {own['run'][k]} at step {own['steps'][k]}: {name}"
                return f"{curve} must be {values[k]!s} by training, got {own[name][k]!s}"
    return None

"""Train the runs of a finished result again to record their weights, and check that the rows are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sweep.errors import StoreError, SweepError, shown
from sweep.results.result import Result, open_result
from sweep.results.run_order import in_run_order
from sweep.schemas.run_columns import runs_columns
from sweep.store.digest import rows_digest
from sweep.store.local import files_at
from sweep.study.model import Study
from sweep.study.options.other_sections import WEIGHTS
from sweep.training.run import run


def record_weights(
    directory: str | Path, out: str | Path | None = None, which: str = "final", **options: Any
) -> Result:
    """Train the runs of a finished result again, and record their weights in another folder.

    Parameters
    ----------
    directory
        Results folder of a finished study, or its address ``s3://BUCKET/PREFIX``.
    out
        Folder of the result with weights; by default ``directory`` with ``-weights`` appended.
    which
        ``"final"``, ``"initial"``, ``"both"``, ``"best"`` or ``"all"``.
    **options
        Arguments of :func:`sweep.run`: ``threads``, ``progress``, ``overwrite``, ..

    Returns
    -------
    Result
        Result with ``record.weights``, so ``weights`` and ``predict`` work for any cell.

    Raises
    ------
    SweepError
        If ``which`` is another text, ``out`` is the folder of the result, or the result has these weights already.
    StoreError
        If the result keeps no rows or is not complete, or the new rows differ from its rows.
    """
    if which not in WEIGHTS or which == "none":
        raise SweepError(f"which: must be 'final', 'initial', 'both', 'best' or 'all', got {shown(which)}")
    first = open_result(directory)
    if not first.keeps_runs:
        raise StoreError(f"{first.place!r} has no rows; weights can be recorded only for results with keep='runs'")
    study = first.study
    wanted = {*study.record.columns_of_weights, *WEIGHTS[which]}
    if wanted == set(study.record.columns_of_weights):
        raise SweepError(f"{first.place!r} already has its {which} weights")
    tables = study.canonical()
    least = next(name for name, columns in WEIGHTS.items() if wanted <= {*columns})
    tables["record"] = {**tables.get("record", {}), "weights": least}
    again = Study(**tables)
    out = f"{str(directory).rstrip('/')}-weights" if out is None else out
    if files_at(out).same_as(files_at(directory)):
        raise SweepError(
            f"out: must be another folder than that of the result, got {str(out)!r}; choose one with --out"
        )
    result = run(again, out=out, **options)
    if result.complete:
        found, there = (_digest(each, study) for each in (result, first))
        if found != there:
            raise StoreError(
                f"rows in {str(out)!r} must have the digest {there[:12]} of {first.place!r}, got {found[:12]}; "
                f"find the damage with 'sweep verify {first.place} --all'"
            )
    return result


def _digest(result: Result, study: Study) -> str:
    """Return the digest of the columns of rows of a study."""
    columns = runs_columns(study)
    return rows_digest(in_run_order(result.stored, [column.name for column in columns]), columns)

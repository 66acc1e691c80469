"""Train the runs of a finished result once more, to record their weights, and check that they are the same runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sweep.errors import StoreError, SweepError, shown
from sweep.results.result import Result, open_result
from sweep.store.digest import rows_digest
from sweep.store.location import files_at
from sweep.store.run_order import in_run_order
from sweep.study.columns import runs_columns
from sweep.study.model import Study
from sweep.training.run import run

_COLUMNS = {
    "initial": ("initial_weights",),
    "final": ("final_weights",),
    "both": ("initial_weights", "final_weights"),
}


def record_weights(
    directory: str | Path, out: str | Path | None = None, which: str = "final", **options: Any
) -> Result:
    """Train the runs of a finished result again, and record their weights in another folder.

    Parameters
    ----------
    directory
        Results folder of a finished study, or its address ``s3://BUCKET/PREFIX``.
    out
        Folder of the result with weights; by default that of the result with ``-weights`` behind its name.
    which
        ``"final"``, ``"initial"`` or ``"both"``.
    **options
        Of :func:`sweep.run`: ``threads``, ``progress``, ``overwrite``, ..

    Returns
    -------
    Result
        The study with ``record.weights``: ``weights`` and ``predict`` answer for any cell.

    Raises
    ------
    SweepError
        If ``which`` is another text, ``out`` is the folder of the result, or the result has these weights.
    StoreError
        If the result keeps no rows or is not complete, or the rows trained now differ from those there.
    """
    if which not in _COLUMNS:
        raise SweepError(f"weights {shown(which)} given; must be 'final', 'initial' or 'both'")
    first = open_result(directory)
    if not first.keeps_runs:
        raise StoreError(f"{first.place!r} has no rows of runs, with which the weights could be compared")
    study = first.study
    wanted = {*study.record.columns_of_weights, *(_COLUMNS[which])}
    if wanted == set(study.record.columns_of_weights):
        raise SweepError(f"{first.place!r} has its {which} weights already, from its own training")
    tables = study.canonical()
    tables["record"] = {**tables.get("record", {}), "weights": "both" if len(wanted) > 1 else which}
    again = Study(**tables)
    out = f"{str(directory).rstrip('/')}-weights" if out is None else out
    if files_at(out).same_as(files_at(directory)):
        raise SweepError(
            f"{str(out)!r} given for the weights, which is the folder of the result; give another one (--out)"
        )
    result = run(again, out=out, **options)
    if result.complete:
        found, there = (_digest(each, study) for each in (result, first))
        if found != there:
            raise StoreError(
                f"rows in {str(out)!r} differ from those in {first.place!r}: digest {found[:12]}, there {there[:12]}; "
                f"'sweep verify {first.place} --all' tells which"
            )
    return result


def _digest(result: Result, study: Study) -> str:
    """Return the digest of the columns that the rows of a study have."""
    columns = runs_columns(study)
    return rows_digest(in_run_order(result.parts_in_use, [column.name for column in columns]), columns)

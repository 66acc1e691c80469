"""Forgers: they change rows of a finished result, and make every checksum, count and digest fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa
import pyarrow.compute as pc

from sweep.results.aggregate import Aggregate
from sweep.store.commits import commit_name, decode_record, encode_record
from sweep.store.store import Store
from sweep.verification.repair import _finish
from tests.sweep.support import replace_value


def forge_parts(folder: Path, change: Callable[[pa.Table], pa.Table]) -> Path:
    """Change parts of a finished result, and everything derived from them."""
    store = Store.open(folder)
    for commit in store.commits().values():
        old = store.table(commit)
        table = change(old)
        if table is old:
            continue
        steps = table["steps"] if store.keep == "runs" else pc.multiply(table["steps"].cast("int64"), table["n"])
        n_runs = len(table) if store.keep == "runs" else pc.sum(table["n"]).as_py()
        facts = {"net_steps": max(pc.sum(steps).as_py(), 0), "reused_steps": 0}
        facts["lane_steps"] = max(commit.lane_steps, facts["net_steps"])
        same = dict.fromkeys(("rows", "counts"), lambda table=table: table)
        rows = mock.Mock(part=commit.as_part(), n_runs=n_runs, **same, **facts)
        store.replace_part(rows, commit, session=commit.session, begin=commit.begin, end=commit.end)
    finish_forged(folder)
    return folder


def forge_run(folder: Path, run: int, **values: Any) -> Path:
    """Change columns of one run of a finished result, and everything derived from them."""

    def change(table: pa.Table) -> pa.Table:
        for column, value in values.items():
            table = replace_value(table, run, column, value)
        return table

    return forge_parts(folder, change)


def finish_forged(folder: Path) -> None:
    """Recompute digest, cells and totals of a result from its parts."""
    store = Store.open(folder)
    commits = sorted(store.commits().values(), key=lambda commit: commit.start)
    _finish(store, commits, Aggregate(store.study, store, commits), None)


def forge_record(path: Path, **changes: Any) -> None:
    """Change facts in run.json or in a commit, and its checksum with them."""
    path.write_bytes(encode_record({**decode_record(path.read_bytes(), str(path)), **changes}))


def commit_path(folder: Path, part: int) -> Path:
    """Return the file of a commit."""
    return folder / "commits" / commit_name(part)

"""Read rows in the order of their runs, with few in memory at a time, from parts, which hold them in visiting order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sweep.schedule.plan import Plan
from sweep.store.commits import Commit
from sweep.store.stored_runs import StoredRuns

# Most runs in a yielded table; no result depends on it.
_WINDOW = 2**17


class _Open(NamedTuple):
    """A part in memory, sorted by run."""

    table: pa.Table
    runs: NDArray[np.int64]

    def between(self, start: int, stop: int) -> pa.Table:
        first, last = np.searchsorted(self.runs, (start, stop))
        return self.table.slice(first, last - first)


def in_run_order(parts: StoredRuns, columns: list[str]) -> Iterator[pa.Table]:
    """Yield the rows of a result in the order of their runs, as successive tables of a limited number of runs."""
    firsts = [(_first_run(parts.plan, commit), commit.start, commit) for commit in parts.counted()]
    waiting = sorted(firsts, key=lambda each: each[:2], reverse=True)
    read = columns if "run" in columns else [*columns, "run"]
    opened: list[_Open] = []  # several if the parameters that decide the kernel do not come first in the study
    start = 0
    while waiting or opened:
        if not opened:
            start = max(start, waiting[-1][0])
        while waiting and waiting[-1][0] <= start:
            commit = waiting.pop()[-1]
            if commit.n_runs:
                opened.append(_open(parts.table(commit, read)))
        stop = min(start + _WINDOW, waiting[-1][0]) if waiting else start + _WINDOW
        found = [each.between(start, stop) for each in opened]
        found = [table for table in found if len(table)]
        if found:
            yield _merged(found).select(columns)
        opened = [each for each in opened if each.runs[-1] >= stop]
        start = stop


def _first_run(plan: Plan, commit: Commit) -> int:
    """Return the smallest run number in a part, that of the first run of a shape."""
    part = commit.as_part()
    starts = plan.parts.wave_of(commit).starts(part)
    return min(int(plan.runs(replace(part, start=start, stop=start + 1))[0]) for start in starts)


def _open(table: pa.Table) -> _Open:
    """Sort the rows of a part, unless they are sorted."""
    runs = table["run"].to_numpy()
    if (np.diff(runs) < 0).any():
        order = np.argsort(runs, kind="stable")
        table, runs = table.take(order), runs[order]
    return _Open(table, runs)


def _merged(tables: list[pa.Table]) -> pa.Table:
    """Return the rows of sorted tables, sorted."""
    if len(tables) == 1:
        return tables[0]
    tables.sort(key=lambda table: table["run"][0].as_py())
    return _open(pa.concat_tables(tables)).table

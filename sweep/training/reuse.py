"""Reuse rows of earlier results, so that a study can grow without training the same runs again.

Runs are the same if all parameters of their cells, their seeds, the patterns and the version of numerical results
agree, and for normal starts the machine's logarithm too. Rows must have the steps to all loss thresholds of the study.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kernels.loop.run_arrays import Columns
from sweep.errors import StoreError
from sweep.store.bits import own_bits
from sweep.store.commits import Commit
from sweep.store.files import Files
from sweep.store.local import files_at
from sweep.store.reader import StoreReader
from sweep.study.model import Study
from sweep.system.escaping import one_line
from sweep.training.outcome_columns import outcomes_from_table

Array = NDArray[Any]

# Parts of an earlier result held in memory; parts of both studies mostly visit cells in the same order.
_PARTS_HELD = 8
_CELLS_AT_ONCE = 2**16


class Reuse:
    """Rows of earlier results that a study can reuse. If several folders hold a run, the first one is used."""

    def __init__(self, study: Study, places: Sequence[str | Path]) -> None:
        self._study = study
        self.sources = [_Source(study, place) for place in places]

    @property
    def files(self) -> list[Files]:
        """The files of these results."""
        return [source.files for source in self.sources]

    def sentences(self) -> list[str]:
        """Return a sentence for each result with the number of reusable runs; for a partial one, the most."""
        n_runs = self._study.n_runs
        lines = []
        for source in self.sources:
            n_alike = source.n_alike()
            text = f"up to {n_alike:,} of {n_runs:,} runs are reused from"
            if source.lacks_thresholds:
                text = "no run has all record.loss_thresholds in"
            elif self._study.record.of_networks:
                text = "measures and weights of networks need new training, so no run is reused from"
            elif not n_alike:
                text = "no run is the same in"
            lines.append(f"{text} {one_line(source.place)}")
        return lines

    def fill(self, cells: Array, counts: Array, seeds: Array, columns: Columns) -> NDArray[np.bool_]:
        """Fill columns in place with the known outcomes of some runs, and return which these are.

        ``counts`` are the numbers of successive runs of each cell, ``seeds`` the seed of each run.
        """
        known = np.zeros(len(seeds), np.bool_)
        for source in self.sources:
            if known.all():
                break
            known |= source.fill(cells, counts, seeds, columns, known)
        return known


class _Source:
    """Rows of one earlier result."""

    def __init__(self, study: Study, place: str | Path) -> None:
        self._store = store = StoreReader.open(files_at(place))
        if store.keep != "runs" or not store.has_parts:
            raise StoreError(f"{store.files.place!r} has no rows; only results with keep='runs' can be reused")
        # Sources may differ: the same version of numerical results promises the same bits.
        difference = store.bits.difference(own_bits(), study, sources=False)
        if difference:
            raise StoreError(
                f"rows of {store.files.place!r} cannot be reused: they were trained {difference.cause} "
                f"({difference.clause('there', 'here')})"
            )
        self.files, self.place = store.files, store.files.place
        self.path = str(store.directory.absolute()) if store.directory else self.place  # for other processes
        self._new, self._old = study, store.plan
        self._commits = sorted(store.commits().values(), key=lambda commit: commit.start)
        self._starts = np.array([commit.start for commit in self._commits], np.int64)
        self._stops = np.array([commit.stop for commit in self._commits], np.int64)
        self._part = lru_cache(_PARTS_HELD)(self._read)
        self._alike = self._has_runs_alike()

    @property
    def lacks_thresholds(self) -> bool:
        """Whether its rows lack the steps to a loss threshold that the study records."""
        return not set(self._new.record.loss_thresholds) <= set(self._old.study.record.loss_thresholds)

    def n_alike(self) -> int:
        """Return the number of runs that both studies have, trained or not."""
        new, old = self._new.seeds, self._old.study.seeds
        n_seeds = min(new.base + new.count, old.base + old.count) - max(new.base, old.base)
        if n_seeds <= 0 or not self._alike:
            return 0
        starts = range(0, self._new.n_cells, _CELLS_AT_ONCE)
        cells = (np.arange(start, min(start + _CELLS_AT_ONCE, self._new.n_cells)) for start in starts)
        return n_seeds * sum(int((self._cells(each) >= 0).sum()) for each in cells)

    def fill(self, cells: Array, counts: Array, seeds: Array, columns: Columns, known: Array) -> NDArray[np.bool_]:
        """Fill columns with outcomes of runs that are not known yet, as :meth:`Reuse.fill`; return which these are."""
        found = np.zeros(len(seeds), np.bool_)
        if not self._alike or not self._commits:
            return found
        old = np.repeat(self._cells(cells), counts)
        offsets = seeds - self._old.study.seeds.base
        at = np.flatnonzero((old >= 0) & (offsets >= 0) & (offsets < self._old.n_seeds) & ~known)
        runs = old[at] * self._old.n_seeds + offsets[at]
        positions = self._old.position(runs)
        commits = np.searchsorted(self._starts, positions, side="right") - 1
        there = (commits >= 0) & (positions < self._stops[commits])
        at, runs, commits = at[there], runs[there], commits[there]
        for index in np.unique(commits).tolist():
            mine = commits == index
            held, part = self._part(self._commits[index])
            places = np.searchsorted(held, runs[mine])
            there = np.isin(runs[mine], held)  # missing if the earlier study needed no more seeds
            columns.put(at[mine][there], part, places[there])
            found[at[mine][there]] = True
        return found

    def _read(self, commit: Commit) -> tuple[Array, Columns]:
        """Return the run numbers of a part, ascending, and the outcomes of these runs."""
        table: pa.Table = self._store.table(commit)
        runs = table["run"].to_numpy()
        order = np.argsort(runs, kind="stable")
        outcomes = outcomes_from_table(table, self._new)
        return runs[order], Columns._make(values[order] for values in outcomes)

    def _has_runs_alike(self) -> bool:
        """Return whether patterns, loss thresholds and all parameters that neither study sweeps agree."""
        new, old = self._new, self._old.study
        if self.lacks_thresholds or new.record.of_networks or new.restarts != old.restarts:
            return False
        if new.has_weights_by_seed and new.seeds.base != old.seeds.base:
            return False  # the weights of the study belong to other seeds
        fixed = [name for name in new.fixed() if name not in old.parameters and name in old.tables.options]
        return new.data.is_made_as(old.data) and all(
            [*map(new.comparable, new.values_of(name))] == [*map(old.comparable, old.values_of(name))] for name in fixed
        )

    def _cells(self, cells: Array) -> Array:
        """Return the cell of the earlier study for each of ``cells``, -1 if there is none."""
        old = self._old.study
        numbers = np.zeros(len(cells), np.int64)
        missing = np.zeros(len(cells), np.bool_)
        known = [name for name in self._new.parameters if name not in old.parameters and name in old.tables.options]
        fixed = [{name: old.values_of(name)} for name in known]
        for axis in [*fixed, *old.axes]:
            # Settings of custom components that the new study does not know cannot matter to its runs.
            names = [name for name in axis if name in self._new.tables.options]
            points = zip(*(map(old.comparable, axis[name]) for name in names), strict=True)
            places = {point: place for place, point in enumerate(points)} if names else {(): 0}
            columns = (map(self._new.comparable, self._new.column(name, cells).tolist()) for name in names)
            values = zip(*columns, strict=True) if names else [()] * len(cells)
            place = np.array([places.get(value, -1) for value in values], np.int64)
            missing |= place < 0
            numbers = numbers * len(next(iter(axis.values()))) + place
        return np.where(missing, -1, numbers)

"""A map of results that are there: a statistic of the cells of a study over two of its options."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.analysis.study_measures import check_measure, measures_of
from sweep.errors import StoreError, SweepError, shown, unknown
from sweep.explore.block import Block, check_between
from sweep.explore.list_axis import ListAxis, option_facts
from sweep.explore.map_axis import TILE
from sweep.explore.page_facts import coded_statuses
from sweep.explore.pixel_values import Planes, value_of_statistic
from sweep.explore.tile_trainer import Abandoned
from sweep.explore.tiles import Tile
from sweep.results.answers import check_has_criterion, column_of, default_statistic
from sweep.results.bare_cells import bare_numbers
from sweep.results.result import Result, open_result
from sweep.results.sentences import coverage
from sweep.schemas.cell_columns import has_loss_statistics
from sweep.statistics.of_cells import every, synonyms
from sweep.statistics.statistic import Statistic
from sweep.study.axes.grid import Grid
from sweep.study.reading.value_forms import Scalar
from sweep.study.selection import in_order_of_axes, values_at
from sweep.system.formatting import exact

_T = TypeVar("_T")

POOLED = "pooled"
# Most bytes of planes that are kept, but for those of the last map.
_MOST_BYTES = 6 * 10**8


class ExploredResults:
    """The results in a folder, whose cells maps show."""

    def __init__(self, source: str, plugins: tuple[str, ...] = ()) -> None:
        self.source, self.plugins = source, plugins
        self._state = _state_of(source)
        self.result: Result = open_result(source, partial=True)
        self.reading = RLock()  # a result keeps what it has read, for one thread at a time
        self._turns = asyncio.Lock()  # requests wait here and not in threads, which tiles need
        self._planes: OrderedDict[tuple[Any, ...], Planes] = OrderedDict()
        self.offered = self._offered()

    def renew(self) -> bool:
        """Open the results again if more of the study is trained, and return whether they are.

        Those that are gone or damaged since, or now of another study, stay as they were read.
        """
        state = _state_of(self.source)
        if state == self._state:
            return False
        with self.reading:
            try:
                result = open_result(self.source, partial=True)
            except StoreError:
                return False
            if result.study != self.result.study:
                return False
            self.result, self._state = result, state
            self.offered = self._offered()
            self._planes.clear()
        return True

    def map(self, query: Mapping[str, str]) -> ResultsMap:
        """Return the map of the parameters of a request. SweepError if one of them is unknown or not valid."""
        from sweep.figures.statistics import in_ranges, pooling_fault

        for key in query:
            if key not in ("x", "y", "value") and not key.startswith("set."):
                raise SweepError(unknown("parameter", key, ["x", "y", "value", "set.OPTION"]))
        pins = {key.removeprefix("set."): text for key, text in query.items() if key.startswith("set.")}
        pins = {name: text for name, text in pins.items() if text != POOLED}
        self._check_there()
        with self.reading:
            values = values_at(self.result.study, pins)
            x, y = self._axes(query, pins)
            on_axes = [name for name in (x, y) if name]
            statistic = self._statistic(query.get("value"))
            fault = pooling_fault(self.result, statistic, pins, on_axes)
            if fault:
                raise SweepError(fault.replace("--at NAME=VALUE", "set.NAME=VALUE"))
            study = self.result.study
            grid, ranges = in_ranges(study, values, on_axes)
        across, down = (
            ListAxis.of(name, ranges.get(name) or values[name], name in ranges) if name else ListAxis("")
            for name in (x, y)
        )
        return ResultsMap(
            self, across, down, every()[statistic], {name: values[name][0] for name in pins}, grid or study.grid
        )

    def _axes(self, query: Mapping[str, str], pins: Mapping[str, str]) -> tuple[str, str]:
        """Return the options of the axes: those of a request, or those that a heat map would take."""
        free = [name for name in in_order_of_axes(self.result.study.parameters) if name not in pins]
        chosen = {place: query.get(place, "") for place in "xy"}
        for place, name in chosen.items():
            if name and name not in free:
                why = f"{name} has the one value of set.{name}" if name in pins else unknown("axis", name, free)
                raise SweepError(f"{place}: {why}")
        if chosen["x"] and chosen["x"] == chosen["y"]:
            raise SweepError(f"y: must be another option than x, got {shown(chosen['x'])} for both")
        rest = (name for name in free if name not in chosen.values())
        return chosen["x"] or next(rest, ""), chosen["y"] or next(rest, "")

    def _check_there(self) -> None:
        """Raise StoreError if the folder is gone: what is missing would pass for what was never kept."""
        if not Path(self.source, "run.json").exists():
            raise StoreError(f"{shown(self.source)} holds no results any more; start sweep explore with another folder")

    def _offered(self) -> dict[str, Statistic]:
        """Return the statistics that maps can show, the default one first."""
        from sweep.figures.statistics import drawable

        measured = measures_of(self.result.study)
        names = dict.fromkeys([default_statistic(self.result), *drawable()])
        return {name: every()[name] for name in names if self._has(every()[name], measured)}

    def _statistic(self, name: str | None) -> str:
        """Return the statistic that a request names, or the default one. SweepError if the result does not have it."""
        if not name:
            return next(iter(self.offered))
        found = every().get(synonyms().get(name, name))
        if found and found.measure:
            check_measure(self.result.study, found.measure)
        if found and found.needs_criterion:
            check_has_criterion(self.result.study)
        return column_of(name, self.offered)

    def _has(self, statistic: Statistic, measured: list[str]) -> bool:
        result = self.result
        if statistic.needs_criterion and not result.study.has_criterion:
            return False
        if statistic.name == "n_plateau" and not result.study.has_patience:
            return False
        if statistic.measure and statistic.measure not in measured:
            return False
        if statistic.measure == "final_loss" and has_loss_statistics(result.study):
            return True
        if statistic.measure or statistic.computed == "from rows":
            return result.keeps_runs
        return statistic.computed == "always" or result.has_parts

    async def read(self, is_gone: Callable[[], Awaitable[bool]], call: Callable[[], _T]) -> _T:
        """Return what a function returns that reads the result, once no other one does.

        Abandoned if no page waits, StoreError if the folder is gone.
        """
        async with self._turns:
            if await is_gone():
                raise Abandoned
            self._check_there()
            return await asyncio.to_thread(call)

    def known(self, key: tuple[Any, ...]) -> Planes | None:
        """Return the planes of a map, if they are kept."""
        return self._planes.get(key)

    def planes(self, key: tuple[Any, ...], compute: Callable[[], Planes]) -> Planes:
        """Return the planes of a map, which are computed once, and kept as long as there is room."""
        with self.reading:
            if key not in self._planes:
                self._planes[key] = compute()
                # Each measure has a copy of the whole table of cells.
                self.result.measures.known.clear()
                self.result.measures.known_cells.clear()
            self._planes.move_to_end(key)
            while len(self._planes) > 1 and sum(map(_n_bytes, self._planes.values())) > _MOST_BYTES:
                self._planes.popitem(last=False)
            return self._planes[key]


@dataclass(frozen=True, eq=False)
class ResultsMap:
    """A map: what its axes are, and the statistic that it shows. Options that are not pinned are pooled."""

    explored: ExploredResults
    x: ListAxis
    y: ListAxis
    statistic: Statistic
    pins: dict[str, Scalar]  # the only value of some options
    grid: Grid  # of the study, or with ranges of the values of options of samples

    @property
    def max_level(self) -> int:
        """The deepest level."""
        return max(self.x.max_level, self.y.max_level)

    @property
    def names(self) -> list[str]:
        """The options along the axes."""
        return [axis.name for axis in (self.x, self.y) if axis.name]

    @cached_property
    def _key(self) -> tuple[Any, ...]:
        pins = sorted((name, exact(value)) for name, value in self.pins.items())
        return self.x.name, self.y.name, self.statistic.name, *pins

    def planes(self) -> Planes:
        """Return the numbers of all cells, (y values, x values), from the lowest y on."""
        return self.explored.planes(self._key, self._compute)

    def _compute(self) -> Planes:
        from sweep.figures.statistics import select

        result, statistic = self.explored.result, self.statistic
        names = {"value": statistic.name, "n_runs": "n_runs"}
        if statistic.has_interval:
            names |= {"low": f"{statistic.name}_low", "high": f"{statistic.name}_high"}
        bare = bare_numbers(result, statistic.name) if self._has_each_cell else None
        if bare is None:
            table = select(result, statistic.name, self.pins, self.names, bare=True).table
            across, down = self.places(table)
            numbers = {column: table[column] for column in names.values() if column in table}
        else:
            cells = np.arange(result.study.n_cells)
            across, down = (self._places_of_cells(axis, cells) for axis in (self.x, self.y))
            numbers = {column: pd.Series(bare[column], copy=False) for column in names.values() if column in bare}
        at = down * len(self.x) + across
        planes = {}
        for plane, column in names.items():
            empty = np.zeros(1, np.int32) if plane == "n_runs" else np.full(1, np.nan)
            planes[plane] = np.repeat(empty, len(self.y) * len(self.x))
            if column in numbers:
                planes[plane][at] = numbers[column].to_numpy(empty.dtype, na_value=empty[0])
        return {name: plane.reshape(len(self.y), len(self.x)) for name, plane in planes.items()}

    @property
    def _has_each_cell(self) -> bool:
        """Whether each cell of the study has its place on the map."""
        study = self.explored.result.study
        several = {name for name, values in study.parameters.items() if len(values) > 1}
        return not self.pins and several == set(self.names) and study.grid is self.grid

    def _places_of_cells(self, axis: ListAxis, cells: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return the places of some cells of the study along an axis."""
        if not axis.name:
            return np.zeros(len(cells), np.intp)
        index = axis.index()
        places = np.array([index[value] for value in self.grid.parameters[axis.name]])
        return places[self.grid.place(axis.name, cells)]

    def places(self, table: pd.DataFrame) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the column and the row of each cell or run of a table, rows from the lowest y on."""
        across, down = (self._places_along(axis, table) for axis in (self.x, self.y))
        return across, down

    def _places_along(self, axis: ListAxis, table: pd.DataFrame) -> NDArray[np.intp]:
        if not axis.name:
            return np.zeros(len(table), np.intp)
        index = axis.index()
        for points, coarse in zip(self.explored.result.study.axes, self.grid.axes, strict=True):
            if axis.name in points:  # a value may stand for the range that it is in
                pairs = zip(points[axis.name], coarse[axis.name], strict=True)
                index = {**{value: index[center] for value, center in pairs}, **index}
        return np.asarray(table[axis.name].map(index), np.intp)

    async def tile(self, block: Block, is_gone: Callable[[], Awaitable[bool]]) -> Tile:
        """Return the pixels of a tile: each is the cell at its place."""
        check_between("the level", block.level, 0, self.max_level)
        planes = self.explored.known(self._key)
        if planes is None:
            planes = await self.explored.read(is_gone, self.planes)
        across = self.x.at_pixels(block.level, block.column, block.width, block.step)
        lowest = (TILE << block.level) - 1 - (block.row + block.step * (block.height - 1))
        down = self.y.at_pixels(block.level, lowest, block.height, block.step)[::-1]
        shape = (block.height, block.width)
        pixels = {
            name: planes[name][np.ix_(down, across)] if name in planes else np.full(shape, np.nan) for name in _PLANES
        }
        return Tile(pixels, len(np.unique(across)), len(np.unique(down)))

    def facts(self) -> dict[str, Any]:
        """Return the study, the map with all defaults, and what can be chosen in their place, as JSON."""
        result = self.explored.result
        with self.explored.reading:
            values = [value_of_statistic(each).as_choice() for each in self.explored.offered.values()]
            partial = coverage(result) or None
            n_runs = result.facts["n_runs"]
        study = result.study
        others = [name for name, each in study.parameters.items() if len(each) > 1 and name not in self.names]
        return {
            "study": {
                "name": study.name,
                "description": study.description,
                "source": self.explored.source,
                "partial": partial,
            },
            "map": {
                "show": "results",
                "x": self.x.name,
                "y": self.y.name,
                "value": self.statistic.name,
                "set": {name: exact(value) for name, value in self.pins.items()},
            },
            "axes": [axis.facts(study) for axis in (self.x, self.y)] + [option_facts(name, study) for name in others],
            "options": [self._option(name) for name in others],
            "values": values,
            "statuses": coded_statuses(study),
            "n_cells": study.n_cells,
            "n_runs": n_runs,
            "tile": TILE,
            "sizes": [TILE],
            "max_level": self.max_level,
        }

    def _option(self, name: str) -> dict[str, Any]:
        study = self.explored.result.study
        values = [POOLED, *map(exact, study.parameters[name])]
        value = exact(self.pins[name]) if name in self.pins else POOLED
        return {**option_facts(name, study), "values": values, "value": value}


_PLANES = ("value", "low", "high", "n_runs")


def _state_of(source: str) -> tuple[int, ...]:
    """Return the times of the last changes of a results folder, which another process may be training."""
    paths = [Path(source, name) for name in ("run.json", "commits")]
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


def _n_bytes(planes: Planes) -> int:
    return sum(numbers.nbytes for numbers in planes.values())

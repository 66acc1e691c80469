"""A rectangle of cells of a map of results: the statistics of their runs, a slice, and curves over steps."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.analysis.incidence import EVENTS, cumulative_incidence
from sweep.columns import statuses
from sweep.errors import SweepError, shown
from sweep.explore.list_axis import ListAxis
from sweep.explore.results_map import ResultsMap
from sweep.results.answers import criterion_fault, main_statistics
from sweep.results.pooled_cells import cells_with, pool_cells, pooled_tally, recorded, summarized
from sweep.results.queries import Queries
from sweep.results.result import Result
from sweep.results.some_cells import result_of_cells
from sweep.results.tables.table import statistic_text, value_text
from sweep.schemas.cell_columns import recorded_quantities
from sweep.statistics.of_cells import COUNTS, OF_CONVERGENCE, main_statistic_of, of_measure
from sweep.statistics.statistic import Statistic
from sweep.study.reading.value_forms import Scalar
from sweep.system.formatting import count_text, exact, list_text

# Most cells of which statistics are computed
MOST_CELLS = 500_000
_MOST_SERIES, _MOST_POINTS, _MOST_STEPS = 12, 200, 500
# Most values in a command.
_MOST_NAMED = 200
_MOST_TEXTS = 3
_NOTHING: Mapping[str, Any] = {"statistics": [], "incidence": None}


class Selection:
    """Columns and rows of a map, rows from the lowest y on."""

    def __init__(self, view: ResultsMap, columns: range, rows: range) -> None:
        self.view, self.columns, self.rows = view, columns, rows

    @classmethod
    def of(cls, view: ResultsMap, query: Mapping[str, str]) -> Selection:
        """Return the selection of a request, by default of the whole map. SweepError if it is not in the map."""
        return cls(view, _range("columns", query, len(view.x)), _range("rows", query, len(view.y)))

    @cached_property
    def cells(self) -> NDArray[np.int64]:
        """The numbers of the cells of the study."""
        return self.view.grid.cells_at(self._chosen)

    @cached_property
    def result(self) -> Result:
        """The result of these cells only."""
        whole = self.view.explored.result
        return whole if len(self.cells) == whole.study.n_cells else result_of_cells(whole, self.cells)

    @property
    def runs(self) -> Queries:
        """The runs, pooled over replicates that are neither axes nor pinned."""
        return self.result.naming([*self.view.names, *self.view.pins])

    @property
    def _axes(self) -> tuple[tuple[ListAxis, range], tuple[ListAxis, range]]:
        return (self.view.x, self.columns), (self.view.y, self.rows)

    @property
    def _chosen(self) -> dict[str, list[Any]]:
        """The values of the options on the axes and of pinned ones."""
        along = {axis.name: [axis.values[k] for k in places] for axis, places in self._axes if axis.name}
        return {**along, **{name: [value] for name, value in self.view.pins.items()}}

    def facts(self) -> dict[str, Any]:
        """Return what the page shows of it, as JSON."""
        self.view.planes()
        known: dict[str, Any] = {"slice": self._slice(), "command": self.command()}
        if len(self.cells) > MOST_CELLS:
            title = f"{self._where()}: {len(self.cells):,} cells; select at most {MOST_CELLS:,} for their statistics"
            return {**known, "title": title, "n_cells": len(self.cells), "n_runs": None, **_NOTHING}
        with self.view.explored.reading:
            n_cells = len(self.runs.numbered_cells)
            n_runs = int(self.runs.numbered_tally["n"].sum())
            known |= {"statistics": self._statistics(), "incidence": self._incidence()} if n_runs else _NOTHING
        title = f"{self._where()}: {count_text(n_cells, 'cell')}, {count_text(n_runs, 'run')}"
        return {**known, "title": title, "n_cells": n_cells, "n_runs": n_runs}

    def _where(self) -> str:
        """Return the values of axes and of pinned options."""
        parts = []
        for axis, places in self._axes:
            if axis.name:
                texts = axis.texts()[places.start : places.stop]
                listed = list_text(texts) if len(texts) <= _MOST_TEXTS else f"{texts[0]} to {texts[-1]}"
                parts.append(f"{axis.name.replace('_', ' ')} {listed}")
        parts += [f"{name.replace('_', ' ')} {exact(value)}" for name, value in self.view.pins.items()]
        return ", ".join(parts) or "all runs"

    def _statistics(self) -> list[dict[str, Any]]:
        """Return the statistics of all runs: that of the map, and those of the table of `sweep show`."""
        runs, shown_one = self.runs, self.view.statistic
        cells = cells_with(runs, shown_one.name)
        statistics = {**summarized(runs, shown_one.name), **recorded(runs)}
        (row,) = pool_cells(runs, [], cells, statistics).to_dict("records")
        study = runs.study
        losses = () if runs.held_out else of_measure("final_loss")
        named = [shown_one, *main_statistics(runs), *COUNTS.values()]
        named += [each for each in (OF_CONVERGENCE.values() if study.has_criterion else losses) if each.head]
        named += [main_statistic_of(measure) for measure in recorded_quantities(study)]
        return [_statistic(each, row) for each in dict.fromkeys(named) if each.name in row]

    def _slice(self) -> dict[str, Any] | None:
        """Return the statistic along the axis with more selected values; of one cell, along the whole axis."""
        spans = {"x": self.columns, "y": self.rows}
        axes = {"x": self.view.x, "y": self.view.y}
        if len(self.columns) == len(self.rows) == 1:
            along = "x" if len(axes["x"]) > 1 else "y"
            spans[along] = range(len(axes[along]))
        along = "x" if len(spans["x"]) >= len(spans["y"]) else "y"
        across = "y" if along == "x" else "x"
        if len(spans[along]) < 2:
            return None
        points, lines = _thinned(spans[along], _MOST_POINTS), _thinned(spans[across], _MOST_SERIES)
        parts = []
        if len(points) < len(spans[along]):
            parts.append(f"{len(points)} of {len(spans[along]):,} points of a line")
        if len(lines) < len(spans[across]):
            parts.append(f"{len(lines)} of {len(spans[across]):,} lines")
        planes, texts = self.view.planes(), axes[across].texts()
        series = []
        for line in lines:
            place = (line, points) if along == "x" else (points, line)
            columns = [planes[name][place].tolist() for name in ("value", "low", "high") if name in planes]
            columns += [[None] * len(points)] * (3 - len(columns))
            listed = [[k, *map(_number, each)] for k, *each in zip(points, *columns, strict=True)]
            series.append({"name": texts[line], "points": listed})
        return {
            "axis": along,
            "label": self.view.statistic.label,
            "series": series,
            "thinned": f"{list_text(parts)} shown" if parts else None,
        }

    def _incidence(self) -> dict[str, Any] | None:
        """Return the share of runs that ended with each status by each step, or None if that is not known."""
        runs = self.runs
        if not runs.has_parts or criterion_fault(runs.study):
            return None
        tally = pooled_tally(runs)
        events = [event for event in EVENTS if event in statuses(runs.study.has_patience)]
        curves = {event: cumulative_incidence(tally, event) for event in events}
        curves = {event: curve for event, curve in curves.items() if curve["incidence"].any()}
        steps = np.unique([0, tally["steps"].max(), *(step for each in curves.values() for step in each["steps"])])
        steps = steps[_thinned(range(len(steps)), _MOST_STEPS)]
        return {
            "steps": steps.tolist(),
            "curves": [{"name": event, "values": _by_step(curve, steps)} for event, curve in curves.items()],
        }

    def command(self) -> str | None:
        """Return the command that prints these cells, or None if it would be too long."""
        study, picked = self.view.explored.result.study, self._chosen
        at: dict[str, list[Scalar]] = {}
        for axis, coarse in zip(study.axes, self.view.grid.axes, strict=True):
            for name in filter(picked.__contains__, axis):
                allowed = set(picked[name])
                pairs = zip(axis[name], coarse[name], strict=True)
                at[name] = list(dict.fromkeys(value for value, center in pairs if center in allowed))
        at = {name: values for name, values in at.items() if len(values) < len(study.parameters[name])}
        if sum(map(len, at.values())) > _MOST_NAMED:
            return None
        options = [part for name, values in at.items() for part in ("--at", f"{name}={','.join(map(exact, values))}")]
        return shlex.join(["sweep", "show", self.view.explored.source, *options])


def _range(name: str, query: Mapping[str, str], n: int) -> range:
    """Return the places A:B of a request, without B, of n."""
    text = query.get(name)
    if not text:
        return range(n)
    first, colon, stop = text.partition(":")
    if not colon or not all(each.isascii() and each.isdigit() and len(each) < 10 for each in (first, stop)):
        raise SweepError(f"{name}: must be FIRST:STOP, such as 0:{n}, got {shown(text)}")
    if not int(first) < int(stop) <= n:
        raise SweepError(f"{name}: must be FIRST:STOP with FIRST below STOP and STOP at most {n}, got {text}")
    return range(int(first), int(stop))


def _thinned(places: range, most: int) -> list[int]:
    """Return at most ``most`` places, evenly spaced from the first to the last."""
    chosen = np.linspace(places.start, places.stop - 1, min(len(places), most)).round().astype(int)
    return [int(place) for place in chosen]


def _by_step(curve: pd.DataFrame, steps: NDArray[np.int64]) -> list[float]:
    """Return the value of a curve at some steps: that of its last point not after each."""
    last = np.searchsorted(curve["steps"].to_numpy(), steps, side="right")
    values = np.concatenate([[0.0], curve["incidence"].to_numpy()])[last]
    return [float(value) for value in values]


def _statistic(statistic: Statistic, row: Mapping[Any, Any]) -> dict[str, Any]:
    low, high = (row.get(f"{statistic.name}{end}") for end in ("_low", "_high"))
    value = row[statistic.name]
    if statistic.kind == "count":
        text = f"{value:,.0f}"
    elif statistic.has_interval:
        text = statistic_text(statistic, row)
    else:
        text = value_text(statistic, value)
    return {
        "name": statistic.name,
        "label": statistic.label,
        "unit": statistic.unit,
        "text": f"{text} %" if statistic.percent and "[" not in text else text,
        "value": _number(value),
        "low": _number(low),
        "high": _number(high),
    }


def _number(value: Any) -> float | None:
    """Return a number; None for those that are missing or not finite, which JSON does not have."""
    return float(value) if value is not None and not pd.isna(value) and isfinite(value) else None

"""A map: two options of a study as axes, and the studies of its pixels."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.errors import SweepError, shown, unknown
from sweep.explore.block import Block, check_between
from sweep.explore.choices import axis_choices
from sweep.explore.map_axis import TILE, MapAxis, Number
from sweep.explore.pixel_values import PixelValue, Planes, offered_values
from sweep.study.axes.study_axes import TOGETHER
from sweep.study.load import apply_changes, built_in_studies, parse_changes, read_source, study_of_tables
from sweep.study.model import Study
from sweep.study.options.explicit_weights import ExplicitWeights, is_by_seed
from sweep.system.formatting import exact, list_text

MOST_SEEDS = 1024  # of a pixel


@dataclass(frozen=True)
class MappedStudy:
    """The study of the pixels of a block. At the limit of float64 neighboring pixels share a value, and a network."""

    study: Study
    across: NDArray[np.intp]  # (columns,): the value of x of each column
    down: NDArray[np.intp]  # (rows,): the value of y of each row, from the top
    x_is_first: bool  # whether cells are ordered by x first, and then by y

    def arrange(self, planes: Planes) -> Planes:
        """Return planes of cells as (rows, columns), from the top."""
        shape = self.across.max() + 1, self.down.max() + 1
        return {name: self._arranged(numbers, *shape) for name, numbers in planes.items()}

    def _arranged(self, numbers: NDArray[np.float64], n_x: int, n_y: int) -> NDArray[np.float64]:
        grid = numbers.reshape(n_x, n_y).T if self.x_is_first else numbers.reshape(n_y, n_x)
        return grid[np.ix_(self.down, self.across)]


class Explored:
    """A study whose maps are explored, from its name, the path of its file, or a results folder."""

    def __init__(
        self, source: str, assignments: Mapping[str, Any] | None = None, plugins: tuple[str, ...] = ()
    ) -> None:
        self.source = str(Path(source) / "study.toml") if Path(source, "study.toml").is_file() else source
        if self.source == source and Path(source).is_dir() and source not in built_in_studies():
            inside = sorted(str(path.parent) for path in Path(source).glob("*/study.toml"))
            remedy = list_text(inside[:5], "or") if inside else "a study, its file, or a folder that sweep run wrote"
            raise SweepError(f"STUDY|DIR: the folder {shown(source)} has no study.toml; name {remedy}")
        self.assignments = dict(assignments or {})
        self.plugins = plugins  # files of its custom components, which are loaded
        # As it is now: the file may be changed or removed while the map is shown.
        self._raw, self._folder = read_source(self.source)
        self.study, _ = study_of_tables(copy.deepcopy(self._raw), self._folder, self.assignments)

    def map(self, query: Mapping[str, str]) -> MapView:
        """Return the map of the parameters of a request.

        SweepError if one of them is unknown or not valid, StudyError if the study is not valid with them.
        """
        options = self._options(query)
        seeds = _integer("seeds", query.get("seeds", "1"))
        check_between("seeds", seeds, 1, MOST_SEEDS)
        changes = parse_changes(f"{name}={text}" for name, text in options.items())
        raw = self._tables_of_one_cell(changes, seeds)
        # Options that have no effect beside the others are left out, unless the request sets them.
        changes["description"] = self.study.description
        fixed, _ = study_of_tables(copy.deepcopy(raw), self._folder, changes)
        if fixed.n_cells > 1:
            swept = next(name for name, values in fixed.parameters.items() if len(values) > 1)
            raise SweepError(f"set.{swept}: must be one value, got several")
        x, y = self._axes(query, fixed)
        values = offered_values(fixed)
        name = query.get("value") or next(iter(values))
        if name not in values:
            raise SweepError(unknown("value", name, list(values)))
        return MapView(raw, self._folder, fixed, x, y, values[name], options)

    def _options(self, query: Mapping[str, str]) -> dict[str, str]:
        """Return the options that a request sets. SweepError if a parameter of the request is unknown."""
        known = ("x", "y", "value", "seeds", *(f"{axis}_{end}" for axis in "xy" for end in ("low", "high", "scale")))
        for key in query:
            if key not in known and not key.startswith("set."):
                raise SweepError(unknown("parameter", key, [*known, "set.OPTION"]))
        options = {key.removeprefix("set."): text for key, text in query.items() if key.startswith("set.")}
        for name in options:
            if name not in self.study.tables.sweepable:  # others may name files
                raise SweepError(f"set.{name}: must be an option that can be swept, such as activation")
        return options

    def _tables_of_one_cell(self, changes: Mapping[str, Any], seeds: int) -> dict[str, Any]:
        """Return the tables of the study with the first value of each swept option."""
        raw = copy.deepcopy(self._raw)
        first = {name: values[0] for name, values in self.study.parameters.items()}
        apply_changes(raw, {**self.assignments, **first, **changes})
        for key in (*TOGETHER, "exclude", "method", "record"):
            raw.pop(key, None)
        base = self.study.seeds.base
        raw["seeds"] = {"count": seeds, **({"base": base} if base else {})}
        self._keep_weights_of(seeds, raw)
        return raw

    def _keep_weights_of(self, seeds: int, raw: dict[str, Any]) -> None:
        """Keep the rows of the first seeds, where initial weights have a row for each seed of the study."""
        values = self.study.values_of("values")[0]
        if values is None or seeds >= self.study.seeds.count:
            return
        shapes = self.study.all_shapes
        by_seed = {
            name: numbers[:seeds]
            for name, numbers in values.entries
            if isinstance(numbers, tuple) and is_by_seed(ExplicitWeights(((name, numbers),)), shapes)
        }
        if by_seed:
            table = raw["initial_weights"]["values"]
            raw["initial_weights"]["values"] = {**(table if isinstance(table, dict) else values.table()), **by_seed}

    def _axes(self, query: Mapping[str, str], fixed: Study) -> tuple[MapAxis, MapAxis]:
        choices = {each.name: each for each in axis_choices(self.study, fixed)}
        chosen: list[str] = []
        for place in "xy":
            name = query.get(place) or next((each for each in choices if each not in (*chosen, query.get("y"))), "")
            if name not in choices:
                known = unknown("axis", name, list(choices))
                raise SweepError(f"{known}; axes are options whose values are numbers, and single initial weights")
            if name in chosen:
                raise SweepError(f"y: must be another option than x, got {name} for both")
            chosen.append(name)
        x, y = (choices[name].axis_from(query, place) for name, place in zip(chosen, "xy", strict=True))
        return x, y


@dataclass(frozen=True, eq=False)
class MapView:
    """A map: what its axes and its pixels are."""

    raw: dict[str, Any]  # tables of the study with one cell
    folder: Path
    fixed: Study  # that study
    x: MapAxis
    y: MapAxis
    value: PixelValue
    options: dict[str, str]  # texts of the options that the request sets

    def study_of(self, block: Block) -> MappedStudy:
        """Return the study whose cells are the pixels of a block.

        StudyError if the study is not valid with these values.
        """
        n = TILE << block.level
        across = self.x.values(block.level, block.column, block.width, block.step)
        lowest = n - 1 - (block.row + block.step * (block.height - 1))
        down = self.y.values(block.level, lowest, block.height, block.step)[::-1]
        x_values, x_places = np.unique(across, return_inverse=True)
        y_values, y_places = np.unique(down, return_inverse=True)
        study = self._study({self.x.name: x_values.tolist(), self.y.name: y_values.tolist()})
        names = [name for name in study.parameters if name in (self.x.name, self.y.name)]
        return MappedStudy(study, x_places, y_places, names[0] == self.x.name)

    def pixel(self, block: Block) -> tuple[Study, dict[str, Number]]:
        """Return the study of the first pixel of a block, with one cell, and the values of both axes."""
        row = (TILE << block.level) - 1 - block.row
        values = {
            self.x.name: self.x.values(block.level, block.column, 1)[0],
            self.y.name: self.y.values(block.level, row, 1)[0],
        }
        return self._study({name: [value] for name, value in values.items()}), values

    @cached_property
    def changes(self) -> dict[str, Any]:
        """The options that requests set, as values."""
        return parse_changes(f"{name}={text}" for name, text in self.options.items())

    def _study(self, values: dict[str, list[Number]]) -> Study:
        raw = copy.deepcopy(self.raw)
        if self.value.measures:
            raw["record"] = {"measures": list(self.value.measures)}
        start = raw.get("initial_weights", {}).get("values")
        if isinstance(start, dict):  # single weights that axes vary have no other value
            left = {name: numbers for name, numbers in start.items() if name not in values}
            raw["initial_weights"]["values"] = left or None
        ends = (f"{name} from {exact(each[0])} to {exact(each[-1])}" for name, each in values.items())
        description = f"Map of {self.fixed.name}: {' and '.join(ends)}"
        return study_of_tables(raw, self.folder, {**self.changes, **values, "description": description})[0]


def _integer(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SweepError(f"{name}: must be an integer, got {shown(text)}") from None

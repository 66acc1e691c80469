"""Positions of parameter values along an axis, and labels and title of a figure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axis import Axis
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from sweep.figures.channels import is_logarithmic
from sweep.figures.ticks import name_ticks, number_ticks
from sweep.results.queries import Queries
from sweep.study.options.option_tables import OPTIONS
from sweep.study.reading.value_forms import Scalar
from sweep.study.selection import Values, cells_at
from sweep.system.formatting import count_text, list_text, plain_unit, short
from sweep.system.plain_values import is_number

# Most values that are all labeled, if there is room. With more values, round numbers are.
MOST_LABELS = 8


def label_of(name: str) -> str:
    """Return the label of an axis: the name of a parameter and its unit, if labels name it."""
    unit = plain_unit(OPTIONS[name].unit) if name in OPTIONS else ""
    return spaced(name) + (f", {unit}" if unit else "")


def spaced(name: str) -> str:
    """Return the name of a parameter with spaces instead of underscores."""
    return name.replace("_", " ")


class Places(NamedTuple):
    """Positions of the values of a parameter along an axis.

    Numbers with even spacing, linear or logarithmic, are at their value. All other values are at 0, 1, .. in order.
    """

    values: tuple[Scalar, ...]  # from the first position to the last
    scale: str  # ``"linear"``, ``"log"``, or ``"names"`` for positions 0, 1, ..

    @classmethod
    def of(cls, values: Sequence[Scalar]) -> Places:
        """Return positions of values: numbers in order, at their value if evenly spaced; names as listed."""
        places = cls.along(values)
        if places.scale == "names":
            return places
        steps = np.diff(np.log(places.centers()) if places.scale == "log" else places.centers())
        even = len(steps) > 1 and steps.min() > 0.75 * steps.max()
        return places if even else places._replace(scale="names")

    @classmethod
    def along(cls, values: Sequence[Scalar]) -> Places:
        """Return positions of values: numbers at their value, whatever their spacing; names as listed."""
        if not is_number(values[0]):
            return cls(tuple(values), "names")
        return cls(tuple(sorted(values, key=float)), "log" if is_logarithmic(values) else "linear")

    def centers(self) -> NDArray[np.float64]:
        """Return the position of each value, (values,)."""
        return np.arange(len(self.values), dtype=np.float64) if self.scale == "names" else np.array(self.values, float)

    def edges(self) -> NDArray[np.float64]:
        """Return the boundaries of the fields around the values, (values + 1,)."""
        centers = np.log(self.centers()) if self.scale == "log" else self.centers()
        if len(centers) == 1:
            edges = np.array([centers[0] - 0.5, centers[0] + 0.5])
        else:
            inner = (centers[1:] + centers[:-1]) / 2
            edges = np.concatenate([[2 * centers[0] - inner[0]], inner, [2 * centers[-1] - inner[-1]]])
        return np.exp(edges) if self.scale == "log" else edges

    def limits(self) -> tuple[float, float]:
        """Return limits of an axis that shows all values with a margin."""
        centers = np.log(self.centers()) if self.scale == "log" else self.centers()
        low, high = centers.min(), centers.max()
        room = 0.5 if self.scale == "names" or low == high else 0.05 * (high - low)
        limits = np.array([low - room, high + room])
        low, high = np.exp(limits) if self.scale == "log" else limits
        return float(low), float(high)

    def indices(self, column: pd.Series) -> NDArray[np.int64]:
        """Return the index of the position of each value of a column, (rows,)."""
        numbers = {value: k for k, value in enumerate(self.values)}
        return np.asarray(column.map(numbers), np.int64)

    def positions(self, column: pd.Series) -> NDArray[np.float64]:
        """Return the position of each value of a column, (rows,); of numbers at their value also between values."""
        return self.centers()[self.indices(column)] if self.scale == "names" else column.to_numpy(np.float64)

    def label(self, axis: Axis, name: str) -> None:
        """Set ticks and label of an axis for a parameter. Set its scale and limits before."""
        axis.set_label_text(label_of(name))
        if self.scale == "names":
            name_ticks(axis, [short(value) for value in self.values], turn=not is_number(self.values[0]))
            return
        few = self.values if len(self.values) <= MOST_LABELS else ()
        number_ticks(axis, [float(value) for value in few], whole=all(isinstance(value, int) for value in self.values))
        if self.scale == "log":
            axis.set_minor_locator(NullLocator())


def _selection(name: str, entries: Sequence[Scalar]) -> str:
    if len(entries) > 4:
        return f"{len(entries)} values of {spaced(name)}"
    return f"{spaced(name)} {list_text([short(entry) for entry in entries])}"


def heading(
    result: Queries,
    values: Values | None = None,
    shown: Sequence[str] = (),
    notes: Sequence[str] = (),
    width: float = 6.2,
    *,
    bands: str = "",
) -> str:
    """Return the title of a figure: study, fixed and pooled parameters, and the number of runs if not all are trained.

    ``values`` are those selected of each swept parameter; parameters not ``shown`` are pooled, but for those that a
    parameter shown decides because both vary together. ``bands`` end the first
    line, ``notes`` are further ones. Lines are wrapped to a width in inches.
    """
    study = result.study
    values = values or study.parameters
    fixed = [
        f"{spaced(name)} {short(entries[0])}"
        for name, entries in values.items()
        if name not in shown and len(entries) == 1
    ]
    several = {name: entries for name, entries in values.items() if len(entries) > 1}
    some = {name: _selection(name, each) for name, each in several.items() if len(each) < len(study.parameters[name])}
    pooled_over = [name for name in several if name not in shown and _is_pooled(result, values, name, shown)]
    whole = [spaced(name) for name in pooled_over if name not in some]
    pooled = [f"all values of {list_text(whole)}"] if whole else []
    pooled += [some[name] for name in pooled_over if name in some]
    per_cell = " per cell" if any(len(entries) > 1 for entries in study.parameters.values()) else ""
    seeds = count_text(study.seeds.count // result.replicates, "seed")
    if result.replicates > 1:
        seeds += f" with each of {result.replicates} values of {spaced(result.pooled_over)}"
    if result.complete and not result.even:
        n_runs = result.cells["n_runs"]
        seeds = f"{n_runs.min():,} to {count_text(n_runs.max(), 'seed')}"
    first = f"{', '.join([study.name, *fixed])}: {seeds}{per_cell}"
    notes = [*(f"for {text}" for name, text in some.items() if name in shown), *notes]
    over = f", pooled over {list_text(pooled)}" if pooled else ""
    lines = [first + bands + over, *notes]
    if not result.complete:
        lines.append(f"partial: {result.facts['n_runs']:,} of {study.n_runs:,} runs")
    return "\n".join(textwrap.fill(line, int(13 * width)) for line in lines)


def _is_pooled(result: Queries, values: Values, name: str, shown: Sequence[str]) -> bool:
    """Return whether selected cells differ in a parameter but not in those shown."""
    axis = next(axis for axis in result.study.grid.axes if name in axis)
    if len(axis) == 1:
        return True
    table = cells_at(pd.DataFrame(axis), {each: values[each] for each in axis})
    beside = [each for each in axis if each in shown]
    return bool((table.groupby(beside)[name].nunique() if beside else table[[name]].nunique()).gt(1).any())

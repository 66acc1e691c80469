"""Places of parameters along an axis, and the words of a figure."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sweep.figures.channels import is_logarithmic, is_number
from sweep.figures.ticks import name_ticks, number_ticks
from sweep.study.parameters import Scalar
from sweep.study.words import WORDS
from sweep.system.formatting import count_text, list_text, short

if TYPE_CHECKING:
    from matplotlib.axis import Axis

    from sweep.results.result import Result

# Values along an axis that are all written out, if there is room; of more, round numbers are.
MOST_LABELS = 8


def label_of(name: str) -> str:
    """Return what stands beside an axis: the name of a parameter, with its unit if it has one."""
    unit = WORDS[name].unit.replace("^2", "²") if name in WORDS else ""
    return spaced(name) + (f", {unit}" if unit else "")


def spaced(name: str) -> str:
    """Return the name of a parameter as it is read."""
    return name.replace("_", " ")


class Places(NamedTuple):
    """Where the values of a parameter stand along an axis.

    Numbers that are spaced evenly, or evenly in their logarithms, stand at themselves; all other values stand side by
    side in their order.

    Attributes
    ----------
    values
        From the first place to the last.
    scale
        ``"linear"``, ``"log"``, or ``"names"`` for values side by side.
    """

    values: tuple[Scalar, ...]
    scale: str

    @classmethod
    def of(cls, values: Sequence[Scalar]) -> Places:
        """Place values: numbers in their order, names as they are listed."""
        if not is_number(values[0]):
            return cls(tuple(values), "names")
        ordered = sorted(values, key=float)
        numbers = np.array(ordered, np.float64)
        scale = "log" if is_logarithmic(ordered) else "linear"
        steps = np.diff(np.log(numbers) if scale == "log" else numbers)
        even = len(steps) > 1 and steps.min() > 0.75 * steps.max()
        return cls(tuple(ordered), scale if even else "names")

    @classmethod
    def along(cls, values: Sequence[Scalar]) -> Places:
        """Place numbers at themselves, however they are spaced, and names side by side."""
        if not is_number(values[0]):
            return cls(tuple(values), "names")
        return cls(tuple(sorted(values, key=float)), "log" if is_logarithmic(values) else "linear")

    def centers(self) -> NDArray[np.float64]:
        """Return the place of each value."""
        return np.arange(len(self.values), dtype=np.float64) if self.scale == "names" else np.array(self.values, float)

    def edges(self) -> NDArray[np.float64]:
        """Return where the field of each value begins and the last ends."""
        centers = np.log(self.centers()) if self.scale == "log" else self.centers()
        if len(centers) == 1:
            edges = np.array([centers[0] - 0.5, centers[0] + 0.5])
        else:
            middle = (centers[1:] + centers[:-1]) / 2
            edges = np.concatenate([[2 * centers[0] - middle[0]], middle, [2 * centers[-1] - middle[-1]]])
        return np.exp(edges) if self.scale == "log" else edges

    def limits(self) -> tuple[float, float]:
        """Return where an axis begins and ends on which all values are seen, with some room beside them."""
        centers = np.log(self.centers()) if self.scale == "log" else self.centers()
        low, high = centers.min(), centers.max()
        room = 0.5 if self.scale == "names" or low == high else 0.05 * (high - low)
        limits = np.array([low - room, high + room])
        low, high = np.exp(limits) if self.scale == "log" else limits
        return float(low), float(high)

    def number_of(self) -> dict[Scalar, int]:
        """Return the number of the place of each value."""
        return {value: k for k, value in enumerate(self.values)}

    def label(self, axis: Axis, name: str) -> None:
        """Write ticks and the name of a parameter along an axis, whose scale and limits are set."""
        from matplotlib.ticker import NullLocator

        axis.set_label_text(label_of(name))
        if self.scale == "names":
            name_ticks(axis, [short(value) for value in self.values], turn=not is_number(self.values[0]))
            return
        few = self.values if len(self.values) <= MOST_LABELS else ()
        number_ticks(axis, [float(value) for value in few], whole=all(isinstance(value, int) for value in self.values))
        if self.scale == "log":
            axis.set_minor_locator(NullLocator())


def _taken(name: str, entries: Sequence[Scalar]) -> str:
    """Say which of the values of a parameter are taken."""
    if len(entries) > 4:
        return f"{len(entries)} values of {spaced(name)}"
    return f"{spaced(name)} {list_text([short(entry) for entry in entries])}"


def heading(
    result: Result,
    values: Mapping[str, Sequence[Scalar]] | None = None,
    shown: Sequence[str] = (),
    notes: Sequence[str] = (),
    width: float = 6.2,
    *,
    bands: str = "",
) -> str:
    """Return the title of a figure: the study, what is fixed, what is taken together, and how much is missing.

    Parameters
    ----------
    result
    values
        The values of each swept parameter that are taken.
    shown
        The parameters that the figure shows.
    notes
        More lines.
    width
        Of the figure, in inches.
    bands
        What bands are, behind the first line.
    """
    study = result.study
    rest = {name: entries for name, entries in (values or study.parameters).items() if name not in shown}
    fixed = [f"{spaced(name)} {short(entries[0])}" for name, entries in rest.items() if len(entries) == 1]
    together = [name for name, entries in rest.items() if len(entries) > 1]
    every = [spaced(name) for name in together if len(rest[name]) == len(study.parameters[name])]
    some = [_taken(name, rest[name]) for name in together if len(rest[name]) < len(study.parameters[name])]
    taken = [*([f"all values of {list_text(every)}"] if every else []), *some]
    per_cell = " per cell" if any(len(entries) > 1 for entries in study.parameters.values()) else ""
    first = f"{', '.join([study.name, *fixed])}: {count_text(study.seeds.count, 'seed')}{per_cell}"
    picked = {name: entries for name, entries in (values or {}).items() if name in shown}
    picked = {name: entries for name, entries in picked.items() if 1 < len(entries) < len(study.parameters[name])}
    notes = [*(f"of {_taken(name, entries)}" for name, entries in picked.items()), *notes]
    over = f", over {list_text(taken)}" if taken else ""
    lines = [first + bands + over, *notes]
    if not result.complete:
        lines.append(f"partial: {result.facts['n_runs']:,} of {study.n_runs:,} runs")
    return "\n".join(textwrap.fill(line, int(13 * width)) for line in lines)

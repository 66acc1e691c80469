"""An axis of a map of results: the values of a swept option, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.explore.map_axis import TILE
from sweep.study.content import StudyContent
from sweep.study.reading.value_forms import Scalar
from sweep.system.formatting import exact, plain_unit, short
from sweep.system.plain_values import is_finite

# Least pixels along a side of a cell at the deepest level
_CELL_PIXELS = 64
# The page shows pixels as large as those of a screen: a map of few cells has to fill one too.
_LEAST_LEVEL = 3


@dataclass(frozen=True)
class ListAxis:
    """Values of an option: numbers ascending, all others in the order of the study. One value without an option."""

    name: str  # empty without an option
    values: tuple[Scalar | None, ...] = (None,)
    are_ranges: bool = False  # whether values are centers of ranges of sampled ones

    @classmethod
    def of(cls, name: str, values: Sequence[Scalar], are_ranges: bool = False) -> ListAxis:
        """Return the axis of an option with these values."""
        numbers = [value for value in values if is_finite(value)]
        return cls(name, tuple(sorted(numbers) if len(numbers) == len(values) else values), are_ranges)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def max_level(self) -> int:
        """The level at which each value has enough pixels."""
        level = _LEAST_LEVEL
        while (TILE << level) < _CELL_PIXELS * len(self):
            level += 1
        return level

    def index(self) -> dict[Scalar | None, int]:
        """Return the place of each value."""
        return {value: k for k, value in enumerate(self.values)}

    def at_pixels(self, level: int, first: int, count: int, step: int) -> NDArray[np.intp]:
        """Return the index of the value at each ``step``-th pixel of a level from the lowest value on."""
        return (first + step * np.arange(count)) * len(self) // (TILE << level)

    def texts(self) -> list[str]:
        """Return the values as printed: with few digits where they differ in these."""
        texts = ["" if value is None and not self.name else short(value) for value in self.values]
        return texts if len(set(texts)) == len(texts) else [exact(value) for value in self.values]

    def facts(self, study: StudyContent) -> dict[str, Any]:
        """Return what the page must know of it."""
        facts = {**option_facts(self.name, study), "scale": "list", "values": self._plain(), "texts": self.texts()}
        return {**facts, "ranges": self.are_ranges}

    def _plain(self) -> list[float | str | None]:
        if not self.name:
            return [None]
        return [value if is_finite(value) else exact(value) for value in self.values]


def option_facts(name: str, study: StudyContent) -> dict[str, str]:
    """Return what the page must know of a swept option, beside its values."""
    options = study.tables.options  # get() does not know single initial weights
    meaning, unit = (options[name].meaning, plain_unit(options[name].unit)) if name in options else ("", "")
    return {"name": name, "label": name.replace("_", " "), "meaning": meaning, "unit": unit}

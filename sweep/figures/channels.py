"""Visual channels of parameters: the axis, the color, or panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import log, prod
from statistics import pstdev

from sweep.errors import SweepError, not_swept, shown
from sweep.study.axes.grid import REPLICATES
from sweep.study.reading.value_forms import Scalar
from sweep.study.selection import Values
from sweep.system.plain_values import is_number

# Readers cannot distinguish more lines in a panel, or read more panels.
MAX_LINES = 12
MAX_PANELS = 25


@dataclass(frozen=True)
class Channels:
    """The visual channel of each shown parameter."""

    x: str | None = None  # the parameter along the axis
    color: str | None = None  # the parameter with a line for each value
    facet: tuple[str, ...] = ()  # the parameters with a panel for each value: one, or two, across and down

    def assigned(self) -> dict[str, str]:
        """Return the channel of each parameter that has one; SweepError if a parameter has two."""
        named = [("x", self.x), ("color", self.color), *(("facet", name) for name in self.facet)]
        taken: dict[str, str] = {}
        for role, name in named:
            if name in taken:
                both = f"{taken[name]} and {role}"
                raise SweepError(f"{both}: must be different parameters, got {shown(name)} for both")
            if name is not None:
                taken[name] = role
        return taken


def choose_channels(values: Values, channels: Channels) -> Channels:
    """Choose a channel for each parameter with several values, and keep those that the caller has chosen.

    The axis shows the numeric parameter with the most values, the color the next one with at most :data:`MAX_LINES`.
    Panels show up to two others. The rest is pooled, as are replicates, unless there is no other parameter.
    """
    for name in channels.assigned():
        check_known(name, values)
    if len(channels.facet) > 2:
        raise SweepError(f"facet: must be one or two parameters (across, down), got {len(channels.facet)}")
    if channels.color:
        check_color(channels.color, values)
    rest = [name for name, entries in values.items() if len(entries) > 1 and name not in channels.assigned()]
    own = [name for name in rest if name not in REPLICATES]
    rest = own if own or channels.x else rest
    by_size = sorted(rest, key=lambda name: -len(values[name]))
    if channels.x is None and rest:
        channels = replace(channels, x=next(iter(sorted(by_size, key=lambda name: not is_number(values[name][0])))))
    by_size = [name for name in by_size if name != channels.x]
    if channels.color is None:
        channels = replace(channels, color=next((name for name in by_size if len(values[name]) <= MAX_LINES), None))
    by_size = [name for name in by_size if name != channels.color]
    n_panels = prod(len(values[name]) for name in channels.facet)
    if n_panels > MAX_PANELS:
        largest = max(channels.facet, key=lambda name: len(values[name]))
        raise SweepError(
            f"facet: {' and '.join(channels.facet)} must make at most {MAX_PANELS} panels, got {n_panels}; pick some "
            f"values with --at {largest}=VALUE,VALUE"
        )
    for name in by_size:
        if len(channels.facet) < 2 and n_panels * len(values[name]) <= MAX_PANELS:
            channels = replace(channels, facet=(*channels.facet, name))
            n_panels *= len(values[name])
    return channels


def check_known(name: str, values: Values) -> None:
    """Raise SweepError if a parameter is not swept."""
    if name not in values:
        raise SweepError(not_swept(name, values))


def check_color(name: str, values: Values) -> None:
    """Raise SweepError if a parameter has more values than a figure has colors."""
    if len(values[name]) > MAX_LINES:
        raise SweepError(
            f"color: {name} must have at most {MAX_LINES} values, got {len(values[name])}; color by another parameter, "
            f"or pick some values with --at {name}=VALUE,VALUE"
        )


def parse_counts(text: str) -> list[int]:
    """Return the different numbers of parallel runs in a text ``K,K``."""
    entries = [entry.strip() for entry in text.split(",")]
    are_counts = all(entry.isdecimal() and len(entry) < 10 and int(entry) for entry in entries)
    if not are_counts or len(set(entries)) < len(entries):
        raise SweepError(f"--parallel-runs: must be different whole numbers from 1, such as 1,4,16, got {text!r}")
    return [int(entry) for entry in entries]


def is_logarithmic(values: Sequence[Scalar]) -> bool:
    """Return whether logarithms of numbers are spaced more evenly; for two numbers, whether their ratio is above 10."""
    ordered = sorted(float(value) for value in values)
    if ordered[0] <= 0 or len(ordered) < 2:
        return False
    if len(ordered) == 2:
        return ordered[1] > 10 * ordered[0]
    return _unevenness([log(value) for value in ordered]) < _unevenness(ordered)


def _unevenness(ordered: list[float]) -> float:
    gaps = [after - before for before, after in pairwise(ordered)]
    return pstdev(gaps) * len(gaps) / sum(gaps)

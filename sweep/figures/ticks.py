"""Ticks along an axis, with labels that never touch each other at any size of the axis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from math import floor, log10, radians, sin
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.ticker import Formatter, Locator, LogLocator, MaxNLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

# Least distance between labels, relative to the font size: horizontal and vertical.
_ROOM_ACROSS, _ROOM_DOWN = 0.6, 0.25
# Most labels of an axis.
_MOST_LABELS = 64


class FittingTicks(Locator):
    """The first of several lists of ticks, the preferred ones first, whose labels fit along the axis."""

    axis: Axis

    def __call__(self) -> Any:
        """Return the ticks for the current limits of the axis."""
        return self.tick_values(*self.axis.get_view_interval())


class NameTicks(FittingTicks):
    """Ticks at names: all of them, or every k-th one if labels would touch."""

    def __init__(self, places: Numbers) -> None:
        self.places = places

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Return the ticks between two limits."""
        low, high = sorted((vmin, vmax))
        within = self.places[(self.places >= low) & (self.places <= high)]
        least = max(-(-len(within) // _MOST_LABELS), 1)
        candidates = (within[::every] for every in range(least, len(within) + 1))
        return next((places for places in candidates if fits(self.axis, places)), within[:1])


class NameTexts(Formatter):
    """Labels of ticks at 0, 1, .. along an axis."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the name at a tick; empty text between names."""
        place = round(x)
        return self.names[place] if place == x and 0 <= place < len(self.names) else ""


class NumberTicks(FittingTicks):
    """Ticks at these numbers if their labels fit, else at round numbers; at least two if two labels fit."""

    def __init__(self, values: Sequence[float], *, whole: bool) -> None:
        self.values = np.array(sorted(values), np.float64)
        self.whole = whole

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Return the ticks between two limits."""
        low, high = sorted((vmin, vmax))
        if not np.isfinite([low, high]).all() or (self._is_logarithmic() and low <= 0):
            return np.empty(0)
        wanted = self.values[(self.values >= low) & (self.values <= high)]
        if len(wanted) and fits(self.axis, wanted):
            return wanted
        within = [ticks[(ticks >= low) & (ticks <= high)] for ticks in self._candidates(low, high)]
        for least in (3, 2, 1):
            for ticks in within:
                if least <= len(ticks) <= _MOST_LABELS and fits(self.axis, ticks):
                    return ticks
        return np.empty(0)

    def nonsingular(self, v0: float, v1: float) -> tuple[float, float]:
        """Return the limits of the standard locator of the scale."""
        usual = LogLocator() if self._is_logarithmic() else MaxNLocator()
        usual.set_axis(self.axis)
        return usual.nonsingular(v0, v1)

    def _is_logarithmic(self) -> bool:
        return str(self.axis.get_scale()) == "log"

    def _candidates(self, low: float, high: float) -> Iterator[Any]:
        """Yield lists of ticks, the preferred ones first."""
        if self._is_logarithmic():
            decades = np.arange(floor(log10(low)), floor(log10(high)) + 2)
            with np.errstate(over="ignore"):
                for every in (1, 2, 3, 5, 10, 20, 50, 100):
                    yield 10.0 ** decades[decades % every == 0]
                yield np.outer(10.0**decades, [1.0, 2.0, 5.0]).ravel()
        for most in (8, 6, 5, 4, 3, 2, 1):
            yield MaxNLocator(most, steps=[1, 2, 2.5, 5, 10], integer=self.whole).tick_values(low, high)


class NumberTexts(Formatter):
    """Labels of numbers with enough digits to distinguish all of them."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of a number."""
        return number_text(x)

    def format_ticks(self, values: Iterable[float]) -> list[str]:
        """Return the labels of all ticks."""
        numbers = [float(value) for value in values]
        for digits in (4, 6, 9, 13, 17):
            texts = [self.fix_minus(number_text(number, digits)) for number in numbers]
            if any("$" in text for text in texts):  # if one is a power of ten, all are
                texts = [self.fix_minus(number_text(number, digits, powers=True)) for number in numbers]
            if len(set(texts)) == len(set(numbers)):
                break
        return texts


class AnnotatedNumbers(NumberTexts):
    """Labels of numbers, each with another text below."""

    def __init__(self, annotation: Callable[[float], str]) -> None:
        self.annotation = annotation

    def format_ticks(self, values: Iterable[float]) -> list[str]:
        """Return the labels of all ticks, of two lines each."""
        texts = super().format_ticks(values)
        return [f"{text}\n{self.annotation(float(x))}" for text, x in zip(texts, values, strict=True)]


def number_text(number: float, digits: int = 4, *, powers: bool = False) -> str:
    r"""Return the label of a number with these significant digits. Very large and very small ones are powers of ten.

    >>> number_text(0.001778279), number_text(12500), number_text(1e-9), number_text(2e30)
    ('0.001778', '12,500', '$10^{-9}$', '$2\\times10^{30}$')
    """
    size = abs(number)
    if size == 0 or (1e-4 <= size < 1e7 and not powers):
        whole = len(f"{size:.0f}")
        return f"{number:,.{max(digits, whole)}g}"
    mantissa, exponent = f"{number:.{digits - 1}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    factor = {"1": "", "-1": "-"}.get(mantissa, rf"{mantissa}\times")
    return f"${factor}10^{{{int(exponent)}}}$"


def fits(axis: Axis, ticks: Numbers, part: float = 1.0) -> bool:
    """Return whether the labels of ticks fit along a part of an axis without touching each other."""
    if len(ticks) < 2:
        return True
    across = isinstance(axis, XAxis)
    axis.get_view_interval()  # updates stale limits
    transform = axis.axes.get_xaxis_transform() if across else axis.axes.get_yaxis_transform()
    points = np.column_stack([ticks, np.zeros(len(ticks))][:: 1 if across else -1])
    places = transform.transform(points)[:, 0 if across else 1] * 72 / axis.axes.figure.dpi
    label = axis.majorTicks[0].label1
    font = label.get_fontproperties()
    angle = label.get_rotation()
    texts = axis.get_major_formatter().format_ticks(list(ticks))
    extents = np.array([_extent(text, font) for text in texts])
    size = float(label.get_fontsize())
    if not across:
        needed = (extents[1:, 1] + extents[:-1, 1]) / 2 + _ROOM_DOWN * size
    elif angle:
        needed = np.full(len(ticks) - 1, size / sin(radians(angle)))
    else:
        needed = (extents[1:, 0] + extents[:-1, 0]) / 2 + _ROOM_ACROSS * size
    return bool((part * np.abs(np.diff(places)) >= needed).all())


@lru_cache(maxsize=4096)
def _extent(text: str, font: FontProperties) -> tuple[float, float]:
    """Return width and height of a label in points."""
    sizes = [text_to_path.get_text_width_height_descent(line, font, ismath="$" in line) for line in text.split("\n")]
    return max(float(width) for width, _, _ in sizes), sum(float(height + descent) for _, height, descent in sizes)


# Rotations of names in degrees, tried until all names fit.
_TURNS = (0, 40, 90)
# The layout may still shrink an axis to this fraction after its labels are drawn.
_SHRINKS_TO = 0.8


def number_ticks(axis: Axis, values: Sequence[float] = (), *, whole: bool = False) -> None:
    """Label an axis with these values if all of them fit, else with round numbers, which are integers if ``whole``."""
    axis.set_major_locator(NumberTicks(values, whole=whole))
    axis.set_major_formatter(NumberTexts())
    axis.set_minor_formatter(NullFormatter())


def annotate_ticks(axis: Axis, annotation: Callable[[float], str]) -> None:
    """Write a text below the label of each tick, on axes labeled by :func:`number_ticks`."""
    if isinstance(axis.get_major_formatter(), NumberTexts):
        axis.set_major_formatter(AnnotatedNumbers(annotation))


def name_ticks(axis: Axis, names: Sequence[str], *, turn: bool) -> None:
    """Label positions 0, 1, .. along an axis, every k-th one if not all fit; ``turn`` may rotate the labels."""
    places = np.arange(len(names), dtype=np.float64)
    axis.set_major_formatter(NameTexts(names))
    axis.set_major_locator(NameTicks(places))
    axis.set_minor_locator(NullLocator())
    if not turn or not isinstance(axis, XAxis):
        return
    for angle in _TURNS:
        axis.set_tick_params(labelrotation=angle)
        if fits(axis, places, _SHRINKS_TO):
            break
    for label in axis.get_ticklabels() if angle not in (0, 90) else ():
        label.set(ha="right", rotation_mode="anchor")


def scale_from_zero(axes: Axes, values: NDArray[Any]) -> None:
    """Set the vertical axis from 0 to the largest value, with a margin for points at both ends."""
    top = float(values.max()) or 1.0
    axes.set_ylim(-0.03 * top, 1.03 * top)


def fit_scale(axes: Axes, values: NDArray[Any]) -> None:
    """Set the vertical axis from the smallest to the largest value, with a margin for points at both ends."""
    low, high = float(values.min()), float(values.max())
    room = 0.04 * (high - low) or 1.0
    axes.set_ylim(low - room, high + room)


def scale_numbers(axes: Axes, which: Literal["x", "y"], values: NDArray[Any]) -> None:
    """Label an axis, and make it logarithmic if its values are positive and span a factor above 5."""
    drawn = values[np.isfinite(values)]
    if drawn.size and drawn.min() > 0 and drawn.max() > 5 * drawn.min():
        axes.set(**{f"{which}scale": "log"})
    number_ticks(axes.xaxis if which == "x" else axes.yaxis)

"""Ticks along an axis, with labels that never touch each other at any size of the axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

# Rotations of names in degrees, tried until all names fit.
_TURNS = (0, 40, 90)
# The layout may still shrink an axis to this fraction after its labels are drawn.
_SHRINKS_TO = 0.8


def number_ticks(axis: Axis, values: Sequence[float] = (), *, whole: bool = False) -> None:
    """Label an axis with these values if all of them fit, else with round numbers, which are integers if ``whole``."""
    from matplotlib.ticker import NullFormatter

    from sweep.figures.locators import NumberTexts, NumberTicks

    axis.set_major_locator(NumberTicks(values, whole=whole))
    axis.set_major_formatter(NumberTexts())
    axis.set_minor_formatter(NullFormatter())


def annotate_ticks(axis: Axis, annotation: Callable[[float], str]) -> None:
    """Write a text below the label of each tick, on axes labelled by :func:`number_ticks`."""
    from sweep.figures.locators import AnnotatedNumbers, NumberTexts

    if isinstance(axis.get_major_formatter(), NumberTexts):
        axis.set_major_formatter(AnnotatedNumbers(annotation))


def name_ticks(axis: Axis, names: Sequence[str], *, turn: bool) -> None:
    """Label positions 0, 1, .. along an axis: all of them, or every k-th one if they do not fit.

    Set the limits of the axis before. With ``turn``, labels may be rotated.
    """
    from matplotlib.axis import XAxis
    from matplotlib.ticker import NullLocator

    from sweep.figures.locators import NameTexts, NameTicks, fits

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

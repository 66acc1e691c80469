"""Ticks along an axis: labels that never touch each other, however large the axis is when it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

# How far names are turned until there is room for all, in degrees.
_TURNS = (0, 40, 90)
# An axis may still shrink by this once all that stands beside it is written.
_SHRINKS_TO = 0.8


def number_ticks(axis: Axis, values: Sequence[float] = (), *, whole: bool = False) -> None:
    """Label an axis of numbers with round ones, or with certain values if there is room for all of them.

    Parameters
    ----------
    axis
        Linear or logarithmic.
    values
        Those to label rather than round numbers.
    whole
        Whether there are whole numbers only.
    """
    from matplotlib.ticker import NullFormatter

    from sweep.figures.locators import NumberTexts, NumberTicks

    axis.set_major_locator(NumberTicks(values, whole=whole))
    axis.set_major_formatter(NumberTexts())
    axis.set_minor_formatter(NullFormatter())


def tell_at_ticks(axis: Axis, tell: Callable[[float], str]) -> None:
    """Write a number that belongs to each tick below its label, where numbers are labelled by :func:`number_ticks`."""
    from sweep.figures.locators import NumbersTold, NumberTexts

    if isinstance(axis.get_major_formatter(), NumberTexts):
        axis.set_major_formatter(NumbersTold(tell))


def name_ticks(axis: Axis, names: Sequence[str], *, turn: bool) -> None:
    """Label what stands at 0, 1, .. along an axis: all of it, or every second or third where there is no room.

    Parameters
    ----------
    axis
        Linear, with its limits.
    names
    turn
        Whether names may be turned to have room for all.
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
    """Let an axis begin at 0 and end at the largest value, with the points there whole."""
    top = float(values.max()) or 1.0
    axes.set_ylim(-0.03 * top, 1.03 * top)


def scale_numbers(axes: Axes, which: Literal["x", "y"], values: NDArray[Any]) -> None:
    """Make an axis of numbers logarithmic if they are positive and wide apart, and label it with plain numbers."""
    drawn = values[np.isfinite(values)]
    if drawn.size and drawn.min() > 0 and drawn.max() > 5 * drawn.min():
        axes.set(**{f"{which}scale": "log"})
    number_ticks(axes.xaxis if which == "x" else axes.yaxis)

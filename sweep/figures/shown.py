"""Figures and axes that notebooks show as images although pyplot does not manage them.

The base classes are matplotlib's, so this module is imported only for drawing.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure


class ShownFigure(Figure):
    """A figure that notebooks show although pyplot does not manage it."""

    def _repr_png_(self) -> bytes:
        return _png(self)


class ShownAxes(Axes):
    """Axes that notebooks show as their whole figure."""

    def _repr_png_(self) -> bytes:
        return _png(self.figure)


def _png(figure: Any) -> bytes:
    drawn = BytesIO()
    figure.savefig(drawn, format="png")
    return drawn.getvalue()

"""An axis of a map: the value of each pixel, exact at any level."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from math import isfinite
from typing import Literal

import numpy as np

from sweep.errors import SweepError, shown
from sweep.study.reading.value_forms import decimal_context

TILE = 256  # pixels along a side of a tile
# The deepest level. There the side of a map has 2^50 pixels, whose numbers a browser still holds exactly.
MAX_LEVEL = 42

Number = int | float


@dataclass(frozen=True)
class MapAxis:
    """A numeric option and its range, which the pixels of a level divide into equal parts, or into equal ratios.

    Raises
    ------
    SweepError
        If the ends are not finite and ascending, or not above 0 on a logarithmic scale.
    """

    name: str
    low: float
    high: float
    scale: Literal["linear", "log"]
    # Whether values are rounded to integers, or to float32 as networks of that dtype do, so that pixels may be equal
    integer: bool = False
    float32: bool = False

    def __post_init__(self) -> None:
        if not (isfinite(self.low) and isfinite(self.high) and self.low < self.high):
            raise SweepError(
                f"{self.name}: the range must have a lower and a higher end, got {self.low} to {self.high}"
            )
        if self.scale not in ("linear", "log"):
            raise SweepError(f"{self.name}: the scale must be linear or log, got {shown(self.scale)}")
        if self.scale == "log" and self.low <= 0:
            raise SweepError(f"{self.name}: a log scale must begin above 0, got {self.low}; set another range")

    def values(self, level: int, first: int, count: int, step: int = 1) -> list[Number]:
        """Return the values at the centers of ``count`` pixels of a level: each ``step``-th one from ``first`` on.

        They are correctly rounded, so a pixel has the same value in every tile and on every machine.
        """
        n = TILE << level
        center = Fraction(2 * first + 1, 2 * n)
        found = (self._linear if self.scale == "linear" else self._log)(center, Fraction(step, n), count)
        if self.integer:
            return [round(value) for value in found]
        return np.array(found).astype(np.float32).astype(float).tolist() if self.float32 else found

    def _linear(self, center: Fraction, step: Fraction, count: int) -> list[float]:
        low, width = Fraction(self.low), Fraction(self.high) - Fraction(self.low)
        return [float(low + width * (center + k * step)) for k in range(count)]

    def _log(self, center: Fraction, step: Fraction, count: int) -> list[float]:
        with localcontext(decimal_context()):
            low = Decimal(self.low)
            width = Decimal(self.high).ln() - low.ln()
            value = low * (width * center.numerator / center.denominator).exp()
            ratio = (width * step.numerator / step.denominator).exp()
            found = []
            for _ in range(count):
                found.append(float(value))
                value *= ratio
        return found

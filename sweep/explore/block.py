"""Pixels of a map: those of a tile, or of a view."""

from __future__ import annotations

from typing import NamedTuple

from sweep.errors import SweepError, shown
from sweep.explore.map_axis import MAX_LEVEL, TILE

# Pixels along a side of the tiles that stand for a tile of 256 until it is trained.
SIZES = (16, 64, TILE)
MOST_PIXELS = 1024  # along a side of the study of a view


class Block(NamedTuple):
    """Pixels of a level: each ``step``-th one, from ``column`` and ``row`` on, counted from the top left corner."""

    level: int
    column: int
    row: int
    width: int
    height: int
    step: int = 1

    @classmethod
    def of_tile(cls, level: int, column: int, row: int, size: int) -> Block:
        """Return the pixels of a tile; a smaller ``size`` takes evenly spaced ones of the 256 along a side."""
        check_between("the level", level, 0, MAX_LEVEL)
        for place in (column, row):
            check_between(f"a tile of level {level}", place, 0, (1 << level) - 1)
        if size not in SIZES:
            raise SweepError(f"the size of a tile must be one of {', '.join(map(str, SIZES))}, got {size}")
        step = TILE // size
        return cls(level, TILE * column + step // 2, TILE * row + step // 2, size, size, step)

    def whole_tile(self) -> Block:
        """Return all pixels of the tile that these pixels are in."""
        return Block(self.level, self.column // TILE * TILE, self.row // TILE * TILE, TILE, TILE)

    @classmethod
    def of_view(cls, level: int, column: int, row: int, width: int, height: int) -> Block:
        """Return adjacent pixels of a level."""
        check_between("the level", level, 0, MAX_LEVEL)
        for name, first, count in (("column", column, width), ("row", row, height)):
            check_between(f"the number of {name}s", count, 1, MOST_PIXELS)
            check_between(f"the {name}", first, 0, (TILE << level) - count)
        return cls(level, column, row, width, height)


def check_between(name: str, value: int, low: int, high: int) -> None:
    """Raise a SweepError if a number is not between two others."""
    if not low <= value <= high:
        raise SweepError(f"{name} must be from {low} to {high}, got {shown(value)}")

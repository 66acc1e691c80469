"""The planes of a tile, from its own result or from that of the whole tile of 256 pixels along a side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np

from sweep.explore.block import Block
from sweep.explore.map_axis import TILE
from sweep.explore.map_view import Explored, MappedStudy, MapView
from sweep.explore.page_facts import page_facts
from sweep.explore.pixel_values import Planes
from sweep.explore.tile_trainer import TileTrainer
from sweep.results.result import Result

# One tile after the other: at once they would share the time of Python, and all would be late.
_finder = ThreadPoolExecutor(1, "explore-find")


class Tile(NamedTuple):
    """The numbers of a tile, and how many of its values differ."""

    planes: Planes  # (rows, columns), from the top
    n_x: int
    n_y: int


class ShownMap(Protocol):
    """A map that the server shows: one whose pixels are trained, or one of results."""

    def facts(self) -> dict[str, Any]:
        """Return the study, the map with all defaults, and what can be chosen in their place, as JSON."""

    async def tile(self, block: Block, is_gone: Callable[[], Awaitable[bool]]) -> Tile:
        """Return the pixels of a tile."""


class TrainedMap(NamedTuple):
    """A map whose pixels are trained when one looks at them."""

    explored: Explored
    view: MapView
    trainer: TileTrainer

    def facts(self) -> dict[str, Any]:
        """Return what the page must know."""
        return page_facts(self.explored, self.view)

    async def tile(self, block: Block, is_gone: Callable[[], Awaitable[bool]]) -> Tile:
        """Return the pixels of a tile once they are trained."""
        return await trained_tile(self.trainer, self.view, block, is_gone)


async def trained_tile(
    trainer: TileTrainer, view: MapView, block: Block, is_gone: Callable[[], Awaitable[bool]]
) -> Tile:
    """Return the pixels of a tile once they are trained, as :meth:`TileTrainer.result` does.

    Only tiles of 256 pixels along a side are kept in folders; smaller ones have some of their pixels.
    """
    loop = asyncio.get_running_loop()
    mapped, step, result = await loop.run_in_executor(_finder, _find, trainer, view, block)
    if result is None:
        result = await trainer.result(mapped.study, block.width, is_gone, is_saved=block.width == TILE)
    planes = await asyncio.to_thread(lambda: mapped.arrange(view.value.planes(result)))
    shown = {name: numbers[step // 2 :: step, step // 2 :: step] for name, numbers in planes.items()}
    return Tile(shown, len(np.unique(mapped.across)), len(np.unique(mapped.down)))


def _find(trainer: TileTrainer, view: MapView, block: Block) -> tuple[MappedStudy, int, Result | None]:
    """Return the study that has the pixels of a block, every how many of its pixels are among them, and its result."""
    whole = view.study_of(block.whole_tile())
    result = trainer.known(whole.study)
    if result is None and block.step > 1:
        return view.study_of(block), 1, None
    return whole, block.step, result

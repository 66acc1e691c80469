"""A flight: a map as files that any web server shows, without Python."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sweep.errors import SweepError
from sweep.explore.block import Block
from sweep.explore.map_axis import MAX_LEVEL, TILE
from sweep.explore.map_view import Explored, MapView
from sweep.explore.page_facts import page_facts
from sweep.explore.page_files import page_files
from sweep.explore.pixel_network import command_of, pixel_network
from sweep.explore.pixel_values import Planes
from sweep.explore.tile_trainer import TileTrainer
from sweep.system.formatting import count_text, size_text
from sweep.system.wrapping import print_text

MOST_TILES = 2000
# Tiles on each side of the one that a flight leads to.
_BESIDE = 1
_TYPES = {"status": "u1"}  # others are 32-bit floats


class Pixel(NamedTuple):
    """A pixel of a level."""

    level: int
    column: int
    row: int

    @classmethod
    def parse(cls, text: str) -> Pixel:
        """Return the pixel of ``LEVEL/COLUMN/ROW``. SweepError if it is not one."""
        numbers = text.split("/")
        if len(numbers) != 3 or not all(number.isascii() and number.isdigit() for number in numbers):
            raise SweepError(f"a pixel must be LEVEL/COLUMN/ROW, as in the address of the page, got {text!r}")
        level, column, row = map(int, numbers)
        Block.of_view(level, column, row, 1, 1)
        return cls(level, column, row)


class Flight(NamedTuple):
    """The tiles of a flight: whole levels, and at deeper levels those around a pixel."""

    levels: int  # the last whole level
    target: Pixel | None = None
    networks: tuple[Pixel, ...] = ()  # pixels whose networks are written too

    def tiles(self) -> list[tuple[int, int, int]]:
        """Return level, column and row of each tile. SweepError if they are too many."""
        if not 0 <= self.levels <= MAX_LEVEL:
            raise SweepError(f"--levels: must be from 0 to {MAX_LEVEL}, got {self.levels}")
        n_tiles = (4 ** (self.levels + 1) - 1) // 3
        if n_tiles > MOST_TILES:
            raise SweepError(
                f"--levels: {self.levels} whole levels have {n_tiles:,} tiles, more than {MOST_TILES:,}; write fewer "
                "levels, and deeper ones around a pixel with --to"
            )
        whole = [(z, i, j) for z in range(self.levels + 1) for i in range(1 << z) for j in range(1 << z)]
        return whole + list(self._deeper())

    def _deeper(self) -> Iterator[tuple[int, int, int]]:
        if self.target is None:
            return
        level, column, row = self.target
        for z in range(self.levels + 1, level + 1):
            near = [
                range(max(0, each // TILE - _BESIDE), min((1 << z) - 1, each // TILE + _BESIDE) + 1)
                for each in (column >> (level - z), row >> (level - z))
            ]
            yield from ((z, i, j) for i in near[0] for j in near[1])


def write_flight(explored: Explored, view: MapView, flight: Flight, trainer: TileTrainer, out: Path) -> int:
    """Train the tiles of a flight, write them and the page into a folder, and return the bytes of all files.

    The first tile tells the size of all, which is printed. SweepError if the folder exists and is not empty.
    """
    tiles = flight.tiles()
    if out.exists() and any(out.iterdir()):
        raise SweepError(f"--export: the folder {str(out)!r} must be empty or new")
    out.mkdir(parents=True, exist_ok=True)
    print_text(f"{count_text(len(tiles), 'tile')} of {TILE * TILE:,} pixels", file=sys.stderr)
    written = 0
    for number, place in enumerate(tiles, 1):
        content = _content(_trained(trainer, view, place), *_values(view, place))
        level, column, row = place
        written += _write(out / "tiles" / str(level) / str(column) / f"{row}.gz", content)
        if number == 1:
            print_text(f"about {size_text(len(tiles) * written)} in all, from the first tile", file=sys.stderr)
        elif number % 20 == 0 or number == len(tiles):
            print_text(f"{number} of {len(tiles)} tiles, {size_text(written)}", file=sys.stderr)
    for pixel in flight.networks:
        found = pixel_network(explored, view, Block.of_view(*pixel, 1, 1), 0)
        written += _write(out / "networks" / "{}.{}.{}.json".format(*pixel), _json(found))
    written += _write(out / "flight.json", _json(_facts(explored, view, flight, tiles)))
    return written + write_page(out)


def _trained(trainer: TileTrainer, view: MapView, place: tuple[int, int, int]) -> Planes:
    """Return the planes of a tile."""
    mapped = view.study_of(Block.of_tile(*place, TILE))
    return mapped.arrange(view.value.planes(trainer.wait(mapped.study, TILE, is_saved=True)))


def _values(view: MapView, place: tuple[int, int, int]) -> Iterator[list[float]]:
    """Yield the values of the columns and the rows of a tile, rows from the top."""
    level, column, row = place
    yield [float(value) for value in view.x.values(level, TILE * column, TILE)]
    yield [float(value) for value in view.y.values(level, TILE * ((1 << level) - 1 - row), TILE)[::-1]]


def _content(planes: Planes, x: list[float], y: list[float]) -> bytes:
    """Return the file of a tile: the values of columns and rows as float64, then its planes, compressed."""
    parts = [np.array(x, "<f8").tobytes(), np.array(y, "<f8").tobytes()]
    with np.errstate(over="ignore"):  # what exceeds 32 bits is drawn as infinite
        parts += [plane.astype(f"<{_TYPES.get(name, 'f4')}").tobytes() for name, plane in planes.items()]
    return gzip.compress(b"".join(parts), 9, mtime=0)


def _facts(explored: Explored, view: MapView, flight: Flight, tiles: Iterable[tuple[int, int, int]]) -> dict[str, Any]:
    """Return what the page of a flight must know."""
    facts = page_facts(explored, view)
    value = next(each for each in facts["values"] if each["name"] == view.value.name)
    planes = ("value", "status") if view.value.seeds == "one" else ("value", "low", "high", "n_runs")
    marks = {view.x.name: "{x}", view.y.name: "{y}"}
    return {
        "choices": {
            **facts,
            "axes": [each for each in facts["axes"] if each["name"] in marks],
            "options": [],
            "values": [value],
        },
        "planes": [[name, _TYPES.get(name, "f4")] for name in planes],
        "tiles": ["/".join(map(str, place)) for place in tiles],
        "networks": [".".join(map(str, pixel)) for pixel in flight.networks],
        "target": flight.target and flight.target._asdict(),
        "command": command_of(explored, view, marks, view.fixed.seeds.base),
        "seed": view.fixed.seeds.base,
    }


def write_page(out: Path) -> int:
    """Write the page of a flight beside its tiles, and return the bytes of its files."""
    return sum(_write(out / path, content) for path, content in page_files("index.html", "flight.json").items())


def _json(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def _write(path: Path, content: bytes) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return len(content)

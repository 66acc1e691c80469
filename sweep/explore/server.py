"""The server of `sweep explore`: the page, tiles, networks and studies, for this machine only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sweep.errors import StoreError, SweepError
from sweep.explore.block import Block
from sweep.explore.guard import Guard
from sweep.explore.map_view import Explored, MapView
from sweep.explore.page_facts import page_facts
from sweep.explore.pixel_network import pixel_network
from sweep.explore.pixel_values import Planes
from sweep.explore.tile_trainer import Abandoned, BusyError, TileTrainer
from sweep.explore.tiles import trained_tile

_PAGE = Path(__file__).parent / "page"
_MOST_MAPS = 64  # that are kept in memory

Handler = Callable[[Request], Awaitable[Response]]


class ExploreServer:
    """The requests of pages, answered from maps of a study."""

    def __init__(self, explored: Explored, trainer: TileTrainer) -> None:
        self._explored, self._trainer = explored, trainer
        self._map = lru_cache(_MOST_MAPS)(lambda query: explored.map(dict(query)))

    def app(self, token: str, hosts: set[str]) -> Starlette:
        """Return the application, which answers requests with a token to one of these hosts."""
        import xstatic.pkg.leaflet

        routes = [
            Route("/", self._page),
            Route("/choices", _answered(self._choices)),
            Route("/tile/{level:int}/{column:int}/{row:int}/{size:int}", _answered(self._tile)),
            Route("/network", _answered(self._network)),
            Route("/study", _answered(self._study)),
            Route("/state", _answered(self._state)),
            Mount("/page", StaticFiles(directory=_PAGE)),
            Mount("/leaflet", StaticFiles(directory=xstatic.pkg.leaflet.BASE_DIR)),
        ]
        guard = Middleware(Guard, token=token, hosts=hosts)
        return Starlette(routes=[Mount(f"/{token}", routes=routes)], middleware=[guard])

    async def _page(self, request: Request) -> Response:
        return Response((_PAGE / "explore.html").read_bytes(), media_type="text/html")

    async def _view(self, request: Request) -> MapView:
        """Return the map of a request, from its parameters."""
        query = {name: text for name, text in request.query_params.items() if name not in _OF_PIXELS}
        return await asyncio.to_thread(self._map, tuple(sorted(query.items())))

    async def _choices(self, request: Request) -> Response:
        view = await self._view(request)
        return JSONResponse(await asyncio.to_thread(page_facts, self._explored, view))

    async def _tile(self, request: Request) -> Response:
        view = await self._view(request)
        place = request.path_params
        block = Block.of_tile(*(place[name] for name in ("level", "column", "row", "size")))
        tile = await trained_tile(self._trainer, view, block, request.is_disconnected)
        headers = {"Sweep-Planes": ",".join(tile.planes), "Sweep-Distinct": f"{tile.n_x},{tile.n_y}"}
        return Response(_bytes_of(tile.planes), media_type="application/octet-stream", headers=headers)

    async def _network(self, request: Request) -> Response:
        view = await self._view(request)
        level, column, row = (_integer(request, name) for name in ("z", "column", "row"))
        block = Block.of_view(level, column, row, 1, 1)
        offset = _integer(request, "seed", 0)
        found = await asyncio.to_thread(pixel_network, self._explored, view, block, offset)
        return JSONResponse(found)

    async def _study(self, request: Request) -> Response:
        view = await self._view(request)
        level, column, row = (_integer(request, name) for name in ("z", "column", "row"))
        width, height = (_integer(request, name, 512) for name in ("width", "height"))
        mapped = await asyncio.to_thread(view.study_of, Block.of_view(level, column, row, width, height))
        name = f"{view.fixed.name}-map.toml"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(mapped.study.to_toml(), media_type="text/plain", headers=headers)

    async def _state(self, request: Request) -> Response:
        return JSONResponse(self._trainer.state())


_OF_PIXELS = {"z", "column", "row", "width", "height", "seed"}


def _answered(handle: Handler) -> Handler:
    """Return a handler that answers a bad request with one sentence."""

    async def answer(request: Request) -> Response:
        try:
            return await handle(request)
        except Abandoned:
            return Response(status_code=499)
        except BusyError as error:
            return PlainTextResponse(str(error), 429)
        except StoreError as error:
            return PlainTextResponse(str(error), 500)
        except SweepError as error:
            return PlainTextResponse(str(error).splitlines()[0], 400)

    return answer


def _integer(request: Request, name: str, default: int | None = None) -> int:
    text = request.query_params.get(name)
    if text is None and default is not None:
        return default
    try:
        return int(text or "")
    except ValueError:
        raise SweepError(f"{name}: must be an integer, got {text!r}") from None


def _bytes_of(planes: Planes) -> bytes:
    return b"".join(np.ascontiguousarray(numbers, "<f8").tobytes() for numbers in planes.values())

"""The server of `sweep explore`: the page, tiles, networks and studies, for this machine only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache, partial
from pathlib import PurePath
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from sweep.errors import StoreError, SweepError, shown
from sweep.explore.block import Block
from sweep.explore.cell_tables import cells_page, runs_page
from sweep.explore.guard import Guard
from sweep.explore.map_view import Explored, MapView
from sweep.explore.page_files import page_files
from sweep.explore.pixel_network import pixel_network
from sweep.explore.pixel_values import Planes
from sweep.explore.results_map import ExploredResults, ResultsMap
from sweep.explore.selection import Selection
from sweep.explore.tile_trainer import Abandoned, BusyError, TileTrainer
from sweep.explore.tiles import ShownMap, TrainedMap

_MOST_MAPS = 64  # that are kept in memory
_TYPES = {"": "text/html", ".js": "text/javascript", ".css": "text/css"}

Handler = Callable[[Request], Awaitable[Response]]


class ExploreServer:
    """The requests of pages, answered from maps of a study, and of its results if there are any."""

    def __init__(self, explored: Explored, trainer: TileTrainer, results: ExploredResults | None = None) -> None:
        self._explored, self._trainer, self._results = explored, trainer, results
        # What maps can show, the default first.
        self._shows = ["results", "training"] if results else ["training"]
        self._map = lru_cache(_MOST_MAPS)(self._open)

    def app(self, token: str, hosts: set[str]) -> Starlette:
        """Return the application, which answers requests with a token to one of these hosts."""
        routes = [
            Route("/choices", _answered(self._choices)),
            Route("/tile/{level:int}/{column:int}/{row:int}/{size:int}", _answered(self._tile)),
            Route("/selection", _answered(self._selected(lambda selection, _: selection.facts()))),
            Route("/cells", _answered(self._selected(cells_page))),
            Route("/runs", _answered(self._selected(runs_page))),
            Route("/network", _answered(self._network)),
            Route("/study", _answered(self._study)),
            Route("/state", _answered(self._state)),
            *(Route(f"/{path}", self._file(path, content)) for path, content in page_files("").items()),
        ]
        guard = Middleware(Guard, token=token, hosts=hosts)
        return Starlette(routes=[Mount(f"/{token}", routes=routes)], middleware=[guard])

    def _open(self, show: str, query: tuple[tuple[str, str], ...]) -> ShownMap:
        if show not in self._shows:
            known = " or ".join(self._shows)
            why = "" if self._results else "; this study has no results, or options are set that change it"
            raise SweepError(f"show: must be {known}, got {shown(show)}{why}")
        if show == "results" and self._results:
            return self._results.map(dict(query))
        return TrainedMap(self._explored, self._explored.map(dict(query)), self._trainer)

    async def _shown(self, request: Request) -> ShownMap:
        """Return the map of a request, from its parameters."""
        query = {name: text for name, text in request.query_params.items() if name not in _OF_REQUESTS}
        show = request.query_params.get("show") or self._shows[0]
        return await asyncio.to_thread(self._map, show, tuple(sorted(query.items())))

    async def _view(self, request: Request) -> MapView:
        """Return the map of a request for a network."""
        found = await self._shown(request)
        if not isinstance(found, TrainedMap):
            raise SweepError("show: must be training for networks of pixels and studies of views, got results")
        return found.view

    def _selected(self, answer: Callable[[Selection, Mapping[str, str]], dict[str, Any]]) -> Handler:
        """Return a handler that answers a request for a part of a map of results."""

        async def handle(request: Request) -> Response:
            found = await self._shown(request)
            if not isinstance(found, ResultsMap):
                raise SweepError("show: must be results for selections of cells, got training")
            selection = Selection.of(found, request.query_params)
            call = partial(answer, selection, request.query_params)
            return JSONResponse(await found.explored.read(request.is_disconnected, call))

        return handle

    async def _choices(self, request: Request) -> Response:
        found = await self._shown(request)
        facts = await asyncio.to_thread(found.facts)
        facts["map"]["show"] = "results" if isinstance(found, ResultsMap) else "training"
        return JSONResponse({**facts, "shows": self._shows})

    async def _tile(self, request: Request) -> Response:
        found = await self._shown(request)
        place = request.path_params
        block = Block.of_tile(*(place[name] for name in ("level", "column", "row", "size")))
        tile = await found.tile(block, request.is_disconnected)
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

    def _file(self, path: str, content: bytes) -> Handler:
        """Return a handler that answers a file of the page, which stays in memory: to read it takes longer.

        Who loads the page sees what is trained by then.
        """

        async def answer(request: Request) -> Response:
            if not path and self._results and await asyncio.to_thread(self._results.renew):
                self._map.cache_clear()
            return Response(content, media_type=_TYPES[PurePath(path).suffix])

        return answer


# Parameters that do not belong to the map
_OF_REQUESTS = {
    *("show", "z", "column", "row", "width", "height", "seed"),
    *("columns", "rows", "sort", "descending", "first", "count"),
}


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

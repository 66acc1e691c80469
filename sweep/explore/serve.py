"""Serve the map of a study and open its page, or write it as files."""

from __future__ import annotations

import gc
import json
import os
import secrets
import socket
import sys
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Timer
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sweep.errors import StoreError, SweepError
from sweep.explore.flight import Flight, write_flight
from sweep.explore.map_view import Explored
from sweep.explore.results_map import ExploredResults
from sweep.explore.tile_trainer import TileTrainer
from sweep.system.escaping import one_line
from sweep.system.formatting import size_text
from sweep.system.host import thread_count
from sweep.system.wrapping import print_text

_HOST = "127.0.0.1"
# Holds token and port, so that a page that is open still works after the server was started again.
_ADDRESS = "address.json"
_OPEN_SECONDS = 0.3  # after which the server listens


class Wanted(NamedTuple):
    """The map that a command shows or writes."""

    source: str  # study, or results folder
    plugins: tuple[str, ...]  # files of custom components
    changes: Mapping[str, Any]  # of the study
    query: Mapping[str, str]  # axes and value, as in requests
    tiles: Path  # folder of the results of tiles
    threads: int | None

    def open(self, *, trains: bool) -> tuple[Explored, ExploredResults | None, TileTrainer]:
        """Return study, results and trainer; no results if the map ``trains`` its pixels.

        SweepError if something is not valid, or packages are missing.
        """
        for name in ("starlette", "uvicorn", "xstatic.pkg.leaflet"):
            try:
                import_module(name)
            except ImportError:
                package = name.partition(".")[0]
                raise SweepError(
                    f"sweep explore needs {package}; install it with pip install 'xor-sweep[explore]'"
                ) from None
        explored = Explored(self.source, self.changes, self.plugins)
        results = None if trains else self._results()
        (results or explored).map(self.query)
        with _writing("--out", self.tiles):
            self.tiles.mkdir(parents=True, exist_ok=True)
        return explored, results, TileTrainer(self.tiles, thread_count(self.threads))

    def _results(self) -> ExploredResults | None:
        """Return the results of the study, or None: of a file, a study that is changed, or one without any run."""
        if self.changes or not Path(self.source, "run.json").is_file():
            return None
        try:
            return ExploredResults(self.source, self.plugins)
        except StoreError as error:
            print_text(f"the map shows no results: {one_line(str(error))}", file=sys.stderr)
            return None


def serve(wanted: Wanted, port: int | None, *, opens: bool) -> None:
    """Serve a map until an interrupt. SweepError if it is not valid, or the port is in use."""
    explored, results, trainer = wanted.open(trains=False)
    import uvicorn

    from sweep.explore.server import ExploreServer

    token, listening = _listen(wanted.tiles / _ADDRESS, port)
    host = f"{_HOST}:{listening.getsockname()[1]}"
    app = ExploreServer(explored, trainer, results).app(token, {host, host.replace(_HOST, "localhost")})
    address = f"http://{host}/{token}/" + (f"#{urlencode(wanted.query)}" if wanted.query else "")
    print_text(f"map of {one_line(explored.study.name)} at {address}")
    print_text(f"tiles in {one_line(str(wanted.tiles))}; press Ctrl-C to end", file=sys.stderr)
    if opens:
        Timer(_OPEN_SECONDS, webbrowser.open, (address,)).start()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1))
    trainer.is_ending = lambda: server.should_exit
    gc.freeze()  # what is there stays, so collections after each tile need not look at it
    server.run(sockets=[listening])


def export_map(wanted: Wanted, flight: Flight, out: Path) -> None:
    """Write a map as files. SweepError if it is not valid, has too many tiles, or the folder is not empty."""
    flight.tiles()  # raises if they are too many
    explored, _, trainer = wanted.open(trains=True)
    with _writing("--export", out):
        n_bytes = write_flight(explored, explored.map(wanted.query), flight, trainer, out)
    print_text(f"map in {one_line(str(out))}, {size_text(n_bytes)}; any web server shows it")


@contextmanager
def _writing(option: str, path: Path) -> Iterator[None]:
    """Raise a SweepError where a path of an option cannot be written."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise SweepError(f"{option}: {str(path)!r} cannot be written: {reason}; choose another folder") from None


def _listen(file: Path, port: int | None) -> tuple[str, socket.socket]:
    """Return the token and a listening socket: those of an earlier server of this folder, if its port is free."""
    try:
        earlier = json.loads(file.read_text("utf-8"))
        token, last = str(earlier["token"]), int(earlier["port"])
    except (OSError, ValueError, KeyError, TypeError):
        token, last = secrets.token_urlsafe(16), 0
    # With its protocol, asyncio turns off the delay of small packets, which is 40 ms per answer.
    listening = socket.socket(proto=socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, port or last))
    except OSError as error:
        if port:
            raise SweepError(f"--port: {port} cannot be used: {error.strerror}; choose another one") from None
        listening.bind((_HOST, 0))
    listening.listen()
    content = json.dumps({"token": token, "port": listening.getsockname()[1]})
    with (
        _writing("--out", file),
        open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as written,
    ):
        written.write(content)
    return token, listening

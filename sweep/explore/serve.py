"""Start the server of `sweep explore`, and open its page."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.parse import urlencode

from sweep.errors import SweepError
from sweep.explore.map_view import Explored
from sweep.system.escaping import one_line
from sweep.system.host import thread_count

_HOST = "127.0.0.1"
# Holds token and port, so that a page that is open still works after the server was started again.
_ADDRESS = "address.json"
_OPEN_SECONDS = 0.3  # after which the server listens


def serve(
    source: str,
    changes: Mapping[str, Any],
    query: Mapping[str, str | None],
    out: Path,
    threads: int | None,
    port: int | None,
    *,
    opens: bool,
) -> None:
    """Serve the map of a study until an interrupt.

    SweepError if the study, an axis or the value is not valid, the port is in use, or packages are missing.
    """
    try:
        import uvicorn

        from sweep.explore.server import ExploreServer
    except ImportError as error:
        raise SweepError(
            f"sweep explore needs {error.name}; install it with pip install 'xor-sweep[explore]'"
        ) from None
    from sweep.explore.tile_trainer import TileTrainer

    explored = Explored(source, changes)
    wanted = {name: text for name, text in query.items() if text}
    explored.map(wanted)  # raises if an axis or the value is unknown
    out.mkdir(parents=True, exist_ok=True)
    token, listening = _listen(out / _ADDRESS, port)
    host = f"{_HOST}:{listening.getsockname()[1]}"
    trainer = TileTrainer(out, thread_count(threads))
    app = ExploreServer(explored, trainer).app(token, {host, host.replace(_HOST, "localhost")})
    address = f"http://{host}/{token}/" + (f"#{urlencode(wanted)}" if wanted else "")
    print(f"map of {one_line(explored.study.name)} at {address}", flush=True)
    print(f"tiles in {one_line(str(out))}; press Ctrl-C to end", file=sys.stderr, flush=True)
    if opens:
        Timer(_OPEN_SECONDS, webbrowser.open, (address,)).start()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1))
    trainer.is_ending = lambda: server.should_exit
    server.run(sockets=[listening])


def _listen(file: Path, port: int | None) -> tuple[str, socket.socket]:
    """Return the token and a listening socket: those of an earlier server of this folder, if its port is free."""
    try:
        earlier = json.loads(file.read_text("utf-8"))
        token, last = str(earlier["token"]), int(earlier["port"])
    except (OSError, ValueError, KeyError, TypeError):
        token, last = secrets.token_urlsafe(16), 0
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, port or last))
    except OSError as error:
        if port:
            raise SweepError(f"--port: {port} cannot be used: {error.strerror}; choose another one") from None
        listening.bind((_HOST, 0))
    listening.listen()
    content = json.dumps({"token": token, "port": listening.getsockname()[1]})
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as written:
        written.write(content)
    return token, listening

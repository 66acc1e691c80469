"""The server of `sweep explore` under bad requests, kills and interrupts, as a process."""

from __future__ import annotations

import random
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

import sweep
from tests.sweep.browser import Explorer
from tests.sweep.support import make_study
from tests.waiting import LONG, until

pytestmark = [pytest.mark.wide, pytest.mark.compiled]

STUDY = ("xor", "--set", "hidden=2", "--set", "max_steps=20")
NAMES = (
    "x",
    "y",
    "value",
    "seeds",
    "x_low",
    "x_high",
    "x_scale",
    "set.activation",
    "set.hidden",
    "set.file",
    "z",
    "no",
    *("show", "columns", "rows", "sort", "descending", "first", "count"),
)
TEXTS = (
    *("learning_rate", "output_learning_rate", "w[0,1]", "status", "steps", "sharpness", "convergence_rate", "tanh"),
    *(
        "",
        "0",
        "1",
        "-1",
        "3",
        "1e999",
        "nan",
        "65536",
        "9" * 400,
        "../../etc/passwd",
        "[1,2]",
        "{a=1}",
        "\x00",
        "☃",
        "' OR 1",
    ),
    *("results", "training", "0:1", "1:3", "0:99", "2:1", "true", "steps_q50", "run", "pooled"),
)
PATHS = ("choices", "tile/0/0/0/16", "tile/3/1/2/16", "tile/42/7/7/16", "tile/2/9/0/16", "tile/1/1/1/256", "state")
TABLES = ("selection", "cells", "runs")
OTHERS = (
    "network",
    "study",
    "page/explore.js",
    "page/../server.py",
    "leaflet/../../../etc/passwd",
    "nothing",
    "tile/x/y",
)


def megabytes(process: subprocess.Popen[str]) -> float:
    """Return the memory of a process."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    assert found
    return int(found[1]) / 1024


@pytest.fixture
def server(tmp_path: Path) -> Any:
    with Explorer(*STUDY, folder=tmp_path) as started:
        yield started


def random_request(draw: random.Random) -> str:
    """Return the path of a request that may be anything."""
    path = draw.choice(PATHS + TABLES + OTHERS)
    query = "&".join(f"{draw.choice(NAMES)}={quote(draw.choice(TEXTS))}" for _ in range(draw.randrange(4)))
    places = "&z=2&column=100&row=50&width=8&height=8" if path in OTHERS and draw.random() < 0.5 else ""
    return f"{path}?{query}{places}"


@pytest.fixture
def results_server(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the server of a results folder."""
    folder = tmp_path_factory.mktemp("shown") / "result"
    sweep.run(make_study(count=3, hidden=[2, 3], activation=["tanh", "relu"], max_steps=20), folder)
    with Explorer(str(folder), folder=tmp_path) as started:
        yield started


def answers(client: httpx.Client, address: str, draw: random.Random, n: int) -> list[httpx.Response]:
    """Return the answers to random requests; who leaves after a while gets none: some tiles would take days."""
    found = []
    for _ in range(n):
        with suppress(httpx.ReadTimeout):
            found.append(client.get(address + random_request(draw)))
    return found


@pytest.mark.parametrize("n", [300, pytest.param(10_000, marks=pytest.mark.soak)])
@pytest.mark.parametrize("which", ["server", "results_server"])
def test_random_requests(request, which, tmp_path, n):
    server = request.getfixturevalue(which)
    draw = random.Random(7)
    with httpx.Client(timeout=30) as client:
        warm = answers(client, server.address, draw, n // 2)
        before = megabytes(server.process)
        found = warm + answers(client, server.address, draw, n - n // 2)
        assert client.get(server.address + "choices", timeout=LONG).status_code == 200
    after = megabytes(server.process)
    for answer in found:
        assert answer.status_code in (200, 400, 404), (answer.status_code, answer.url, answer.text[:300])
        if answer.status_code == 400:
            assert "\n" not in answer.text
            assert len(answer.text) < 1000
        assert "root:" not in answer.text
    assert {answer.status_code for answer in found} == {200, 400, 404}
    assert after < before + 100
    assert {path.name for path in tmp_path.iterdir()} == {"results"}
    assert {path.name for path in (tmp_path / "results").iterdir()} == {"explore"}
    assert "Traceback" not in server.end(signal.SIGINT)


def test_methods_and_broken_requests(server):
    for method in ("POST", "PUT", "DELETE", "TRACE"):
        assert httpx.request(method, server.address + "choices", timeout=LONG).status_code in (404, 405)
    host, port = re.findall(r"//(.*):(\d+)/", server.address)[0]
    for text in (
        b"\x00\xff\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET " + b"a" * 10**6,
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=LONG) as connection:
            connection.sendall(text)
    assert httpx.get(server.address + "choices", timeout=LONG).status_code == 200
    assert "Traceback" not in server.end(signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_does_not_wait_for_a_tile(server, number):
    """It ends while it trains a tile that takes days, and somebody waits for it."""
    httpx.get(server.address + "tile/0/0/0/16", timeout=LONG)
    tile = server.address + "tile/1/1/1/256?set.hidden=64&set.max_steps=1000000000"
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(httpx.get, tile, timeout=2 * LONG)
        until(lambda: httpx.get(server.address + "state", timeout=LONG).json()["waiting"])
        errors = server.end(number)
        assert isinstance(answer.exception(), httpx.TransportError) or answer.result().status_code != 200
    assert server.process.returncode == 130
    assert "Traceback" not in errors


@pytest.mark.parametrize("kills", [1, pytest.param(50, marks=pytest.mark.soak)])
def test_after_kills_the_same_address_answers_with_the_same_tiles(server, tmp_path, kills):
    """It is killed while it trains and writes tiles, the first time once they are answered, and started again."""
    paths = [f"tile/1/{i}/{j}/256?value=steps" for i in (0, 1) for j in (0, 1)]
    draw, running = random.Random(3), server
    tiles: dict[str, bytes] = {}
    try:
        for _ in range(kills):
            with ThreadPoolExecutor(len(paths)) as pool:
                asked = [pool.submit(httpx.get, running.address + path, timeout=LONG) for path in paths]
                wait(asked, draw.uniform(0, 6) if tiles else None)
                assert "Traceback" not in running.end()
            for path, answer in zip(paths, asked, strict=True):
                if not isinstance(answer.exception(), httpx.TransportError):
                    assert tiles.setdefault(path, answer.result().content) == answer.result().content
            running = Explorer(*STUDY, folder=tmp_path)
            assert running.address == server.address
        assert {path: httpx.get(running.address + path, timeout=LONG).content for path in paths} == tiles
    finally:
        running.end()


def test_two_servers_share_tiles(server, tmp_path):
    with Explorer(*STUDY, folder=tmp_path) as other:
        assert other.address != server.address
        assert other.address.split("/")[3] == server.address.split("/")[3]
        tiles = [httpx.get(each.address + "tile/1/1/0/256", timeout=LONG).content for each in (server, other)]
        assert tiles[0] == tiles[1]


def test_a_busy_port_is_named(server, tmp_path):
    port = re.findall(r":(\d+)/", server.address)[0]
    command = [sys.executable, "-m", "sweep", "explore", "xor", "--no-open", "--port", port]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 2
    assert f"--port: {port} cannot be used" in done.stderr
    assert "Traceback" not in done.stderr

"""An object store for tests: moto's server, behind a proxy that can fail as stores and networks do."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread

import pytest

from tests.waiting import LONG

_MOTO = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""
BUCKET = "tests-of-sweep"
# Stores list a thousand objects with a request: fewer here, since moto takes milliseconds for each.
PAGE = 40


@dataclass(frozen=True)
class Asked:
    """A request, and the number of those of its method and path so far."""

    method: str
    path: str
    count: int
    conditional: bool


@dataclass(frozen=True)
class Fault:
    """A fault of a request."""

    status: int = 500  # HTTP status of the answer; 0 closes the connection without an answer
    code: str = "InternalError"  # of the error in the answer
    effect: bool = False  # whether the request is carried out anyway
    unconditional: bool = False  # carry it out without its condition, and answer with the outcome
    pause: float = 0.0  # delay of the answer in seconds
    hold: Event | None = None  # event that is set when the request arrives; it is never answered


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 2**16  # one packet per answer: of two the second waits for the first
    disable_nagle_algorithm = True
    server: ObjectStore

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def handle_one_request(self) -> None:
        """Tolerate clients that disconnect because they are killed."""
        try:
            super().handle_one_request()
        except (ConnectionError, HTTPException):
            self.close_connection = True

    def _pass_on(self) -> None:
        headers = {key.lower(): value for key, value in self.headers.items()}
        fault = self.server.fault_of(self.command, self.path, "if-none-match" in headers)
        if fault and fault.hold and not fault.effect:  # during the upload: its body is never read
            self._hold(fault.hold)
            return
        body = self.rfile.read(int(headers.get("content-length", 0)))
        answer = 0, {}, b""
        if fault is None or fault.effect or fault.unconditional:
            if fault and fault.unconditional:
                headers.pop("if-none-match", None)
            answer = self._ask_moto(body, headers)
        if fault and fault.hold:
            self._hold(fault.hold)
            return
        if fault and not fault.unconditional:
            time.sleep(fault.pause)
            answer = fault.status, {}, f"<Error><Code>{fault.code}</Code><Message>a\nb</Message></Error>".encode()
        if answer[0] == 0:
            self.close_connection = True
            return
        self.send_response(answer[0])
        for key, value in answer[1].items():
            self.send_header(key, value)
        self.send_header("content-length", answer[1].get("content-length", str(len(answer[2]))))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer[2])

    def _ask_moto(self, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        # moto looks and writes in two steps: of two uploads on condition at the same time both could succeed.
        with self.server.creating if "if-none-match" in headers else nullcontext():
            return self._forward(body, headers)

    def _forward(self, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection("127.0.0.1", self.server.moto_port)
        try:
            connection.request(self.command, self.path, body, {**headers, "connection": "close"})
            found = connection.getresponse()
            kept = ("etag", "last-modified", "content-type", "content-range", "x-amz-bucket-region")
            kept += ("content-length",) if self.command == "HEAD" else ()
            return found.status, {key: found.headers[key] for key in kept if key in found.headers}, found.read()
        finally:
            connection.close()

    def _hold(self, here: Event) -> None:
        here.set()
        self.server.closing.wait(2 * LONG)
        self.close_connection = True

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815


class ObjectStore(ThreadingHTTPServer):
    """A proxy in front of moto. A rule decides which requests fail, and how; ``asked`` are all since :meth:`clear`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, moto_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.moto_port = moto_port
        self.closing, self.creating, self._counting = Event(), Lock(), Lock()
        self.clear()

    def clear(self) -> None:
        """Remove the rule, and forget the requests."""
        self.rule: Callable[[Asked], Fault | None] = lambda _: None
        self.asked: list[Asked] = []
        self._counts: dict[tuple[str, str, bool], int] = {}

    def fault_of(self, method: str, path: str, conditional: bool) -> Fault | None:
        """Note a request, and return its fault."""
        with self._counting:
            key = method, path.partition("?")[0], conditional
            self._counts[key] = self._counts.get(key, 0) + 1
            asked = Asked(method, path, self._counts[key], conditional)
            self.asked.append(asked)
            return self.rule(asked)

    def put(self, key: str = "") -> None:
        """Make an empty object, or the bucket, without faults; the project itself may never use such keys."""
        connection = HTTPConnection("127.0.0.1", self.moto_port)
        connection.request("PUT", f"/{BUCKET}/{key}")
        assert connection.getresponse().status == 200
        connection.close()

    def address(self) -> str:
        """Return a new address."""
        return f"s3://{BUCKET}/tests/{secrets.token_hex(4)}"

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables to reach the store, and nothing beyond this machine."""
        return {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "never shown",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.server_address[1]}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_METADATA_ENDPOINT": "http://127.0.0.1:1",
            "NO_PROXY": "127.0.0.1",
        }


def refusal(call: Callable[[], object]) -> str:
    """Return the message of an error, which must be one sentence without the secret."""
    from sweep import StoreError  # not before coverage sees what it imports

    with pytest.raises(StoreError) as caught:
        call()
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 300
    assert "never shown" not in message
    return message


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """Start a store with one bucket."""
    environment = {**os.environ, "MOTO_S3_DEFAULT_MAX_KEYS": str(PAGE)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    moto = subprocess.Popen([sys.executable, "-c", _MOTO], env=environment, **pipes)
    assert moto.stdin
    assert moto.stdout
    with moto, ObjectStore(int(moto.stdout.readline())) as store:
        thread = Thread(target=store.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        store.put()
        try:
            yield store
        finally:
            store.closing.set()
            store.shutdown()
            thread.join()
            moto.stdin.close()

"""Requests to an object store: repeated as long as that may help, and reported in one sentence if they fail."""

from __future__ import annotations

import math
import os
import random
import re
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING, TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from sweep.errors import StoreError, cut
from sweep.system.python_process import fault_of_fork

if TYPE_CHECKING:
    from obstore.store import S3Store


T = TypeVar("T")

# Seconds for which requests are repeated, and the first and longest pause between them; pauses double.
_PATIENCE, _FIRST_PAUSE, _LONGEST_PAUSE = 60.0, 0.1, 5.0

# Longest silence of a store in seconds (obstore's default), and validity of signed addresses.
_TIMEOUT, _SIGNED_FOR = 30.0, timedelta(minutes=10)

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_ENDPOINT = re.compile(r"https?://[A-Za-z0-9.\-:\[\]]+(/[!-~]*)?", re.IGNORECASE)
_STATUS = re.compile(r"status code: (\d{3}) ?([A-Za-z ]*)")
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")
# Answers of stores to requests that were meant for another region.
_REGION = ("redirect without LOCATION", "<Code>AuthorizationHeaderMalformed<", "<Code>PermanentRedirect<")
# Where obstore looks for credentials if the environment has none.
_METADATA = ("/latest/api/token", "/latest/meta-data", "/latest/dynamic")


class Failure(Exception):  # noqa: N818 - some of them are answers
    """A request that failed.

    Its kind is ``"absent"`` or ``"taken"`` of an object; ``"unconditional"`` if the store has no conditional uploads;
    ``"passing"`` if it may succeed later; ``"unreached"`` without a connection or credentials; else ``"final"``. The
    reason is part of a sentence.
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


def connect(bucket: str, place: str) -> S3Store:
    """Return the client of a bucket, configured by the environment; no request is made yet."""
    try:
        from obstore.exceptions import BaseError
        from obstore.store import S3Store
    except ImportError:
        raise StoreError(f"{place!r} needs the package obstore; run pip install 'xor-sweep[s3]'") from None
    for name in _ENDPOINTS:
        endpoint = os.environ.get(name)
        if endpoint and not _ENDPOINT.fullmatch(endpoint):  # obstore would panic
            # The value may hold a password, so the message does not show it.
            raise StoreError(f"{place!r}: environment variable {name} must be a URL such as https://host:9000")
    for name, value in os.environ.items():
        if name.startswith("AWS_") and not value.isprintable():  # obstore would panic here too
            raise StoreError(
                f"{place!r}: environment variable {name} must not hold line breaks or other unprintable characters"
            )
    try:
        return S3Store(bucket, retry_config={"max_retries": 0})
    except (BaseError, ValueError) as error:
        reason = _failure(error).reason
        raise StoreError(f"{place!r} cannot be used with the AWS_ variables of the environment: {reason}") from None


def remove_one(store: S3Store, key: str) -> None:
    """Remove an object if it exists, by a request for it alone; OSError has a text in the form of obstore's errors."""
    import obstore

    address = obstore.sign(store, "DELETE", key, _SIGNED_FOR)
    try:
        urlopen(Request(address, method="DELETE"), timeout=_TIMEOUT).close()
    except HTTPError as error:
        text = error.read().decode(errors="replace")
        if error.code != 404 or "<Code>NoSuchBucket<" in text:
            raise OSError(f"HTTP error: status code: {error.code} {error.reason}: {text}") from None
    except OSError as error:
        raise OSError(f"HTTP error: {error}") from None


def ask(request: Callable[[], T], met: bool, check: Callable[[], None] | None = None) -> T:
    """Make a request, and repeat it for up to a minute while the store fails; then raise Failure.

    An unreachable store is waited for only if it has answered before (``met``). An exception that ``check`` raises,
    which is called regularly, ends the wait some seconds later.
    """
    from obstore.exceptions import BaseError

    if fault := fault_of_fork("obstore"):
        raise Failure("final", fault)
    waits = Waits(check)
    deadline, pause = time.monotonic() + _PATIENCE, _FIRST_PAUSE
    while True:
        try:
            return waits.answer(request)
        except (BaseError, OSError, ValueError, NotImplementedError) as error:
            failure = _failure(error)
        if not (failure.kind == "passing" or (met and failure.kind == "unreached")):
            raise failure
        if time.monotonic() + pause > deadline:
            raise Failure(failure.kind, f"{failure.reason}, repeatedly for {_PATIENCE:.0f} seconds")
        waits.pause(pause * random.uniform(0.5, 1.0))  # many clients must not repeat at once
        pause = min(2 * pause, _LONGEST_PAUSE)


def _failure(error: Exception) -> Failure:
    """Classify an error of obstore, whose text has many lines and may contain secrets."""
    text = str(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    known = f" ({code[1]})" if code else ""
    if "<Code>NoSuchBucket<" in text:
        return Failure("final", "there is no such bucket")
    if isinstance(error, FileNotFoundError):
        return Failure("absent", "there is no such object")
    if type(error).__name__ == "AlreadyExistsError":
        return Failure("taken", "there is such an object")
    if isinstance(error, NotImplementedError) or (status and status[1] == "501"):
        return Failure("unconditional", "the store does not support it")
    if any(path in text for path in _METADATA):
        return Failure(
            "unreached", "there are no credentials; set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION"
        )
    if any(sign in text for sign in _REGION):
        return Failure("final", "the bucket is in another region; set AWS_REGION")
    if type(error).__name__ in ("PermissionDeniedError", "UnauthenticatedError") or (status and status[1] == "403"):
        return Failure("final", f"permission denied{known}")
    if status:
        passing = int(status[1]) >= 500 or status[1] in ("408", "429")
        return Failure("passing" if passing else "final", f"the store answered {status[1]} {status[2].strip()}{known}")
    return _unanswered(text)


def _unanswered(text: str) -> Failure:
    """Classify an error without an answer from the store."""
    if "builder error" in text:
        return Failure("final", "the endpoint is not an https address; set AWS_ALLOW_HTTP=true to allow http")
    if "kind: Connect" in text:
        why = "its host name is unknown" if "dns error" in text else "there is no connection"
        return Failure("unreached", f"{why}; check AWS_ENDPOINT and AWS_REGION")
    if "kind: Timeout" in text:
        return Failure("passing", "the store did not answer in time; set AWS_TIMEOUT=2m to wait for two minutes")
    if "HTTP error" in text:
        return Failure("passing", "the connection broke")
    line = text.partition("\n")[0].removeprefix("Generic S3 error: ").removeprefix("Generic Config error: ")
    return Failure("final", cut(" ".join(line.split()), 160))


# Seconds between checks whether the run is to end, and seconds that a request then has to succeed.
_LOOK_SECONDS, _LAST_SECONDS = 0.1, 3.0


class Waits:
    """The waits for one request and its repetitions, which an exception of ``check`` ends some seconds later."""

    def __init__(self, check: Callable[[], None] | None) -> None:
        self._check = check
        self._last = math.inf

    def answer(self, request: Callable[[], T]) -> T:
        """Return the result of a request, or raise its exception."""
        answer: Future[T] = Future()
        try:
            Thread(target=_answer, args=(request, answer), daemon=True).start()
        except RuntimeError:  # the system cannot start more threads
            return request()
        while not wait([answer], _LOOK_SECONDS).done:
            self._look()
        return answer.result()

    def pause(self, seconds: float) -> None:
        """Wait for some seconds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_SECONDS))
            self._look()

    def _look(self) -> None:
        """Raise the exception that ends the run, some seconds after it first occurred."""
        if self._check is None:
            return
        try:
            self._check()
        except BaseException:
            now = time.monotonic()
            self._last = min(self._last, now + _LAST_SECONDS)
            if now >= self._last:
                raise


def _answer(request: Callable[[], T], answer: Future[T]) -> None:
    try:
        answer.set_result(request())
    except BaseException as error:
        answer.set_exception(error)

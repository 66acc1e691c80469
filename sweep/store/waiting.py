"""Wait for answers that may never come, and notice meanwhile if the run is to end.

A library call that waits for the network does not react to signals, and threads receive none. So each request runs in
its own thread, which is abandoned once its answer is no longer needed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

T = TypeVar("T")

# Seconds between checks whether the run is to end, and seconds that a request then has to succeed.
_LOOK_SECONDS, _LAST_SECONDS = 0.1, 3.0


class Waits:
    """The waits for one request and its repetitions.

    An exception that ``check`` raises, which is called regularly, ends the waits some seconds later.
    """

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

"""Wait for what may never come, and hear meanwhile that a run is to end.

A call into a library that waits for the network hears no signal, and threads hear none at all. So each request
is made in a thread of its own, which is left to itself once its answer does not count any more.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

T = TypeVar("T")

# It is looked so often whether the run is to end; then a request has so long to succeed after all.
_LOOK_SECONDS, _LAST_SECONDS = 0.1, 3.0


class Waits:
    """The waits for one request, also while it is made again.

    Parameters
    ----------
    check
        Called now and then; what it raises ends the waits some seconds later. None if nothing ends them.
    """

    def __init__(self, check: Callable[[], None] | None) -> None:
        self._check, self._last = check, math.inf

    def answer(self, request: Callable[[], T]) -> T:
        """Return what a request returns, or raise what it raises."""
        answer: Future[T] = Future()
        try:
            Thread(target=_answer, args=(request, answer), daemon=True).start()
        except RuntimeError:  # the system starts no more threads
            return request()
        while not wait([answer], _LOOK_SECONDS).done:
            self._look()
        return answer.result()

    def pause(self, seconds: float) -> None:
        """Let time go by."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_SECONDS))
            self._look()

    def _look(self) -> None:
        """Raise what ends the run, once a request had some seconds to succeed all the same."""
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

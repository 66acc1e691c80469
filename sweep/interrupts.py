"""What Ctrl-C does: end at once while there is nothing to save, else in good order.

Python raises KeyboardInterrupt wherever the main thread is. In an import, or while a
lock is taken, that may leave a lock behind for which other threads wait without end;
and some packages catch everything while they are imported, so that it is lost.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

from sweep.errors import EXIT_INTERRUPTED


def leave_on_interrupt() -> None:
    """End this process on Ctrl-C at once, unless somebody else handles or ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


@contextmanager
def raise_on_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt on Ctrl-C for a while, where the process would end at once."""
    if signal.getsignal(signal.SIGINT) is not _leave:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(EXIT_INTERRUPTED)


class Interrupts:
    """Count Ctrl-C for a while instead of raising KeyboardInterrupt.

    Outside of the main thread, or where somebody else handles the signal, nothing is counted.

    Attributes
    ----------
    count : int
        So many came.
    """

    def __init__(self) -> None:
        self.count = 0
        in_main = threading.current_thread() is threading.main_thread()
        self._ours = in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def __enter__(self) -> Interrupts:
        """Count from now on."""
        if self._ours:
            try:
                signal.signal(signal.SIGINT, self._note)
            except KeyboardInterrupt:  # it came just before
                signal.signal(signal.SIGINT, signal.default_int_handler)
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the signal to Python again."""
        if self._ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def check(self) -> None:
        """Raise KeyboardInterrupt, in a good place, if any came."""
        if self.count:
            raise KeyboardInterrupt

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1

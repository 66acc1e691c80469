"""What an interrupt does (Ctrl-C; in commands also SIGTERM and SIGHUP): end at once, or in good order if there is work.

Python raises KeyboardInterrupt wherever the main thread is. In an import, or while a
lock is taken, that may leave a lock behind for which other threads wait without end;
and some packages catch everything while they are imported, so that it is lost.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

from sweep.errors import EXIT_INTERRUPTED

# What ends a command: Ctrl-C, what schedulers send before they kill, and a terminal that is closed.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def leave_on_interrupt() -> None:
    """End this process on an interrupt at once, unless somebody else handles or ignores it, as nohup does."""
    for number in _SIGNALS:
        if signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL):
            signal.signal(number, _leave)


@contextmanager
def raise_on_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt on an interrupt for a while, where the process would end at once."""
    ours = [number for number in _SIGNALS if signal.getsignal(number) is _leave]
    for number in ours:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(EXIT_INTERRUPTED)


class Interrupts:
    """Count interrupts for a while instead of raising KeyboardInterrupt.

    Outside of the main thread nothing is counted, nor are signals that would not raise KeyboardInterrupt. The
    second one raises it at once, wherever the main thread is.

    Attributes
    ----------
    count : int
        So many came.
    """

    def __init__(self) -> None:
        self.count = 0
        in_main = threading.current_thread() is threading.main_thread()
        raising = [number for number in _SIGNALS if signal.getsignal(number) is signal.default_int_handler]
        self._ours = raising if in_main else []
        self._hook = sys.unraisablehook

    def __enter__(self) -> Interrupts:
        """Count from now on."""
        if self._ours:
            sys.unraisablehook = self._pass_on
        try:
            for number in self._ours:
                signal.signal(number, self._note)
        except KeyboardInterrupt:  # it came just before
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the signals to Python again."""
        if self._ours:
            sys.unraisablehook = self._hook
        for number in self._ours:
            signal.signal(number, signal.default_int_handler)

    def check(self) -> None:
        """Raise KeyboardInterrupt, in a good place, if any came."""
        if self.count:
            raise KeyboardInterrupt

    def _pass_on(self, swallowed: sys.UnraisableHookArgs) -> None:
        """Tell of errors in callbacks as ever, but not of an interrupt in one of the compiler's: it is counted."""
        if not issubclass(swallowed.exc_type, KeyboardInterrupt):
            self._hook(swallowed)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count > 1:
            raise KeyboardInterrupt

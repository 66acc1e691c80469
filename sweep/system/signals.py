"""Handling of interrupts (Ctrl-C; in commands also SIGTERM and SIGHUP): exit at once, or after the work under way.

Python raises KeyboardInterrupt at any point of the main thread. During an import, or while a
lock is held, that may leave a lock locked, and other threads then wait forever. Some packages
catch all exceptions while they are imported, so the interrupt would be lost.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from sweep.errors import EXIT_INTERRUPTED

# Signals that end a command: Ctrl-C, the signal that schedulers send before they kill, and a closed terminal.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def leave_on_interrupt() -> None:
    """Exit at once on an interrupt, unless the signal is already handled or ignored (as by nohup)."""
    for number in _SIGNALS:
        if signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL):
            signal.signal(number, _leave)


@contextmanager
def raise_on_interrupt() -> Iterator[None]:
    """Within this context, raise KeyboardInterrupt on an interrupt instead of exiting."""
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
    """Within this context, count interrupts of the main thread; the second one raises KeyboardInterrupt at once."""

    def __init__(self) -> None:
        self.count = 0
        in_main = threading.current_thread() is threading.main_thread()
        raising = [number for number in _SIGNALS if signal.getsignal(number) is signal.default_int_handler]
        self._ours = raising if in_main else []
        self._hook = sys.unraisablehook

    def __enter__(self) -> Interrupts:
        if self._ours:
            sys.unraisablehook = self._pass_on
        try:
            for number in self._ours:
                signal.signal(number, self._note)
        except KeyboardInterrupt:  # it arrived just before the handlers were set
            self.__exit__()
            raise
        return self

    def __exit__(self, *details: object) -> None:
        """Restore Python's handling of the signals."""
        if self._ours:
            sys.unraisablehook = self._hook
        for number in self._ours:
            signal.signal(number, signal.default_int_handler)

    def check(self) -> None:
        """Raise KeyboardInterrupt if there was an interrupt. Call this where it is safe."""
        if self.count:
            raise KeyboardInterrupt

    def _pass_on(self, swallowed: sys.UnraisableHookArgs) -> None:
        """Report errors in callbacks as usual, except interrupts in callbacks of the compiler, which are counted."""
        if not issubclass(swallowed.exc_type, KeyboardInterrupt):
            self._hook(swallowed)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count > 1:
            raise KeyboardInterrupt

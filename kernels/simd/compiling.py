"""What Numba compiles while networks are trained, and how long threads wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, NamedTuple

from numba.core import event

from kernels.simd import jit
from kernels.simd.disk_cache import DiskCache

Kernel = Callable[..., Any]


class Compilation(NamedTuple):
    """The kernel that is being compiled: its place among those known to be needed, and how many those are."""

    number: int
    total: int


def is_compiled(kernel: Kernel, arguments: tuple[Any, ...]) -> bool:
    """Tell whether there is machine code of a kernel for such arguments, in this process or on disk."""
    if not jit.ENABLED:
        return True
    dispatcher: Any = kernel
    signature = tuple(map(dispatcher.typeof_pyval, arguments))
    return signature in dispatcher.overloads or bool(dispatcher._cache.holds(signature, dispatcher.targetctx))


class CompileWatch:
    """Watches what Numba compiles, from when it is entered until it is left.

    Parameters
    ----------
    tell
        Called when a kernel begins to be compiled, and with None when that is done, by the thread that does it.
    """

    def __init__(self, tell: Callable[[Compilation | None], None]) -> None:
        self._tell = tell
        self._known: set[Any] = set()
        self._begun: set[Any] = set()
        self._waits = _Waits()
        self._installed = ExitStack()

    def __enter__(self) -> CompileWatch:
        """Begin to watch."""
        # What takes the compiler's lock compiles, or reads code from the disk, or waits for another thread that does.
        self._installed.enter_context(event.install_listener("numba:compiler_lock", self._waits))
        self._installed.enter_context(event.install_listener("numba:compile", _Compilations(self._change)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Watch no longer."""
        self._installed.close()

    def expect(self, kernels: Iterable[Kernel]) -> None:
        """Take in which kernels will have to be compiled; others may turn out to be needed."""
        self._known.update(kernels)

    def clock(self) -> float:
        """Return the seconds of a clock that stands still while this thread waits for machine code."""
        return time.monotonic() - self._waits.own.seconds

    def _change(self, dispatcher: Any, begins: bool) -> None:
        if not begins:
            self._tell(None)
            return
        self._known.add(dispatcher)
        self._begun.add(dispatcher)
        self._tell(Compilation(len(self._begun), len(self._known)))


class _Own(threading.local):
    """How often a thread holds or awaits the lock, since when, and how long it did before."""

    depth = 0
    since = 0.0
    seconds = 0.0


class _Waits(event.Listener):
    """Measures for how long each thread holds or awaits a lock that one thread may take several times."""

    def __init__(self) -> None:
        self.own = _Own()

    def on_start(self, _: Any) -> None:
        """Note when the thread asked for the lock."""
        if not self.own.depth:
            self.own.since = time.monotonic()
        self.own.depth += 1

    def on_end(self, _: Any) -> None:
        """Add up when the thread has left it; one that had it before the watch began is not measured."""
        if not self.own.depth:
            return
        self.own.depth -= 1
        if not self.own.depth:
            self.own.seconds += time.monotonic() - self.own.since


class _Compilations(event.Listener):
    """Tells of kernels alone: Numba also tells of each function that they are made of."""

    def __init__(self, change: Callable[[Any, bool], None]) -> None:
        self._change = change

    def on_start(self, compiled: Any) -> None:
        """Tell that a kernel begins to be compiled."""
        self._notify(compiled, True)

    def on_end(self, compiled: Any) -> None:
        """Tell that it is compiled, or that it failed."""
        self._notify(compiled, False)

    def _notify(self, compiled: Any, begins: bool) -> None:
        dispatcher = compiled.data["dispatcher"]
        if isinstance(dispatcher._cache, DiskCache):
            self._change(dispatcher, begins)

"""What Numba compiles while networks are trained, and how long threads wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, NamedTuple

from numba.core import event

from kernels.simd import jit
from kernels.simd.disk_cache import DiskCache

Kernel = Callable[..., Any]

# What a kernel is, whichever object it is: its name, and the key of its machine code.
KernelKey = tuple[str, str]


class Compilation(NamedTuple):
    """The kernel that is being compiled: its place among those known to be needed, and how many those are."""

    number: int
    total: int


def kernel_key(kernel: Kernel) -> KernelKey:
    """Return what tells a kernel from all others."""
    key: KernelKey = kernel.kernel_key  # type: ignore[attr-defined]
    return key


def is_compiled(kernel: Kernel, arguments: tuple[Any, ...]) -> bool:
    """Tell whether there is machine code of a kernel for such arguments, in this process or on disk."""
    if not jit.ENABLED:
        return True
    dispatcher: Any = kernel
    signature = tuple(map(dispatcher.typeof_pyval, arguments))
    return signature in dispatcher.overloads or bool(dispatcher._cache.holds(signature, dispatcher.targetctx))


def is_loaded(kernel: Kernel) -> bool:
    """Tell whether a kernel has machine code in this process."""
    dispatcher: Any = kernel
    return not jit.ENABLED or bool(dispatcher.overloads)


class _Asked(threading.local):
    """What a thread calls before it begins to compile a kernel."""

    ask: Callable[[], None] | None = None


_asked = _Asked()


@contextmanager
def asked_before_compiling(ask: Callable[[], None]) -> Iterator[None]:
    """Have this thread call ``ask`` before each kernel that it begins to compile; what that raises ends the call.

    It is asked once the thread need not wait for another one that compiles, and not before it reads code from the disk.
    """
    before, _asked.ask = _asked.ask, ask
    try:
        yield
    finally:
        _asked.ask = before


class CompileWatch:
    """Watches what Numba compiles, from when it is entered until it is left.

    Parameters
    ----------
    tell
        Called when a kernel begins to be compiled, and with None when that is done, by the thread that does it.

    Attributes
    ----------
    seconds : list of float
        How long each kernel took that was compiled, and not those that failed.
    """

    def __init__(self, tell: Callable[[Compilation | None], None]) -> None:
        self.seconds: list[float] = []
        self._tell = tell
        self._known: set[KernelKey] = set()
        self._begun: set[KernelKey] = set()
        self._since: float | None = None
        self._waits = _Waits()
        self._installed = ExitStack()

    def __enter__(self) -> CompileWatch:
        """Begin to watch."""
        # What takes the compiler's lock compiles, or reads code from the disk, or waits for another thread that does.
        self._installed.enter_context(event.install_listener("numba:compiler_lock", self._waits))
        self._installed.enter_context(event.install_listener("numba:compile", _Compilations(self._begin, self._end)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Watch no longer."""
        self._installed.close()

    def expect(self, kernels: Iterable[KernelKey]) -> None:
        """Take in which kernels will have to be compiled; others may turn out to be needed."""
        self._known.update(kernels)

    def clock(self) -> float:
        """Return the seconds of a clock that stands still while this thread waits for machine code."""
        return time.monotonic() - self._waits.own.seconds

    def _begin(self, key: KernelKey) -> None:
        self._known.add(key)
        self._begun.add(key)
        self._since = time.monotonic()
        self._tell(Compilation(len(self._begun), len(self._known)))

    def _end(self, succeeded: bool) -> None:
        if self._since is not None:  # else it was refused before it began
            if succeeded:
                self.seconds.append(time.monotonic() - self._since)
            self._since = None
            self._tell(None)


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

    def __init__(self, begin: Callable[[KernelKey], None], end: Callable[[bool], None]) -> None:
        self._begin, self._end = begin, end

    def on_start(self, compiled: Any) -> None:
        """Tell that a kernel begins to be compiled."""
        if _is_kernel(compiled):
            self._begin(kernel_key(compiled.data["dispatcher"]))

    def on_end(self, compiled: Any) -> None:
        """Tell that it is compiled, or failed to be."""
        if _is_kernel(compiled):
            self._end(compiled._exc_details is None)  # Numba's own is_failed says the contrary of what it should


class _Question(event.Listener):
    """Has threads call what they are to call before they begin to compile a kernel."""

    def on_start(self, compiled: Any) -> None:
        """Ask, as the first of all listeners."""
        if _asked.ask and _is_kernel(compiled):
            _asked.ask()

    def on_end(self, compiled: Any) -> None:
        """Do nothing."""


def _is_kernel(compiled: Any) -> bool:
    return isinstance(compiled.data["dispatcher"]._cache, DiskCache)


event.register("numba:compile", _Question())

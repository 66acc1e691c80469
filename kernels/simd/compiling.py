"""Which kernels Numba compiles while networks are trained, and how long threads wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from types import TracebackType
from typing import Any, NamedTuple

from numba.core import event

from kernels.simd import jit
from kernels.simd.disk_cache import DiskCache

Kernel = Callable[..., Any]

# Identifies a kernel, whichever object it is: its name, and the key of its machine code.
KernelKey = tuple[str, str]


class Compilation(NamedTuple):
    """A kernel that is being compiled.

    Attributes
    ----------
    number, total
        Its number, and that of all kernels.
    seconds
        About how long it takes until all of these are compiled; None if that is not known.
    here
        Whether this process compiles it or another one.
    at_most
        Whether the number of all is not known, and at most that.
    """

    number: int
    total: int
    seconds: float | None = None
    here: bool = True
    at_most: bool = False


def kernel_key(kernel: Kernel) -> KernelKey:
    """Return the name and key that distinguish a kernel from all others."""
    made: Any = kernel  # by jit.kernel, which sets it
    key: KernelKey = made.kernel_key
    return key


def is_compiled(kernel: Kernel, arguments: tuple[Any, ...]) -> bool:
    """Return whether this process or the disk has machine code of a kernel for the types of some arguments."""
    if not jit.ENABLED:
        return True
    dispatcher: Any = kernel
    signature = tuple(map(dispatcher.typeof_pyval, arguments))
    return signature in dispatcher.overloads or bool(dispatcher._cache.holds(signature, dispatcher.targetctx))


def is_loaded(kernel: Kernel) -> bool:
    """Return whether this process has machine code of a kernel."""
    dispatcher: Any = kernel
    return not jit.ENABLED or bool(dispatcher.overloads)


class _Asked(threading.local):
    """What a thread calls before it compiles a kernel."""

    ask: Callable[[], None] | None = None
    claim: Callable[[KernelKey], AbstractContextManager[None]] | None = None


_asked = _Asked()


@contextmanager
def asked_before_compiling(ask: Callable[[], None]) -> Iterator[None]:
    """Have this thread call ``ask`` before it begins to compile a kernel; an exception of ``ask`` ends the call.

    It is called once no other thread compiles, and not before code is read from the disk.
    """
    before, _asked.ask = _asked.ask, ask
    try:
        yield
    finally:
        _asked.ask = before


@contextmanager
def claiming_kernels(claim: Callable[[KernelKey], AbstractContextManager[None]]) -> Iterator[None]:
    """Have this thread enter ``claim(key)`` to compile the kernel of a key: other processes may compile it instead."""
    before, _asked.claim = _asked.claim, claim
    try:
        yield
    finally:
        _asked.claim = before


def claimed(kernel: Kernel) -> AbstractContextManager[None]:
    """Return the context in which this thread compiles a kernel that is not compiled yet.

    Where other processes compile kernels for this one, it is entered once one of them has compiled this kernel, or
    none of them does.
    """
    return _asked.claim(kernel_key(kernel)) if _asked.claim else nullcontext()


class CompileWatch:
    """Observes which kernels are compiled, from when it is entered until it is left.

    Parameters
    ----------
    tell
        Called when a kernel begins to be compiled, and with None when none is being compiled any more.
    each
        Seconds that a kernel takes to compile, if they are known, until the first one is compiled.

    Attributes
    ----------
    seconds : list of float
        How long each kernel took to compile, without those that failed.
    n_processes : int
        Processes that compile kernels side by side, this one among them.
    """

    def __init__(self, tell: Callable[[Compilation | None], None], each: float | None = None) -> None:
        self.seconds: list[float] = []
        self.n_processes = 1
        self._tell, self._each = tell, each
        self._known: set[KernelKey] = set()
        self._most = 0
        self._begun: set[KernelKey] = set()
        self._running: dict[KernelKey, bool] = {}
        self._lock = threading.RLock()
        self._here: tuple[KernelKey, float] | None = None
        self._waits = _Waits()
        self._installed = ExitStack()

    def __enter__(self) -> CompileWatch:
        """Begin to observe."""
        # A thread that takes the compiler's lock compiles or reads code from the disk, or waits for one that does.
        self._installed.enter_context(event.install_listener("numba:compiler_lock", self._waits))
        listener = _Compilations(self._begin_here, self._end_here)
        self._installed.enter_context(event.install_listener("numba:compile", listener))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop observing."""
        self._installed.close()

    def expect(self, kernels: Iterable[KernelKey], most: int = 0) -> None:
        """Add kernels that will have to be compiled; others may turn out to be needed, of at most ``most`` in all."""
        self._known.update(kernels)
        self._most = most

    def clock(self) -> float:
        """Return the seconds of a clock that stands still while this thread waits for machine code."""
        return time.monotonic() - self._waits.own.seconds

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Have the clock stand still: this thread waits for machine code that another process makes."""
        self._waits.begin()
        try:
            yield
        finally:
            self._waits.end()

    def begin(self, key: KernelKey, *, here: bool) -> None:
        """Count a kernel that begins to be compiled, in this process or beside it."""
        with self._lock:
            self._known.add(key)
            self._begun.add(key)
            self._running[key] = here
            self._tell_now()

    def end(self, key: KernelKey, seconds: float | None) -> None:
        """Count a kernel that is compiled, and the seconds that it took; None if it is not."""
        with self._lock:
            self._running.pop(key, None)  # not there where another call compiled it here meanwhile
            self.seconds += [] if seconds is None else [seconds]
            self._tell_now()

    def _tell_now(self) -> None:
        """Tell what is being compiled."""
        here = any(self._running.values())
        total = max(self._most, len(self._known))
        now = Compilation(len(self._begun), total, self._seconds_to_go(), here, at_most=total > len(self._known))
        self._tell(now if self._running else None)

    def _seconds_to_go(self) -> float | None:
        """Return about how long it takes until all known kernels are compiled."""
        each = sum(self.seconds) / len(self.seconds) if self.seconds else self._each
        return each and each * (len(self._known) - len(self.seconds)) / self.n_processes

    def _begin_here(self, key: KernelKey) -> None:
        self._here = key, time.monotonic()
        self.begin(key, here=True)

    def _end_here(self, succeeded: bool) -> None:
        if self._here is not None:  # else it was refused before it began
            key, begin = self._here
            self._here = None
            self.end(key, time.monotonic() - begin if succeeded else None)


class _Own(threading.local):
    """How often a thread holds or awaits the lock, since when, and for how long it did before."""

    depth = 0
    since = 0.0
    seconds = 0.0


class _Waits(event.Listener):
    """Measures for how long each thread holds or awaits a lock that one thread may take several times."""

    def __init__(self) -> None:
        self.own = _Own()

    def on_start(self, _: Any) -> None:
        """Note when the thread asked for the lock."""
        self.begin()

    def on_end(self, _: Any) -> None:
        """Add up when the thread has left it."""
        self.end()

    def begin(self) -> None:
        """Note that this thread begins to wait, if it does not already."""
        if not self.own.depth:
            self.own.since = time.monotonic()
        self.own.depth += 1

    def end(self) -> None:
        """Add up what this thread has waited; one that had the lock before the watch began is not measured."""
        if not self.own.depth:
            return
        self.own.depth -= 1
        if not self.own.depth:
            self.own.seconds += time.monotonic() - self.own.since


class _Compilations(event.Listener):
    """Reports kernels only: Numba also reports each function that they are made of."""

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
    """Makes threads call the function of :func:`asked_before_compiling`."""

    def on_start(self, compiled: Any) -> None:
        """Call it, before all other listeners."""
        if _asked.ask and _is_kernel(compiled):
            _asked.ask()

    def on_end(self, compiled: Any) -> None:
        """Do nothing."""


def _is_kernel(compiled: Any) -> bool:
    return isinstance(compiled.data["dispatcher"]._cache, DiskCache)


event.register("numba:compile", _Question())

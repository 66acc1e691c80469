"""Which kernels Numba compiles while networks are trained, and how long threads wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, NamedTuple

from numba.core import event

from kernels.numba.machine_code import Kernel, KernelKey, kernel_key


class Compilation(NamedTuple):
    """A kernel that is being compiled."""

    # Its number, counted from 1, and the number of all kernels
    number: int
    total: int
    seconds: float | None = None  # estimated time until all of these are compiled; None if unknown
    here: bool = True  # whether this process compiles it, not another one
    at_most: bool = False  # whether ``total`` is only an upper bound


class _Hooks(threading.local):
    """Functions that a thread calls before it compiles a kernel."""

    check: Callable[[], None] | None = None
    claim: Callable[[KernelKey], AbstractContextManager[None]] | None = None


_hooks = _Hooks()


@contextmanager
def checking_before_compiling(check: Callable[[], None]) -> Iterator[None]:
    """Have this thread call ``check`` before it begins to compile a kernel; an exception of ``check`` ends the call.

    It is called when no other thread compiles; reading code from the disk does not call it.
    """
    before = _hooks.check
    _hooks.check = check
    try:
        yield
    finally:
        _hooks.check = before


@contextmanager
def claiming_kernels(claim: Callable[[KernelKey], AbstractContextManager[None]]) -> Iterator[None]:
    """Have this thread compile the kernel of a key within ``claim(key)``: another process may compile it instead."""
    before = _hooks.claim
    _hooks.claim = claim
    try:
        yield
    finally:
        _hooks.claim = before


def claimed(kernel: Kernel) -> AbstractContextManager[None]:
    """Return the context in which this thread compiles a kernel.

    Where other processes compile kernels for this one, entering it waits until one of them has compiled this kernel, or
    none of them is compiling it.
    """
    return _hooks.claim(kernel_key(kernel)) if _hooks.claim else nullcontext()


class CompileWatch:
    """Observes which kernels are compiled while its context is active.

    ``report`` is called when the compiling of a kernel starts, and with None when no kernel is being compiled any more.
    ``seconds`` are the times that kernels took, without failures; ``n_processes`` compile side by side, this one
    included. Until the first kernel is compiled, each is estimated to take ``each`` seconds, None if unknown.
    """

    def __init__(self, report: Callable[[Compilation | None], None], each: float | None = None) -> None:
        self.seconds: list[float] = []
        self.n_processes = 1
        self._report, self._each = report, each
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

    def __exit__(self, *details: object) -> None:
        """Stop observing."""
        self._installed.close()

    def expect(self, kernels: Iterable[KernelKey], most: int = 0) -> None:
        """Add kernels that must be compiled; more may turn out to be needed, up to ``most`` in all."""
        self._known.update(kernels)
        self._most = most

    def clock(self) -> float:
        """Return the seconds of a clock that stands still while this thread waits for machine code."""
        return time.monotonic() - self._waits.own.seconds

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Stop the clock while this thread waits for machine code that another process makes."""
        self._waits.begin()
        try:
            yield
        finally:
            self._waits.end()

    def begin(self, key: KernelKey, *, here: bool) -> None:
        """Count a kernel whose compiling starts, in this process or another one."""
        with self._lock:
            self._known.add(key)
            self._begun.add(key)
            self._running[key] = here
            self._report_now()

    def end(self, key: KernelKey, seconds: float | None) -> None:
        """Count a compiled kernel and the seconds that it took; None if compiling failed."""
        with self._lock:
            self._running.pop(key, None)  # missing if another call has compiled it here meanwhile
            self.seconds += [] if seconds is None else [seconds]
            self._report_now()

    def _report_now(self) -> None:
        """Report what is being compiled."""
        here = any(self._running.values())
        total = max(self._most, len(self._known))
        now = Compilation(len(self._begun), total, self._seconds_to_go(), here, at_most=total > len(self._known))
        self._report(now if self._running else None)

    def _seconds_to_go(self) -> float | None:
        """Return the estimated time until all known kernels are compiled."""
        each = sum(self.seconds) / len(self.seconds) if self.seconds else self._each
        return each and each * (len(self._known) - len(self.seconds)) / self.n_processes

    def _begin_here(self, key: KernelKey) -> None:
        self._here = key, time.monotonic()
        self.begin(key, here=True)

    def _end_here(self, succeeded: bool) -> None:
        if self._here is not None:  # otherwise it was refused before it started
            key, begin = self._here
            self._here = None
            self.end(key, time.monotonic() - begin if succeeded else None)


class _Own(threading.local):
    """How often a thread holds or awaits the lock, since when, and for how long before that."""

    depth = 0
    since = 0.0
    seconds = 0.0


class _Waits(event.Listener):
    """Measures for how long each thread holds or awaits a lock that one thread may take several times."""

    def __init__(self) -> None:
        self.own = _Own()

    def on_start(self, _: Any) -> None:
        """Note when the thread requested the lock."""
        self.begin()

    def on_end(self, _: Any) -> None:
        """Add up the time when the thread has released it."""
        self.end()

    def begin(self) -> None:
        """Note that this thread starts to wait, unless it already waits."""
        if not self.own.depth:
            self.own.since = time.monotonic()
        self.own.depth += 1

    def end(self) -> None:
        """Add up how long this thread has waited, unless it had the lock before the watch started."""
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
        """Report that the compiling of a kernel starts."""
        if _is_kernel(compiled):
            self._begin(kernel_key(compiled.data["dispatcher"]))

    def on_end(self, compiled: Any) -> None:
        """Report that a kernel is compiled, or that compiling failed."""
        if _is_kernel(compiled):
            self._end(compiled._exc_details is None)  # Numba's is_failed says the opposite


class _CheckBeforeCompiling(event.Listener):
    """Makes threads call the function of :func:`checking_before_compiling`."""

    def on_start(self, compiled: Any) -> None:
        """Call the function before all other listeners."""
        if _hooks.check and _is_kernel(compiled):
            _hooks.check()

    def on_end(self, compiled: Any) -> None:
        """Do nothing."""


def _is_kernel(compiled: Any) -> bool:
    return hasattr(compiled.data["dispatcher"], "kernel_key")


event.register("numba:compile", _CheckBeforeCompiling())

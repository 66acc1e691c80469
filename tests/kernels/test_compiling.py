"""Compilations are reported when they happen, and the time that threads wait for them is measured."""

from __future__ import annotations

import secrets
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numba.core import event
from numba.core.errors import TypingError

from kernels.numba import jit
from kernels.numba.compiling import Compilation, CompileWatch, checking_before_compiling
from kernels.numba.machine_code import is_compiled, kernel_key
from tests.kernels.support import compiled_only_marks
from tests.waiting import LONG

pytestmark = [*compiled_only_marks, pytest.mark.usefixtures("own_cache")]

NUMBERS = np.arange(4.0)


def make_probe(key: str) -> Any:
    """Return a small kernel that calls another compiled function."""

    @jit.device
    def double(x: float) -> float:
        return 2 * x

    @jit.kernel(key)
    def probe(numbers: Any, place: int) -> float:
        return double(numbers[place])

    return probe


def test_kernels_are_reported_when_they_are_compiled() -> None:
    """Each kernel, but no part of it, is reported once at its start and end, with its number among those expected."""
    reported: list[Compilation | None] = []
    first, second, unexpected = (make_probe(secrets.token_hex(8)) for _ in range(3))
    with CompileWatch(reported.append) as watch:
        watch.expect(map(kernel_key, (first, second)))
        for probe in (second, first, second, unexpected):
            assert probe(NUMBERS, 3) == 6.0
    assert [compilation and compilation[:2] for compilation in reported] == [(1, 2), None, (2, 2), None, (3, 3), None]
    assert all(compilation.here for compilation in reported if compilation)
    make_probe(secrets.token_hex(8))(NUMBERS, 3)
    assert len(reported) == 6
    assert len(watch.seconds) == 3
    assert all(seconds > 0 for seconds in watch.seconds)


def test_an_unknown_number_of_kernels_is_an_upper_bound() -> None:
    """The bound is reported from the first kernel on, and does not change with the kernels that are needed."""
    reported: list[Compilation | None] = []
    watch = CompileWatch(reported.append)
    watch.expect([("train", "0")], 3)
    for key in ("0", "1", "2"):
        watch.begin(("train", key), here=True)
        watch.end(("train", key), 1.0)
    assert [each and (each.number, each.total, each.at_most) for each in reported[::2]] == [
        (1, 3, True),
        (2, 3, True),
        (3, 3, False),
    ]


def test_seconds_of_failures_are_not_counted() -> None:
    """A kernel that cannot be compiled is reported at its start and end, but its time does not enter estimates."""
    reported: list[Compilation | None] = []

    @jit.kernel(secrets.token_hex(8))
    def wrong(numbers: Any, place: int) -> Any:
        return numbers.nothing + place

    probe: Any = wrong
    with CompileWatch(reported.append) as watch:
        with pytest.raises(TypingError):
            probe(NUMBERS, 3)
        assert watch.seconds == []
        assert make_probe(secrets.token_hex(8))(NUMBERS, 3) == 6.0
    assert reported == [Compilation(1, 1), None, Compilation(2, 2), None]
    assert len(watch.seconds) == 1


def test_a_kernel_that_is_compiled_twice_at_once() -> None:
    """Another call of this process may compile a kernel while another process compiles it for this call."""
    reported: list[Compilation | None] = []
    watch = CompileWatch(reported.append)
    for here in (False, True):
        watch.begin(("train", "0"), here=here)
    for _ in range(2):
        watch.end(("train", "0"), 1.0)
    assert reported[-1] is None


def test_code_on_disk_is_not_compiled() -> None:
    """Code of this process and code on disk are found for the types for which they are made."""
    reported: list[Compilation | None] = []
    key = secrets.token_hex(8)
    probe = make_probe(key)
    assert not is_compiled(probe, (NUMBERS, 3))
    probe(NUMBERS, 3)
    assert is_compiled(probe, (NUMBERS, 3))
    again = make_probe(key)
    assert is_compiled(again, (NUMBERS, 3))
    assert not is_compiled(again, (NUMBERS.astype(np.float32), 3))
    with CompileWatch(reported.append):
        assert again(NUMBERS, 3) == 6.0
    assert reported == []


class Requests(event.Listener):
    """Sets an event once a thread asks for the compiler's lock, while another one compiles."""

    def __init__(self, thread: threading.Thread) -> None:
        self.thread, self.made = thread, threading.Event()

    def on_start(self, _: Any) -> None:
        """Note the thread that asks."""
        if threading.current_thread() is self.thread:
            self.made.set()

    def on_end(self, _: Any) -> None:
        """Do nothing."""


def test_the_clock_stands_still_while_a_thread_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the compiling thread nor one that waits for it counts the time; a thread that does not wait counts it."""
    now = [10.0]
    monkeypatch.setattr("kernels.numba.compiling.time", SimpleNamespace(monotonic=lambda: now[0]))
    probe, counted = make_probe(secrets.token_hex(8)), {}
    begun, ended, together = threading.Event(), threading.Event(), threading.Barrier(3)

    def report(compilation: Compilation | None) -> None:
        if compilation:
            begun.set()
            assert waits.made.wait(LONG)
            now[0] += 5.0

    def measure(name: str, action: Any) -> None:
        started = watch.clock()
        together.wait(LONG)
        action()
        counted[name] = watch.clock() - started

    def wait_for_the_other() -> None:
        assert begun.wait(LONG)
        probe(NUMBERS, 3)

    with CompileWatch(report) as watch:
        threads = [
            threading.Thread(target=measure, args=("compiles", lambda: probe(NUMBERS, 3))),
            threading.Thread(target=measure, args=("waits", wait_for_the_other)),
            threading.Thread(target=measure, args=("trains", ended.wait)),
        ]
        waits = Requests(threads[1])
        with event.install_listener("numba:compiler_lock", waits):
            for thread in threads:
                thread.start()
            for thread in threads[:2]:
                thread.join()
        ended.set()
        threads[2].join()
    assert counted == {"compiles": 0.0, "waits": 0.0, "trains": 5.0}


def test_a_watch_that_starts_while_the_lock_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only waiting that started under the watch is measured, and the clock runs again afterward."""
    now = [10.0]
    monkeypatch.setattr("kernels.numba.compiling.time", SimpleNamespace(monotonic=lambda: now[0]))
    event.start_event("numba:compiler_lock")
    with CompileWatch(lambda _: None) as watch:
        assert watch.clock() == 10.0
        now[0] = 11.0
        event.end_event("numba:compiler_lock")
        assert watch.clock() == 11.0
        event.start_event("numba:compiler_lock")
        now[0] = 13.0
        event.end_event("numba:compiler_lock")
        now[0] = 14.0
        assert watch.clock() == 12.0


def test_a_thread_checks_before_it_compiles() -> None:
    """It checks once for each kernel, before the start; not for one that exists, nor for the work of another thread."""
    checks: list[str] = []
    key = secrets.token_hex(8)
    first, again, second, third = (make_probe(name) for name in (key, key, *(secrets.token_hex(8) for _ in range(2))))
    with checking_before_compiling(lambda: checks.append("outer")):
        first(NUMBERS, 3)
        again(NUMBERS, 3)  # from the disk
        with checking_before_compiling(lambda: checks.append("inner")):
            second(NUMBERS, 3)
        other = threading.Thread(target=third, args=(NUMBERS, 3))
        other.start()
        other.join()
    make_probe(secrets.token_hex(8))(NUMBERS, 3)
    assert checks == ["outer", "inner"]


def test_no_kernel_is_compiled_after_a_refusal() -> None:
    """A thread that has waited for another checks once that has compiled; an exception leaves nothing behind."""
    reported: list[Compilation | None] = []
    refused, begun = threading.Event(), threading.Event()
    errors: list[BaseException] = []
    probes = [make_probe(secrets.token_hex(8)) for _ in range(2)]

    def check() -> None:
        if refused.is_set():
            raise KeyboardInterrupt

    def report(compilation: Compilation | None) -> None:
        reported.append(compilation)
        if compilation and not begun.is_set():
            begun.set()
            assert waits.made.wait(LONG)
            refused.set()

    def call(probe: Any) -> None:
        try:
            with checking_before_compiling(check):
                probe(NUMBERS, 3)
        except BaseException as error:
            errors.append(error)

    with CompileWatch(report) as watch:
        first, second = (threading.Thread(target=call, args=(probe,)) for probe in probes)
        waits = Requests(second)
        with event.install_listener("numba:compiler_lock", waits):
            first.start()
            assert begun.wait(LONG)
            second.start()
            for thread in (first, second):
                thread.join()
        assert [compilation for compilation in reported if compilation] == [Compilation(1, 1)]
        assert len(watch.seconds) == 1
        assert [type(error) for error in errors] == [KeyboardInterrupt]
        assert [is_compiled(probe, (NUMBERS, 3)) for probe in probes] == [True, False]
        assert probes[1](NUMBERS, 3) == 6.0

"""Work in threads that ends in good order, also on Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event, Lock, Thread
from typing import TypeVar

from sweep.errors import SweepError
from sweep.interrupts import Interrupts

T = TypeVar("T")

# The waiting thread looks so often whether it was interrupted: the signal may reach another one and not wake it.
_WAKE_SECONDS = 0.1


def work_in_threads(
    work: Callable[[T], None], items: Iterator[T], n_threads: int, interrupts: Interrupts, tick: Callable[[], None]
) -> None:
    """Work on all items, each thread on one after the other; call ``tick`` in this one now and then.

    An error or an interrupt waits for the items under way. A second interrupt does not.

    Raises
    ------
    KeyboardInterrupt
        If interrupted.
    SweepError
        If the system does not start so many threads.
    """
    taking, stop = Lock(), Event()
    errors: list[BaseException] = []

    def work_on() -> None:
        try:
            while not (stop.is_set() or interrupts.count):
                with taking:
                    item = next(items, None)
                if item is None:
                    return
                work(item)
        except BaseException as error:
            errors.append(error)
            stop.set()

    started: list[Thread] = []
    try:
        for number in range(n_threads):
            thread = Thread(target=work_on, name=f"sweep-{number}", daemon=True)
            thread.start()
            started.append(thread)
    except RuntimeError:
        errors.append(SweepError(f"threads {n_threads} given; this system starts {len(started)} and no more"))
        stop.set()
    try:
        for thread in started:
            while thread.is_alive() and interrupts.count < 2:
                thread.join(_WAKE_SECONDS)
                tick()
    finally:
        stop.set()
    interrupts.check()
    if errors:
        raise errors[0]

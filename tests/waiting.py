"""Waiting in tests: for what must happen, as long as the slowest machine needs, and never for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable

# Seconds after which a process or thread hangs, even on a slow machine with much other work.
LONG = 600.0
# Seconds after which a page in a browser does not answer any more, where no kernel is compiled.
LONG_FOR_PAGES = 120.0


def until(happened: Callable[[], object], limit: float = LONG, sleep: Callable[[float], object] = time.sleep) -> None:
    """Wait until something has happened; fail if it does not within ``limit`` seconds."""
    end = time.monotonic() + limit
    while not happened():
        assert time.monotonic() < end, f"this has not happened within {limit:.0f} seconds"
        sleep(0.01)

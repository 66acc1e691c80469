"""Processes that were forked from one that had used a library with threads of its own.

A fork has the thread that forked it and no other, so a library that waits there for its threads waits for ever.
"""

from __future__ import annotations

import os

# The first process that used a library, in this process or those that it was forked from.
_first_users: dict[str, int] = {}


def fault_of_fork(library: str) -> str | None:
    """Note that this process uses a library; return why it cannot if one that it was forked from had used it before."""
    if _first_users.setdefault(library, os.getpid()) == os.getpid():
        return None
    return (
        f"{library} hangs in a process forked from one that has used it; let multiprocessing start this process by "
        "'spawn' or 'forkserver'"
    )

"""Refuse libraries with background threads in forked processes.

A forked process has only the thread that called fork, so a library that waits there for its threads hangs.
"""

from __future__ import annotations

import os

# The process that first used each library: this one, or an ancestor from which it was forked.
_first_users: dict[str, int] = {}


def fault_of_fork(library: str) -> str | None:
    """Note that this process uses a library; return why it must not, if its parent used it before the fork."""
    if _first_users.setdefault(library, os.getpid()) == os.getpid():
        return None
    return (
        f"{library} hangs in a process forked from one that has used it; start this process with the method 'spawn' "
        "or 'forkserver' of multiprocessing"
    )

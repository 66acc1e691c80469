"""Python processes beside this one, which have its modules and answer over a pipe; what forks must not use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import IO, Any

# Code that runs before the program, and defines ``answers``, its pipe.
_HEAD = (
    "import sys; sys.path[:] = {path!r}; "
    "from multiprocessing.connection import Connection; answers = Connection({pipe}, readable=False); "
)


def start_python(
    program: str, errors: int | IO[bytes] | None, environment: Mapping[str, str] | None = None
) -> tuple[subprocess.Popen[bytes], Any]:
    """Start a Python process that Ctrl-C does not interrupt; return it and the connection with its answers."""
    if not sys.executable:
        raise FileNotFoundError("sys.executable does not name a Python interpreter")
    reading, writing = os.pipe()
    answers = Connection(reading, writable=False)
    path = [place for place in sys.path if isinstance(place, str)]  # Python looks in no others
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", _HEAD.format(path=path, pipe=writing) + program],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=environment,
            pass_fds=(writing,),
            start_new_session=True,  # Ctrl-C in a terminal is for this process, which then ends the other one
        )
    except BaseException:
        answers.close()
        raise
    finally:
        os.close(writing)
    return process, answers


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

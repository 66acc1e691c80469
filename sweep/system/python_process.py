"""Python processes beside this one: they have its modules, and answer over a pipe of their own.

Standard output is no such pipe, since what a site configures when Python starts may print there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import IO, Any

# What is run first: ``answers`` is the pipe for the program.
_HEAD = (
    "import sys; sys.path[:] = {path!r}; "
    "from multiprocessing.connection import Connection; answers = Connection({pipe}, readable=False); "
)


def start_python(
    program: str, errors: int | IO[bytes] | None, environment: Mapping[str, str] | None = None
) -> tuple[subprocess.Popen[bytes], Any]:
    """Start a Python process that is not interrupted with this one.

    Parameters
    ----------
    program
        Its source. It is given standard input, which ends with this process, and ``answers``, the connection to which
        it sends bytes.
    errors
        Its standard error, as for ``Popen``.
    environment
        By default that of this process.

    Returns
    -------
    process : Popen
    answers : multiprocessing.connection.Connection
        From which the bytes are read.

    Raises
    ------
    OSError
        If the system starts none.
    """
    if not sys.executable:
        raise FileNotFoundError("sys.executable names no Python")
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

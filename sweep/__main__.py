"""The process of a command: ``sweep``, or ``python -m sweep``."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TextIO

from kernels.floating_point import default_floating_point
from sweep.errors import EXIT_BAD_INPUT, EXIT_FAILED, EXIT_INTERRUPTED, DamageError, SweepError
from sweep.system.escaping import escaped_output
from sweep.system.signals import leave_on_interrupt

_NO_MEMORY = "there is not enough memory for this, or a limit (ulimit -v) allows less; what was finished is kept"


def main() -> None:
    """Be the process of a command.

    After an interrupt it ends at once, also in imports: threads of libraries may still be under
    way, and abort a process that ends while they are taken down. Names of files that are no
    UTF-8, and lines of tables where a terminal has ASCII only, are printed escaped. Settings of
    other packages that no command needs are taken away, since they fail where they are nonsense.
    """
    leave_on_interrupt()
    os.environ["MPLBACKEND"] = "agg"  # as figures are files
    os.environ.pop("NUMBA_NUM_THREADS", None)  # of Numba's own threads, which do nothing here
    sys.stdout, sys.stderr = (stream or _nowhere() for stream in (sys.stdout, sys.stderr))  # None if closed
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        run_command()
    except KeyboardInterrupt:
        os._exit(EXIT_INTERRUPTED)
    except SystemExit as end:
        if end.code == EXIT_INTERRUPTED:
            with suppress(OSError, AttributeError):  # full, or closed
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(EXIT_INTERRUPTED)
        raise


@default_floating_point
def run_command() -> None:
    """Run the command line; what the user must mend ends in one sentence and code 2."""
    with escaped_output():
        _run_command()


def _run_command() -> None:
    """Run it with standard streams that escape what is printed."""
    from sweep.cli import app as cli

    try:
        try:
            cli.app()
        finally:
            print(end="", flush=True)
    except SweepError as error:
        remedy = "; 'sweep verify --repair' mends results where it can" if isinstance(error, DamageError) else ""
        for line in f"{error}{remedy}".splitlines():
            print(f"error: {line}", file=sys.stderr)
        sys.exit(EXIT_BAD_INPUT)
    except Exception as error:
        if _lacks_memory(error):
            print(f"error: {_NO_MEMORY}", file=sys.stderr)
            sys.exit(EXIT_FAILED)
        if not isinstance(error, OSError) or not _discard_output():
            raise
        if isinstance(error, BrokenPipeError):  # who reads standard output has seen enough
            return
        print(f"error: standard output cannot be written: {error.strerror}", file=sys.stderr)
        sys.exit(EXIT_FAILED)


def _lacks_memory(error: BaseException) -> bool:
    """Tell whether an error comes from memory that could not be had, also for a thread or a library."""
    cause = error.__cause__ or error.__context__
    options = ("failed to map segment", "cannot allocate memory", "can't start new thread")
    lacks = isinstance(error, MemoryError) or any(option in str(error).lower() for option in options)
    return lacks or (cause is not None and _lacks_memory(cause))


def _nowhere() -> TextIO:
    """Return a stream that forgets what is written to it."""
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def _discard_output() -> bool:
    """Write no more to a standard output that takes no more; tell whether it is one."""
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


if __name__ == "__main__":
    main()

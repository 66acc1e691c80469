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
from sweep.system.wrapping import print_text

_NO_MEMORY = "there is not enough memory for this command, or a limit (ulimit -v) forbids it; finished parts are kept"


def main() -> None:
    """Run the command line as a process.

    An interrupt ends the process at once, even during imports: threads of libraries may still run, and would abort
    the process during a normal exit. Output that the terminal cannot encode is escaped, such as names of files that
    are not UTF-8. Settings of other packages that no command needs are removed, because invalid ones raise errors.
    """
    leave_on_interrupt()
    os.environ["MPLBACKEND"] = "agg"  # figures are written to files
    os.environ.pop("NUMBA_NUM_THREADS", None)  # Numba's own threads are not used
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
    """Run the command line. An error that the user can correct ends with one sentence and exit code 2."""
    with escaped_output():
        _run_command()


def _run_command() -> None:
    from kernels.numba.choice import CompilerError
    from sweep.cli import app as cli

    try:
        try:
            cli.app()
        finally:
            print(end="", flush=True)
    except (SweepError, CompilerError) as error:
        remedy = "; 'sweep verify --repair' repairs results where it can" if isinstance(error, DamageError) else ""
        print_text(*(f"error: {line}" for line in f"{error}{remedy}".splitlines()), file=sys.stderr)
        sys.exit(EXIT_BAD_INPUT)
    except Exception as error:
        if _lacks_memory(error):
            print_text(f"error: {_NO_MEMORY}", file=sys.stderr)
            sys.exit(EXIT_FAILED)
        if not isinstance(error, OSError) or not _discard_output():
            raise
        if isinstance(error, BrokenPipeError):  # the reader of standard output has closed it, as head does
            return
        print_text(f"error: standard output cannot be written: {error.strerror}", file=sys.stderr)
        sys.exit(EXIT_FAILED)


def _lacks_memory(error: BaseException) -> bool:
    """Return whether an error means that memory is lacking, also for a thread or a library."""
    cause = error.__cause__ or error.__context__
    signs = ("failed to map segment", "cannot allocate memory", "can't start new thread")
    lacks = isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in signs)
    return lacks or (cause is not None and _lacks_memory(cause))


def _nowhere() -> TextIO:
    """Return a stream that discards its input."""
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def _discard_output() -> bool:
    """Discard further output if standard output cannot be written. Return whether that is so."""
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


if __name__ == "__main__":
    main()

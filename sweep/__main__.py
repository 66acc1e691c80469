"""The process of a command: ``sweep``, or ``python -m sweep``."""

from __future__ import annotations

from sweep.interrupts import leave_on_interrupt


def main() -> None:
    """Run the command line, from its imports on without a traceback on Ctrl-C."""
    leave_on_interrupt()
    from sweep.cli import main as run_as_process

    run_as_process()


if __name__ == "__main__":
    main()

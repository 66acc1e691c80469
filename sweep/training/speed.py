"""The speed of training and compilation on this machine: noted after each study, and used to estimate the next one."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from math import inf
from pathlib import Path

from sweep.schedule.plan import Plan

# Least seconds and operations for a note, since parts have costs besides training.
_LEAST_SECONDS, _LEAST_OPERATIONS = 0.05, 1e7


def note_speed(operations: float, seconds: float) -> None:
    """Note the speed of training, from nominal operations and the seconds of all threads; ignore write errors."""
    if seconds >= _LEAST_SECONDS and operations >= _LEAST_OPERATIONS:
        _note("operations_per_second", operations / seconds)


def note_kernels(seconds: Sequence[float]) -> None:
    """Note the seconds that kernels took to compile, if any were compiled; ignore write errors."""
    if seconds:
        _note("seconds_per_kernel", sum(seconds) / len(seconds))


def noted_speed() -> float | None:
    """Return the nominal operations per second of a thread on this machine; None if not noted."""
    return _noted().get("operations_per_second")


def noted_kernel_seconds() -> float | None:
    """Return the mean seconds that this machine took to compile a kernel; None if not noted."""
    return _noted().get("seconds_per_kernel")


def estimated_seconds(plan: Plan, threads: int) -> float | None:
    """Return an upper bound of the seconds that a study trains; None if no speed is noted."""
    per_second = noted_speed()
    seconds = plan.parts.operations / per_second / threads if per_second else inf
    return seconds if seconds < inf else None


def _note(name: str, number: float) -> None:
    """Add a number to the notes."""
    with suppress(OSError, RuntimeError):
        file = _file()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.write_text(json.dumps({**_noted(), name: number}))
        draft.replace(file)


def _noted() -> dict[str, float]:
    """Return all notes that are valid."""
    try:
        noted = json.loads(_file().read_text("utf-8"))
        numbers = {str(name): float(number) for name, number in noted.items()}
    except (OSError, RuntimeError, ValueError, AttributeError, TypeError, ArithmeticError):
        return {}
    return {name: number for name, number in numbers.items() if 0 < number < inf}


def has_choices() -> bool:
    """Return whether some choice of a kernel's variant was measured by this user, without importing Numba.

    The suffix of these files is :data:`kernels.measured_choices.KIND`, whose module imports it.
    """
    with suppress(OSError, RuntimeError):
        return any(_file().parent.glob("*/*.tuning"))
    return False


def _file() -> Path:
    """Return the file of the note, beside compiled kernels."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "xor-sweep" / "speed.json"

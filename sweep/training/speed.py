"""The speed of training and compilation on this machine: noted after each study, and used to estimate the next one.

The speed of training is noted for each combination of kernels, since the operations per second differ several times,
with the size of batches and what else a step does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from math import inf
from pathlib import Path

from sweep.schedule.kernel_count import kernels_digest
from sweep.schedule.plan import Plan
from sweep.study.model import Study

_OF_ANY = "operations_per_second"  # of the study that was trained last

# Least seconds and operations for a note, since parts have costs besides training.
_LEAST_SECONDS, _LEAST_OPERATIONS = 0.05, 1e7


def note_speed(study: Study, operations: float, seconds: float) -> None:
    """Note the speed of training, from nominal operations and the seconds of all threads; ignore write errors."""
    if seconds >= _LEAST_SECONDS and operations >= _LEAST_OPERATIONS:
        _note({_OF_ANY: operations / seconds, _key(study): operations / seconds})


def note_kernels(seconds: Sequence[float]) -> None:
    """Note the seconds that kernels took to compile, if any were compiled; ignore write errors."""
    if seconds:
        _note({"seconds_per_kernel": sum(seconds) / len(seconds)})


def noted_speed(study: Study) -> float | None:
    """Return the nominal operations per second of a thread with the kernels of a study, else with the latest ones.

    None if nothing is noted.
    """
    noted = _noted()
    return noted.get(_key(study), noted.get(_OF_ANY))


def has_own_speed(study: Study) -> bool:
    """Return whether the noted speed is that of the kernels of this study."""
    return _key(study) in _noted()


def noted_kernel_seconds() -> float | None:
    """Return the mean seconds that this machine took to compile a kernel; None if not noted."""
    return _noted().get("seconds_per_kernel")


def estimated_seconds(plan: Plan, threads: int) -> float | None:
    """Return an upper bound of the seconds that a study trains; None if no speed is noted."""
    per_second = noted_speed(plan.study)
    seconds = plan.parts.operations / per_second / threads if per_second else inf
    return seconds if seconds < inf else None


def _key(study: Study) -> str:
    """Return the name of the speed of a study's kernels in the notes."""
    return f"{_OF_ANY} {kernels_digest(study)}"


def _note(numbers: dict[str, float]) -> None:
    """Add numbers to the notes."""
    with suppress(OSError, RuntimeError):
        file = _file()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.write_text(json.dumps(_noted() | numbers))
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
    """Return whether some choice of a kernel's variant was measured by this user and is not turned off.

    The names are those of :mod:`kernels.measured_choices`, which imports Numba.
    """
    if os.environ.get("XOR_SWEEP_TUNE") == "off":
        return False
    with suppress(OSError, RuntimeError):
        return any(_file().parent.glob("*/*.tuning"))
    return False


def _file() -> Path:
    """Return the file of the note, beside compiled kernels."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "xor-sweep" / "speed.json"

"""The speed of training and compiling on this machine, and the steps that runs took: noted to estimate later studies.

The speed of training is noted for each combination of kernels. It counts the operations of idle lanes too, since eight
networks take as long as one. The share of their steps that runs take before they end is noted for each combination of
kernels, criterion, step limits and number of patterns: nothing but a run tells it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from math import exp, inf, log
from pathlib import Path
from typing import NamedTuple

from sweep.schedule.kernel_count import kernels_digest
from sweep.schedule.plan import Plan
from sweep.study.model import Study

# Operations of lanes per second of a thread, where nothing is noted (Xeon, AVX-512).
_USUAL = 4e10
_SPEED = "lane_operations_per_second"

# A small share of the steps that a run may take before it ends: the least mean of a built-in study.
FEW_STEPS = 0.005

# Least seconds and operations for a note of the speed, since parts have costs besides training.
_LEAST_SECONDS, _LEAST_OPERATIONS = 0.05, 1e7


class Trained(NamedTuple):
    """What a part took: the most operations of its runs, those of the steps that they took, and a thread's seconds.

    ``of_lanes`` are those of all lanes: one that waits for others, or that has no run, counts as if it trained.
    """

    most: float
    taken: float
    of_lanes: float
    seconds: float


class Estimate(NamedTuple):
    """Estimated seconds of training: if each run takes all its steps, and if runs end as early as such runs did.

    ``expected`` is None if nothing is known about that, and ``is_measured`` whether the speed was.
    """

    most: float
    expected: float | None
    is_measured: bool


def note_training(study: Study, trained: Iterable[Trained]) -> None:
    """Note the speed of training parts, and the share of their steps that runs took; ignore write errors."""
    most, taken, of_lanes, seconds = map(sum, zip((0.0,) * 4, *trained, strict=True))
    notes = {}
    if seconds >= _LEAST_SECONDS and taken >= _LEAST_OPERATIONS:
        notes[_speed_key(study)] = of_lanes / seconds
    if taken:
        notes[_share_key(study)] = taken / most
    _note(notes)


def note_kernels(seconds: Sequence[float]) -> None:
    """Note the seconds that kernels took to compile, if any were compiled; ignore write errors."""
    if seconds:
        _note({"seconds_per_kernel": sum(seconds) / len(seconds)})


def noted_speed(study: Study) -> float | None:
    """Return the nominal operations per second of a thread with the kernels of a study; None if not noted."""
    return _noted().get(_speed_key(study))


def noted_kernel_seconds() -> float | None:
    """Return the mean seconds that this machine took to compile a kernel; None if not noted."""
    return _noted().get("seconds_per_kernel")


def estimate(plan: Plan, threads: int) -> Estimate:
    """Estimate the seconds that a study trains on some threads."""
    study, noted = plan.study, _noted()
    own = noted.get(_speed_key(study))
    speeds = [own] if own else [_USUAL, *(noted[name] for name in noted if name.startswith(_SPEED))]
    speed = exp(sum(map(log, speeds)) / len(speeds))
    most = plan.parts.lane_operations / speed / min(threads, plan.n_parts)
    share = noted.get(_share_key(study))
    if share is None and not study.has_patience and study.values_of("criterion") == ("none",):
        limits = study.step_limits
        share = sum(limits) / len(limits) / max(*limits, 1) if len(study.values_of("batch")) == 1 else 1.0
    return Estimate(most, None if share is None else most * share, own is not None)


def _speed_key(study: Study) -> str:
    """Return the name of the speed of a study's kernels in the notes."""
    return f"{_SPEED} {kernels_digest(study)}"


def _share_key(study: Study) -> str:
    """Return the name of the share of steps that runs of such a study take."""
    ends = {name: study.in_tables[name] for name in study.tables.sections["convergence"].model_fields}
    facts = study.data.sets[0].shape, study.step_limits, ends
    return f"share_of_steps {kernels_digest(study)} {hashlib.sha256(repr(facts).encode()).hexdigest()[:16]}"


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


def _file() -> Path:
    """Return the file of the note, beside compiled kernels."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "xor-sweep" / "speed.json"

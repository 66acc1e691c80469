"""How fast this machine trains: noted after each study, and used to estimate the next."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from math import inf
from pathlib import Path

from sweep.plan import Plan

# Training of fewer seconds, or of fewer operations, tells nothing: shards cost something beside their training.
_LEAST_SECONDS, _LEAST_OPERATIONS = 0.05, 1e7


def note_speed(operations: float, seconds: float) -> None:
    """Note how many nominal operations threads took in so many seconds of all; what cannot be written is left."""
    if seconds < _LEAST_SECONDS or operations < _LEAST_OPERATIONS:
        return
    with suppress(OSError, RuntimeError):
        file = _file()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.write_text(json.dumps({"operations_per_second": operations / seconds}))
        draft.replace(file)


def noted_speed() -> float | None:
    """Return how many nominal operations a thread of this machine took per second; None where that is not noted."""
    try:
        noted = json.loads(_file().read_text("utf-8"))
        per_second = float(noted["operations_per_second"])
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, ArithmeticError):
        return None
    return per_second if 0 < per_second < inf else None


def estimated_seconds(plan: Plan, threads: int) -> float | None:
    """Return how long a study trains at most, every run taking all its steps; None where nothing was trained before."""
    per_second = noted_speed()
    seconds = plan.shards.operations / per_second / threads if per_second else inf
    return seconds if seconds < inf else None


def _file() -> Path:
    """Return the file of the note, beside compiled kernels."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "xor-sweep" / "speed.json"

"""Factors of the learning rates by update, in float64 and rounded once to the dtype."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.oracle.components import Array, Functions, Own

# Factors of custom schedules of tests, by key: (t, steps, settings) -> factors.
CUSTOM: dict[str, Callable[[int, Array, Own], Array]] = {}

SCHEDULES = ("constant", "linear", "exponential", "step", "cosine", "inverse_time")


def factors(schedule: str, steps: Array, own: Own, functions: Functions, dtype: Any) -> Iterator[Array]:
    """Yield the factor (R,) of update t = 1, 2, .. of runs of at most `steps` (R,); settings are rounded already."""
    wide = {name: np.asarray(value, np.float64) for name, value in own.items()}
    power = np.ones(len(steps))
    t = 0
    while True:
        t += 1
        part = (t - 1) / np.asarray(steps, np.float64)
        if schedule == "linear":
            f = 1 + (wide["end_factor"] - 1) * part
        elif schedule == "cosine":
            f = (1 + functions["cos of float64"](np.pi * part)) / 2
        elif schedule == "inverse_time":
            f = 1 / (1 + wide["decay_rate"] * (t - 1))
        elif schedule in ("exponential", "step"):
            f = power
            every = 1 if schedule == "exponential" else wide["every"]
            drops = np.floor(t / every) - np.floor((t - 1) / every)  # at most one, as they come after whole updates
            power = np.where(drops > 0, power * wide["gamma"], power)
        elif schedule in CUSTOM:
            f = CUSTOM[schedule](t, steps, wide)
        else:
            f = np.ones(len(steps))
        grown = t / wide["warmup"]
        f = f * np.where(grown < 1, grown, 1)
        yield np.broadcast_to(f, len(steps)).astype(dtype)

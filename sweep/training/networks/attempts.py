"""Restarts of runs that fail: attempts follow each other until one converges, or no restart or step is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.loop.run_arrays import EXHAUSTED, Columns, Outcome
from sweep.columns import STATUSES
from sweep.study.options.other_sections import Restarts

Array = NDArray[Any]


class Attempt(NamedTuple):
    """One attempt of some runs."""

    number: int  # 0 for the first
    runs: NDArray[np.int64]  # (n,): indices of the runs among all
    # (cells,): settings (:data:`kernels.settings.SETTINGS`) with the limit of steps of this attempt, and the number of
    # successive runs of each. The first attempt has settings of cells, later ones of runs, since their remaining
    # steps differ.
    settings: Array
    counts: Array


def train_attempts(
    restarts: Restarts, settings: Array, counts: Array, train: Callable[[Attempt], tuple[Outcome, Array]]
) -> tuple[Outcome, Array]:
    """Train runs, and train those that fail again with other initial weights; return the outcome and initial weights.

    ``settings`` and ``counts``, (cells,), are settings of cells, whose ``max_steps`` limits all attempts of a run
    together, and the numbers of successive runs of each. ``train`` trains an attempt, and returns its outcome and the
    initial weights, (n, parameters).

    An attempt ends after ``after_steps`` updates if the run may restart, and otherwise like a run without restarts.
    Each starts with a new epoch. The outcome is that of the last attempt of each run, except ``threshold_steps`` and
    ``attempts``, which cover all attempts. The last attempt started with the returned weights, (runs, parameters).
    """
    cells = np.repeat(np.arange(len(counts)), counts)
    limits = settings["max_steps"][cells]
    codes = [STATUSES.index(status) for status in restarts.on]
    first = _limited(settings, settings["max_steps"], restarts, restarts.max_restarts > 0)
    outcome, initial = train(Attempt(0, np.arange(len(cells)), first, counts))
    columns, lane_steps = outcome.columns, outcome.lane_steps
    attempts = np.column_stack([np.zeros_like(columns.steps), columns.steps])
    for number in range(1, restarts.max_restarts + 1):
        left = limits - attempts[:, 1]
        again = np.flatnonzero((np.isin(columns.status, codes) | (columns.status == EXHAUSTED)) & (left > 0))
        if not again.size:
            break
        own = _limited(settings[cells[again]], left[again], restarts, number < restarts.max_restarts)
        other, initial[again] = train(Attempt(number, again, own, np.ones_like(again)))
        lane_steps += other.lane_steps
        _place(columns, other.columns, again, attempts[again, 1])
        attempts[again] = np.column_stack([np.full_like(again, number), attempts[again, 1] + other.columns.steps])
        for name in ("final_weights", "predictions", "losses", "best_weights"):
            if getattr(outcome, name).shape[0]:
                getattr(outcome, name)[again] = getattr(other, name)
    return outcome._replace(columns=columns._replace(attempts=attempts), lane_steps=lane_steps), initial


def _limited(settings: Array, left: Array, restarts: Restarts, others_follow: bool) -> Array:
    """Return settings of an attempt of runs with ``left`` remaining steps."""
    own = settings.copy()
    own["max_steps"] = (
        left if restarts.after_steps is None or not others_follow else np.minimum(left, restarts.after_steps)
    )
    return own


def _place(columns: Columns, other: Columns, runs: Array, steps_before: Array) -> None:
    """Replace the outcomes by those of another attempt; a loss threshold reached by an earlier one stays."""
    before, now = columns.threshold_steps[runs], other.threshold_steps
    columns.put(runs, other)
    met = np.where(now >= 0, now + steps_before[:, np.newaxis], -1)
    columns.threshold_steps[runs] = np.where(before >= 0, before, met)


def spawned(seeds: Array, attempt: int) -> Array:
    """Return the seeds of an attempt: children of the seeds, as ``numpy.random.SeedSequence.spawn`` makes them."""
    children = (np.random.SeedSequence(seed, spawn_key=(attempt - 1,)) for seed in seeds.tolist())
    return np.array([child.generate_state(1)[0] for child in children], np.int64)

"""Held-out patterns: when they are evaluated, which stopping rule ends a run by them, and the best parameters.

Each run is followed by itself, in scalars of the dtype, from the definitions: E(t) is the held-out loss of evaluation
t, counted in epochs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.oracle.components import Array
from tests.oracle.options import Options
from tests.oracle.step import Network


@dataclass
class History:
    """The evaluations of one run: training losses at every epoch, and scores of what is monitored."""

    losses: list[Any] = field(default_factory=list)
    scores: list[Any] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)  # of the scores


def patience_ends(history: History, own: dict[str, Any]) -> bool:
    """Return whether as many scores in a row as the patience are no improvements."""
    best, waited = history.losses[0].dtype.type(np.inf), 0
    for score in history.scores:
        if score < best:
            best, waited = score - own["min_delta"], 0
        else:
            waited += 1
    return bool(waited >= own["patience"])


def patience_best_ends(history: History, own: dict[str, Any]) -> bool:
    """Return whether as many scores in a row as the patience are worse than the best before them less `min_delta`."""
    waited = 0
    for number, score in enumerate(history.scores):
        before = [each for each in history.scores[:number] if not np.isnan(each)]
        improves = not before or score <= min(before) - own["min_delta"]
        waited = 0 if improves and not np.isnan(score) else waited + 1
    return bool(waited >= own["patience"])


def patience_change_ends(history: History, own: dict[str, Any]) -> bool:
    """Return whether each of the last scores, as many as the patience, is near the one before it."""
    steps = [abs(later - sooner) for sooner, later in itertools.pairwise(history.scores)]
    last = steps[-int(own["patience"]) :] if np.isfinite(own["patience"]) else []
    return bool(len(last) >= own["patience"] and all(step <= own["min_delta"] for step in last))


def gl(history: History) -> Any:
    """Return the generalization loss in percent: how far the last score is above the lowest one."""
    one, hundred = np.ones(1, history.losses[0].dtype)[0], history.losses[0].dtype.type(100)
    lowest = history.losses[0].dtype.type(np.inf)
    for score in history.scores:
        lowest = score if score < lowest else lowest
    return hundred * (history.scores[-1] / lowest - one)


def gl_ends(history: History, own: dict[str, Any]) -> bool:
    """Return whether the generalization loss is above its threshold."""
    return bool(gl(history) > own["gl_threshold"])


def ends_of_strips(history: History, strip: float) -> list[int]:
    """Return the evaluations at which strips end, the first that are at least `strip` epochs after the one before."""
    found: list[int] = []
    last = 0
    for number, epoch in enumerate(history.epochs):
        if epoch - last >= strip and epoch > 0:
            found.append(number)
            last = epoch
    return found


def progress(history: History, strip: float) -> Any:
    """Return how far the mean training loss of a strip that ends now is above its lowest, in thousandths, or None."""
    closing = ends_of_strips(history, strip)
    if not closing or closing[-1] != len(history.scores) - 1:
        return None
    first = history.epochs[closing[-2]] if len(closing) > 1 else 0
    losses = history.losses[first + 1 : history.epochs[-1] + 1]
    dtype = losses[0].dtype.type
    total, least = dtype(0), dtype(np.inf)
    for loss in losses:
        total = total + loss
        least = loss if loss < least else least
    return dtype(1000) * (total / (dtype(len(losses)) * least) - dtype(1))


def gl_or_progress_ends(history: History, own: dict[str, Any]) -> bool:
    """Return whether a strip ends now with too large a generalization loss or too small a progress."""
    now = progress(history, float(own["strip"]))
    return now is not None and bool(gl_ends(history, own) or now < own["progress_threshold"])


RULES: dict[str, Callable[[History, dict[str, Any]], bool]] = {
    "patience": patience_ends,
    "patience_best": patience_best_ends,
    "patience_change": patience_change_ends,
    "gl": gl_ends,
    "gl_or_progress": gl_or_progress_ends,
}


class Stopper:
    """Ends runs by a stopping rule, and keeps the best evaluation of held-out patterns."""

    def __init__(self, options: Options, net: Network, n_runs: int, n_parameters: int) -> None:
        self.options, dtype = options, net.inputs.dtype
        rounded = {name: np.broadcast_to(values, n_runs) for name, values in net.own.items()}
        self.own = [{name: values[run] for name, values in rounded.items()} for run in range(n_runs)]
        self.histories = [History() for _ in range(n_runs)]
        self.best_score = np.full(n_runs, np.inf, dtype)
        self.best_steps = np.full(n_runs, -1)
        self.best_loss = np.full(n_runs, np.inf)
        self.best_weights = np.full((n_runs, n_parameters), np.nan, dtype)

    def ends(self, due: Array, loss: Array, score: Array, epoch: int, is_new: bool) -> Array:
        """Return which of the runs evaluated now (R,) end by the stopping rule.

        `is_new` says whether the score is one of this evaluation.
        """
        found = np.zeros(len(due), np.bool_)
        for run in np.flatnonzero(due) if self.options.monitor else ():
            history = self.histories[run]
            history.losses.append(loss[run])
            if is_new:
                history.scores.append(score[run])
                history.epochs.append(epoch)
            # Patience has not ended before; the rules of Prechelt look where held-out patterns are evaluated.
            found[run] = is_new and RULES[self.options.stopping_rule](history, self.own[run])
        return found

    def keep_best(self, runs: Array, t: int, loss: Array, score: Array, weights: Array) -> None:
        """Keep what is better than ever in the runs that a mask (R,) selects."""
        better = runs & (score < self.best_score)
        self.best_score = np.where(better, score, self.best_score)
        self.best_steps[better] = t
        self.best_loss[better] = np.where(np.isfinite(loss), loss, np.inf)[better]
        self.best_weights[better] = weights.T[better]

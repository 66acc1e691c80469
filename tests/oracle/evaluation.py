"""The evaluation: when a run ends, and with which status."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tests.oracle.components import Array, add_in_order
from tests.oracle.held_out import Stopper
from tests.oracle.options import Options
from tests.oracle.step import Activity, Network, decision_threshold, loss_of_terms, loss_terms
from tests.oracle.windows import Epochs

STATUSES = ("converged", "diverged", "stalled", "exhausted", "plateau")
ORDER = ("converged", "diverged", "stalled", "plateau", "exhausted")  # of evaluation


class Score(NamedTuple):
    """Numbers for each run from one forward pass over all patterns, each (R,)."""

    loss: Array
    n_correct: Array
    max_error: Array
    n_right: Array


def is_right(y: Array, is_high: bool, threshold: Any) -> Array:
    """Return whether an output is above the threshold, or below it unless `is_high`; on it, it is not right."""
    return y > threshold if is_high else y < threshold


def largest_is_right(y: Sequence[Array], targets: Array) -> Array:
    """Return whether the output with the largest target is the largest, larger than all others."""
    own = int(np.argmax(targets))
    others = [each for o, each in enumerate(y) if o != own]
    return np.all([y[own] == y[own], *(each < y[own] for each in others)], axis=0)  # NaN is not right


def measure(net: Network, activity: Activity) -> Score:
    """Compute the loss in the dtype, the number of correct (pattern, output) pairs, the largest error, right patterns.

    A pattern is right where the output of its class is the largest, or all its outputs are correct.
    """
    patterns, _, outs = net.ranges
    target, y, m = net.targets, activity.y, decision_threshold(net)
    pairs = list(itertools.product(patterns, outs))
    loss = loss_of_terms(net, loss_terms(net, activity))
    if net.output == "softmax":
        correct = [largest_is_right(y[n], target[n]) for n in patterns]
    else:
        correct = [is_right(y[n][o], target[n, o] > m, m) for n, o in pairs]
    n_correct = add_in_order(right.astype(np.int64) for right in correct)
    max_error = np.zeros_like(loss)
    for n, o in pairs:
        max_error = np.maximum(max_error, np.abs(y[n][o] - target[n, o]))  # NaN stays, and is below no threshold
    if net.output == "softmax" or net.one_hot:
        whole = [largest_is_right(y[n], target[n]) for n in patterns]
    else:
        whole = [np.all([is_right(y[n][o], target[n, o] > m, m) for o in outs], axis=0) for n in patterns]
    n_right = add_in_order(right.astype(np.int64) for right in whole)
    return Score(loss, n_correct, max_error, n_right)


def penalized(loss: Array, weights: Array, decay: Array) -> Array:
    """Add half the decay of each run times the sum of the squares of some parameters (P, R) to its loss."""
    squares = add_in_order(p * p for p in weights) if len(weights) else np.zeros_like(loss)
    return np.where(decay > 0, loss + (0.5 * decay) * squares, loss)


def has_converged(criterion: str, score: Score, below: Array, n_right: int, n_patterns: int, running: Array) -> Array:
    """Return which runs (R,) meet the convergence criterion."""
    dtype = score.loss.dtype
    share_wrong = (n_patterns - score.n_right).astype(dtype) / dtype.type(n_patterns)
    verdicts: dict[str, Array] = {
        "loss": score.loss < below,
        "running_loss": running < below,
        "max_error": score.max_error < below,
        "correct": score.n_correct == n_right,
        "error_rate": share_wrong < below,
        "none": np.zeros(score.loss.shape, np.bool_),
    }
    return verdicts[criterion]


class Evaluator:
    """Evaluates runs at t = 0, at ends of epochs and at the last step of each, and remembers their losses."""

    def __init__(
        self, options: Options, net: Network, epochs: Epochs, n_runs: int, n_held_out: int, n_parameters: int
    ) -> None:
        dtype = net.inputs.dtype
        self.options, self.own, self.n_windows = options, net.own, epochs.n_windows
        self.n_patterns = len(net.targets)
        self.n_right = len(net.targets) if net.output == "softmax" else net.targets.size
        self.may_stall = options.criterion != "none" and not epochs.shuffled and options.schedule == "constant"
        limit = np.minimum(options.max_steps, np.multiply(options.max_epochs, epochs.n_windows))
        self.limit = np.broadcast_to(limit, n_runs).copy()
        self.ending = np.full(n_runs, "", "U9")  # of runs that end with their next epoch
        self.previous = np.full(n_runs, np.nan, dtype)  # NaN: no stall at t = 0
        self.running = np.full(n_runs, np.nan, dtype)  # the running loss of the last epoch
        self.n_held_out = n_held_out
        self.stopper = Stopper(options, net, n_runs, n_parameters)

    def is_due(self, t: int) -> Array:
        """Return which runs (R,) are evaluated before update t."""
        return (self.limit == t) | (t % self.n_windows == 0)

    def is_new(self, t: int) -> bool:
        """Return whether held-out patterns are evaluated before update t."""
        return t % (self.n_windows * self.options.validate_every) == 0

    def evaluate(
        self,
        t: int,
        score: Score,
        due: Array,
        is_still: Callable[[], Array],
        held_out: Score | None,
        weights: Array,
    ) -> npt.NDArray[np.str_]:
        """Return the status of each run (R,): "" for runs that are not evaluated now, or continue.

        `is_still` returns which runs no update of an epoch would change.
        """
        if held_out is None or self.options.criterion_on == "train":
            judged, n_right, n_patterns = score, self.n_right, self.n_patterns
        else:
            judged, n_patterns = held_out, self.n_held_out
            n_right = self.n_right * self.n_held_out // self.n_patterns
        criterion, below = self.options.criterion, self.own["threshold"]
        converged = has_converged(criterion, judged, below, n_right, n_patterns, self.running)
        converged = converged & ~np.isnan(score.loss) & (t >= np.asarray(self.options.from_step))
        converged &= judged is score or self.is_new(t)
        diverged = ~np.isfinite(score.loss) | (score.loss > self.own["divergence_threshold"])
        stalled = due & (score.loss == self.previous) & self.may_stall & (t >= self.own["warmup"])
        if stalled.any():
            stalled &= is_still()
        self.previous = np.where(due, score.loss, self.previous)
        monitored = self._monitored(score, held_out)
        is_new = self.is_new(t) or not self.options.monitor.startswith("held_out")
        of_run = due & ~np.isnan(monitored) if self.options.monitor == "running_loss" else due
        on_plateau = self.stopper.ends(of_run, score.loss, monitored, t // self.n_windows, is_new)
        verdicts = [due & verdict for verdict in (converged, diverged, stalled, on_plateau, self.limit == t)]
        status: npt.NDArray[np.str_] = np.select(verdicts, ORDER, default="")
        if self.options.stop == "after":
            status = self._stop_after(t, status, due & diverged, due & stalled, score.loss)
        if held_out is not None and self.options.keeps_best:
            by_accuracy = self.options.monitor == "held_out_accuracy"
            best_by = monitored if by_accuracy else held_out.loss
            counts = due if self.is_new(t) else status != ""
            self.stopper.keep_best(counts, t, held_out.loss, best_by, weights)
        return status

    def _stop_after(self, t: int, status: Array, diverged: Array, stalled: Array, loss: Array) -> Array:
        """Return the status of each run where one that converges or reaches a plateau takes its next epoch too."""
        at_limit = (self.limit == t) & (status != "")
        ends_later = ~at_limit & ((status == "converged") | (status == "plateau"))
        self.ending[ends_later] = status[ends_later]
        self.limit[ends_later] = np.minimum(self.limit, t + self.n_windows)[ends_later]
        decided = at_limit & (self.ending != "") & np.isfinite(loss)
        rest = np.select([diverged, stalled], ["diverged", "stalled"], default="exhausted")
        return np.select([ends_later, decided, at_limit], ["", self.ending, rest], default=status)

    def _monitored(self, score: Score, held_out: Score | None) -> Array:
        """Return what the stopping rule looks at, (R,): less is better."""
        dtype = score.loss.dtype
        if held_out is not None and self.options.monitor == "held_out_accuracy":
            return np.asarray((-held_out.n_right).astype(dtype) / dtype.type(self.n_held_out))
        if held_out is not None and self.options.monitor == "held_out_loss":
            return held_out.loss
        if self.options.monitor == "running_loss":
            return self.running
        if self.options.monitor == "accuracy":
            return np.asarray((-score.n_right).astype(dtype) / dtype.type(self.n_patterns))
        return (-score.n_correct).astype(dtype) if self.options.monitor == "n_correct" else score.loss

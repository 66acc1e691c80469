"""The training loop: evaluate and update until every run has ended."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.oracle.components import OWN_OUTPUTS, Array, Functions, add_in_order
from tests.oracle.evaluation import Evaluator, Score, measure, penalized
from tests.oracle.optimizers import UPDATES, States, decayed, drawn_steps, make_rates, states_at_start
from tests.oracle.options import Options, make_network
from tests.oracle.schedules import factors
from tests.oracle.step import (
    Activity,
    Network,
    Window,
    decision_threshold,
    forward,
    gradient,
    loss_of_terms,
    loss_terms,
)
from tests.oracle.windows import Epochs


@dataclass
class Result:
    """How each of R runs ended, at its own step t: all values are those of the parameters before update t."""

    status: npt.NDArray[np.str_]  # (R,), each one of STATUSES
    steps: npt.NDArray[np.int64]  # (R,)
    epochs: npt.NDArray[np.int64]  # (R,), completed ones
    initial_loss: npt.NDArray[np.float64]  # (R,), +inf where loss_0 is not finite
    final_loss: npt.NDArray[np.float64]  # (R,), +inf where diverged
    n_correct: npt.NDArray[np.int64]  # (R,), 0 where diverged
    max_error: npt.NDArray[np.float64]  # (R,), +inf where diverged
    n_right: npt.NDArray[np.int64]  # (R,) patterns, 0 where diverged
    weights: Array  # (R, P), in the dtype of the runs
    threshold_steps: npt.NDArray[np.int64]  # (R, loss thresholds), -1 where the loss was never below one
    n_evaluations: npt.NDArray[np.int64]  # (R,)
    running_loss: npt.NDArray[np.float64]  # (R,), of the last completed epoch, +inf if it is not a number
    losses: npt.NDArray[np.float64] | None = None  # (R, most evaluations of a run), NaN after a run's end
    best_steps: npt.NDArray[np.int64] | None = None  # (R,), of the best evaluation of held-out patterns, -1 if none
    best_held_out: npt.NDArray[np.float64] | None = None  # (R,), their loss then
    best_weights: Array | None = None  # (R, P)

    def loss_sums(self, names: Sequence[str]) -> Array:
        """Return sums of the recorded losses of each run, (R, names), added in float64 in the order of evaluation.

        A loss that is not a number counts as infinite.
        """
        assert self.losses is not None
        rows = []
        runs = zip(self.losses.astype(np.float64), self.n_evaluations, self.running_loss.tolist(), strict=True)
        for losses, n, running in runs:
            told = [np.inf if np.isnan(loss) else loss for loss in losses[:n]]
            tail = told[-20:]
            with np.errstate(divide="ignore", over="ignore"):
                sums = {
                    "loss_sum": sum(told, start=0.0),
                    "inverse_loss_sum": sum((np.float64(1.0) / loss for loss in told), start=0.0),
                    "tail_loss": sum(tail, start=0.0) / len(tail),
                    "running_loss": running,
                }
            rows.append([sums[name] for name in names])
        return np.array(rows).reshape(len(rows), len(names))

    @classmethod
    def before(cls, start: Array, n_thresholds: int) -> Result:
        """Return the result of runs that have not started: +inf for losses, 0 for counts, and no threshold reached."""
        (steps, epochs, n_correct, n_right) = np.zeros((4, len(start)), np.int64)
        first, last, error, running = np.full((4, len(start)), np.inf)
        status = np.full(len(start), "", "U9")
        threshold_steps = np.full((len(start), n_thresholds), -1)
        n_evaluations = np.zeros(len(start), np.int64)
        outcome = first, last, n_correct, error, n_right
        return cls(status, steps, epochs, *outcome, np.empty_like(start), threshold_steps, n_evaluations, running)

    def note_thresholds(self, t: int, losses: Array, due: Array, thresholds: Array) -> None:
        """Record step t for every threshold above the loss of a run evaluated now, the first time."""
        for k, threshold in enumerate(thresholds):
            reached = due & (losses < threshold) & (self.threshold_steps[:, k] == -1)
            self.threshold_steps[reached, k] = t

    def note_end(self, runs: Array, status: Array, score: Score, weights: Array) -> None:
        """Record the outcome of the runs that a mask (R,) selects."""
        self.status[runs], self.weights[runs] = status[runs], weights[:, runs].T
        measured = runs & (status != "diverged")  # a diverged run keeps +inf and 0
        for column, values in zip((self.final_loss, self.n_correct, self.max_error, self.n_right), score, strict=True):
            column[measured] = values[measured]


@dataclass(frozen=True)
class Stepper:
    """One step: it maps parameters (P, R) and optimizer states to new ones."""

    net: Network
    optimizer: str
    rates: Array  # (P, R)
    decay: Array  # (P, R)
    factor: Array  # (R,) of the rates, by their schedule
    frozen: npt.NDArray[np.bool_]  # (P,), parameters that no update changes, and neither their states
    shared: Sequence[Sequence[Sequence[int]]] = ()  # groups of parameters that stay equal
    counted: Sequence[int] = ()  # parameters whose gradients have a norm, in the order of its sum

    def step(self, weights: Array, states: States, activity: Activity) -> tuple[Array, States]:
        """Update once, from a forward pass over the patterns of the step."""
        g = gradient(self.net, weights, activity, self.shared)
        rates = self.rates * self.factor
        g = clipped(g, self.net.own["clip_norm"], self.counted)
        decaying, g = decayed(self.optimizer, weights, g, rates, self.decay)
        moved, new_states = UPDATES[self.optimizer](decaying, g, states, rates, self.net.own)
        moved[self.frozen] = weights[self.frozen]
        for new, old in zip(new_states, states, strict=True):
            if new.ndim == 2:  # the others count updates
                new[self.frozen] = old[self.frozen]
        return moved, new_states

    def is_still(self, weights: Array, states: States, windows: list[Window]) -> Array:
        """Return which runs (R,) no update of an epoch changes, neither parameters nor states.

        Each update is tried from the current parameters, where a run stays as long as no earlier update changes it.
        """
        same = np.ones(weights.shape[1], np.bool_)
        for window in windows:
            new_weights, new_states = self.step(weights, states, forward(self.net, weights, window))
            for new, old in zip((new_weights, *new_states), (weights, *states), strict=True):
                same &= np.atleast_2d(new == old).all(axis=0)
        return same


def clipped(g: Array, clip_norm: Array, counted: Sequence[int]) -> Array:
    """Multiply gradients (P, R) of runs whose norm is too large, as torch.nn.utils.clip_grad_norm_ does."""
    total = np.zeros(g.shape[1], g.dtype)
    for k in counted:
        total = total + g[k] * g[k]
    norm = np.sqrt(total) + g.dtype.type(1e-6)
    return g * np.where(norm > clip_norm, clip_norm / norm, g.dtype.type(1))


def order_of_norm(shapes: Mapping[str, tuple[int, ...]]) -> list[int]:
    """Return all parameters: output by output c and k, then unit by unit of each layer, and then v.

    In a network of one hidden layer, the v of a unit come before its other parameters.
    """
    numbers, arrays = np.arange(sum(map(math.prod, shapes.values()))), {}
    for name, shape in shapes.items():
        arrays[name], numbers = numbers[: math.prod(shape)].reshape(shape), numbers[math.prod(shape) :]
    to_outputs = arrays.get("k") if "w" in arrays or "w1" in arrays else arrays["v"]
    found: list[int] = []
    for o in range(arrays["v"].shape[1]):
        found += [int(arrays["c"][o])] if "c" in arrays else []
        found += [] if to_outputs is None else to_outputs[:, o].tolist()
    for layer in [name[1:] for name in arrays if name[0] == "w"]:
        for h in range(arrays[f"w{layer}"].shape[1]):
            found += [] if layer else arrays["v"][h].tolist()
            found += arrays[f"w{layer}"][:, h].tolist()
            found += [int(arrays[f"b{layer}"][h])] if f"b{layer}" in arrays else []
            found += arrays[f"k{layer}"][:, h].tolist() if layer and f"k{layer}" in arrays else []
    return found + (arrays["v"].ravel().tolist() if "w1" in arrays else [])


def named_parameters(shapes: Mapping[str, tuple[int, ...]], names: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return which parameters (P,) are named, by their kind, such as "w", or one by one, as in "w[0,1]" or "b2[3]"."""
    masks = {array: np.full(shape, array[0] in names) for array, shape in shapes.items()}
    for array, _, index in (name.removesuffix("]").partition("[") for name in names if "[" in name):
        if array in masks:
            masks[array][tuple(map(int, index.split(",")))] = True
    return np.concatenate([mask.ravel() for mask in masks.values()])


def shared_parameters(shapes: Mapping[str, tuple[int, ...]], named: Sequence[Sequence[str]]) -> list[list[list[int]]]:
    """Return the parameters of each weight or row of each group, such as ["b[0]", "b[2]"] or ["w[0]", "w[1]"]."""
    numbers, arrays, groups = np.arange(sum(map(math.prod, shapes.values()))), {}, []
    for array, shape in shapes.items():
        arrays[array], numbers = numbers[: math.prod(shape)].reshape(shape), numbers[math.prod(shape) :]
    for group in named:
        names = [name.removesuffix("]").split("[") for name in group if name != "none"]
        members = [arrays[array][tuple(map(int, index.split(",")))] for array, index in names if array in arrays]
        groups += [[member.ravel().tolist() for member in members]] if members else []
    return groups


@np.errstate(all="ignore")
def train(
    inputs: npt.ArrayLike,
    targets: npt.ArrayLike,
    weights: npt.ArrayLike,
    *,
    functions: Functions,
    record: bool = False,
    loss_thresholds: Sequence[float] = (),
    held_out: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    **given: Any,
) -> Result:
    """Train R networks, each until its own end.

    The patterns are `inputs` (N, I) and `targets` (N, O); `weights` (R, P) are the initial parameters, each row in
    drawing order: w, v, with biases b and c, and with skip connections k. `functions` holds the elementary functions
    that the components need: exp, expm1, tanh, sigmoid, softplus, sin, cos, normal_cdf, normal_pdf, and
    log1p_exp_negative, which is x -> log(1 + exp(-x)) for x >= 0. `record` requests the losses: column j is evaluated
    after j epochs or, in an epoch that is cut short, at the last step. `loss_thresholds` are numbers, rounded to the
    dtype; `threshold_steps` has the step of the first evaluation at which the loss is below each, whatever the
    criterion, `from_step`, and how the run ends. `held_out` are inputs and targets of held-out patterns, evaluated at
    ends of epochs 0, `validate_every`, .. and, for the best of a run, at its end. All other arguments are `Options`.
    Runs that have ended are updated further, without effect on results.
    """
    options = Options(**given)
    net, start = make_network(inputs, targets, options, functions), np.array(weights, options.dtype)
    n_patterns, n_runs = len(net.inputs), len(start)
    seeds = np.broadcast_to(options.seed, n_runs).tolist()
    batch = n_patterns if options.batch is None else options.batch
    epochs = Epochs(n_patterns, batch, None if options.order == "cyclic" else seeds)
    assert options.loss not in OWN_OUTPUTS or options.output == OWN_OUTPUTS[options.loss], "bce needs a sigmoid"
    assert options.output != "softmax" or options.loss == "cross_entropy", "softmax needs cross_entropy"
    assert options.optimizer != "rprop" or options.schedule == "constant", "rprop follows no schedule"
    assert options.optimizer != "rprop" or epochs.n_windows == 1, "rprop takes all patterns in a step"
    other = None
    if held_out is not None:
        x, target = (np.asarray(part, options.dtype) for part in held_out)
        other = replace(net, inputs=x, targets=target, is_training=False, decision_threshold=decision_threshold(net))
    n_held_out = 0 if other is None else len(other.targets)
    evaluate = Evaluator(options, net, epochs, n_runs, n_held_out, start.shape[1])
    decay = np.broadcast_to(net.own["weight_decay"], n_runs)
    rates, of_schedule = make_rates(net, n_runs), np.broadcast_to(options.schedule_steps, n_runs)
    frozen, decays = (named_parameters(net.shapes, names) for names in (options.freeze, options.decays))
    shared = shared_parameters(net.shapes, options.share)
    repeated = {number for group in shared for member in group[1:] for number in member}
    in_penalty = decays.copy()  # each group counts once
    in_penalty[list(repeated)] = False
    own_decay = np.where(decays[:, np.newaxis], decay, np.zeros_like(decay))
    counted = [k for k in order_of_norm(net.shapes) if not frozen[k] and k not in repeated]
    factor = np.ones(n_runs, start.dtype)
    stepper = Stepper(net, options.optimizer, rates, own_decay, factor, frozen, shared, counted)
    most = np.where(of_schedule > 0, of_schedule, evaluate.limit)
    changes = factors(options.schedule, most, net.own, functions, start.dtype)

    result, never = Result.before(start, len(loss_thresholds)), np.full(n_runs, np.nan)
    rounded_thresholds = np.asarray(loss_thresholds, options.dtype)
    trace, running = {0: never.copy()}, np.ones(n_runs, np.bool_)
    terms, penalties = list[Array](), list[Array]()
    current, states = start.T, states_at_start(options.optimizer, stepper.rates)
    if options.optimizer == "rprop":
        states = (states[0], drawn_steps(stepper.rates, net.own["step_ratio"], seeds))
    for t in itertools.count():
        epoch, position = divmod(t, epochs.n_windows)
        if position == 0:
            windows = epochs.windows(epoch)
            if t:
                evaluate.running = loss_of_terms(net, terms)
                evaluate.running = evaluate.running + add_in_order(penalties) if penalties else evaluate.running
            terms, penalties = [], []
        due = running & evaluate.is_due(t)
        if due.any():
            activity = forward(net, current)
            score = measure(net, activity)
            if options.penalty and options.is_training:
                score = score._replace(loss=penalized(score.loss, current[in_penalty], decay))
            assert score.loss.dtype == current.dtype == start.dtype, "something widened the dtype"
            held_score = None if other is None else measure(other, forward(other, current))
            is_still = partial(stepper.is_still, current, states, windows)
            status = evaluate.evaluate(t, score, due, is_still, held_score, current)
            if t == 0:
                result.initial_loss[:] = np.where(np.isfinite(score.loss), score.loss, np.inf)
            trace.setdefault(-(-t // epochs.n_windows), never.copy())[due] = score.loss[due]
            if held_score is None or options.thresholds_on == "train":
                result.note_thresholds(t, score.loss, due, rounded_thresholds)
            elif evaluate.is_new(t):
                result.note_thresholds(t, held_score.loss, due, rounded_thresholds)
            result.n_evaluations += due
            ended = status != ""
            result.note_end(ended, status, score, current)
            result.steps[ended], result.epochs[ended] = t, epoch
            known = ended & ~np.isnan(evaluate.running)
            result.running_loss[known] = evaluate.running[known]
            running &= ~ended
        if not running.any():
            break
        if epochs.n_windows > 1:  # otherwise it is the pass that was evaluated
            activity = forward(net, current, windows[position])
        terms += loss_terms(net, activity)
        if options.penalty:
            share = start.dtype.type(len(windows[position]) / n_patterns)
            penalties.append(penalized(np.zeros_like(decay), current[in_penalty], decay) * share)
        stepper = replace(stepper, factor=next(changes))
        current, states = stepper.step(current, states, activity)
    result.losses = np.stack(list(trace.values()), axis=1) if record else None
    stopper = evaluate.stopper
    result.best_steps, result.best_held_out, result.best_weights = (
        stopper.best_steps,
        stopper.best_loss,
        stopper.best_weights,
    )
    return result

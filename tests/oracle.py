"""An independent oracle: the numerical contract spelt out in plain Python and NumPy.

Nothing here comes from `kernels` or `sweep`. Arrays carry the networks on their last axis, of length R, and NumPy only
ever works elementwise along it (strict IEEE, nothing fused or reordered); patterns n, inputs i, hidden units h and
outputs o are Python loops, and every sum is `add_in_order`: no dot, einsum or sum, which fuse or regroup.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Grid = list[list[Array]]  # [n][h] or [n][o], each an array (R,)
Functions = Mapping[str, Callable[[Array], Array]]

STATUSES = ("converged", "diverged", "stalled", "exhausted")  # in the order of judging


@dataclass
class Result:
    """How each of R runs ended, at its own step t: everything belongs to the parameters before update t."""

    status: npt.NDArray[np.str_]  # (R,), each one of STATUSES
    steps: npt.NDArray[np.int64]  # (R,)
    initial_loss: npt.NDArray[np.float64]  # (R,), +inf where loss_0 is not finite
    final_loss: npt.NDArray[np.float64]  # (R,), +inf where diverged
    n_correct: npt.NDArray[np.int64]  # (R,), 0 where diverged
    max_error: npt.NDArray[np.float64]  # (R,), +inf where diverged
    weights: Array  # (R, P), in the dtype of the runs
    losses: npt.NDArray[np.float64] | None = None  # (R, max(steps) + 1), NaN after a run's end


@dataclass(frozen=True)
class Network:
    """What all runs of a call share: the patterns, rounded to the dtype, the shape, the functions and the loss."""

    inputs: Array  # (N, I)
    targets: Array  # (N, O)
    hidden: int
    activation: str
    output: str
    bias: bool
    divisor: int  # of the loss and its derivative: N * O for mse, 1 (which is exact) for sse
    functions: Functions

    @property
    def ranges(self) -> tuple[range, range, range, range]:
        """Give the loops over n, i, h and o."""
        (n_patterns, n_inputs), n_outputs = self.inputs.shape, self.targets.shape[1]
        return range(n_patterns), range(n_inputs), range(self.hidden), range(n_outputs)


class Activity(NamedTuple):
    """One forward pass: z and a by [n][h]; u, y and e = y - target by [n][o]."""

    z: Grid
    a: Grid
    u: Grid
    y: Grid
    e: Grid


class Score(NamedTuple):
    """One forward pass in three numbers a run, each (R,)."""

    loss: Array
    n_correct: Array
    max_error: Array


def add_in_order(terms: Iterable[Array]) -> Array:
    """Add the terms left to right, starting at the first one (not at zero)."""
    remaining = iter(terms)
    total = next(remaining)
    for term in remaining:
        total = total + term
    return total


def split(net: Network, weights: Array) -> tuple[Array, Array, Array, Array]:
    """View `weights` (P, R) as w (I, H, R), v (H, O, R), b (H, R), c (O, R); without biases b and c are empty."""
    _, n_inputs, n_hidden, n_outputs = map(len, net.ranges)
    end_w, end_v = n_inputs * n_hidden, (n_inputs + n_outputs) * n_hidden
    w, v, b, c = np.split(weights, [end_w, end_v, end_v + n_hidden])
    return w.reshape(n_inputs, n_hidden, -1), v.reshape(n_hidden, n_outputs, -1), b, c


def activate(name: str, z: Array, functions: Functions) -> Array:
    """Apply an activation; NaN travels through every one of them."""
    if name == "identity":
        return z
    return np.where(z < 0, 0, z) if name == "relu" else functions[name](z)


def times_slope(name: str, total: Array, z: Array, a: Array) -> Array:
    """Multiply `total` by the derivative of the activation that made `a` of `z`."""
    if name == "identity":
        return total
    if name == "relu":
        return np.where(z > 0, total, 0)
    slope: Array = {"sigmoid": a * (1 - a), "tanh": 1 - a * a}[name]
    return total * slope


def forward(net: Network, weights: Array) -> Activity:
    """Pass every pattern through every network of `weights` (P, R)."""
    patterns, ins, units, outs = net.ranges
    x, target, (w, v, b, c) = net.inputs, net.targets, split(net, weights)
    z = [[add_in_order(x[n, i] * w[i, h] for i in ins) for h in units] for n in patterns]
    if net.bias:
        z = [[z[n][h] + b[h] for h in units] for n in patterns]
    a = [[activate(net.activation, z[n][h], net.functions) for h in units] for n in patterns]
    u = [[add_in_order(a[n][h] * v[h, o] for h in units) for o in outs] for n in patterns]
    if net.bias:
        u = [[u[n][o] + c[o] for o in outs] for n in patterns]
    y = [[activate(net.output, u[n][o], net.functions) for o in outs] for n in patterns]
    e = [[y[n][o] - target[n, o] for o in outs] for n in patterns]
    return Activity(z, a, u, y, e)


def gradient(net: Network, weights: Array, activity: Activity) -> Array:
    """Differentiate the loss by every parameter: (P, R), rows in drawing order."""
    patterns, ins, units, outs = net.ranges
    x, (_, v, _, _), (z, a, u, y, e) = net.inputs, split(net, weights), activity
    g = [[(2 * e[n][o]) / net.divisor for o in outs] for n in patterns]
    g = [[times_slope(net.output, g[n][o], u[n][o], y[n][o]) for o in outs] for n in patterns]
    back = [[add_in_order(g[n][o] * v[h, o] for o in outs) for h in units] for n in patterns]
    delta = [[times_slope(net.activation, back[n][h], z[n][h], a[n][h]) for h in units] for n in patterns]
    rows = [add_in_order(x[n, i] * delta[n][h] for n in patterns) for i in ins for h in units]
    rows += [add_in_order(a[n][h] * g[n][o] for n in patterns) for h in units for o in outs]
    if net.bias:
        rows += [add_in_order(delta[n][h] for n in patterns) for h in units]
        rows += [add_in_order(g[n][o] for n in patterns) for o in outs]
    return np.stack(rows)


def middle(targets: Array) -> Any:
    """Halve the range of all targets, in float64, and round the middle to their dtype."""
    return targets.dtype.type((np.float64(targets.min()) + np.float64(targets.max())) / 2)


def measure(net: Network, activity: Activity) -> Score:
    """Compute the loss in the dtype, the number of correct (pattern, output) pairs and the largest error."""
    patterns, _, _, outs = net.ranges
    target, y, e, m = net.targets, activity.y, activity.e, middle(net.targets)
    pairs = list(itertools.product(patterns, outs))
    loss = add_in_order(e[n][o] * e[n][o] for n, o in pairs) / net.divisor
    correct = (y[n][o] > m if target[n, o] > m else y[n][o] < m for n, o in pairs)
    n_correct = add_in_order(right.astype(np.int64) for right in correct)
    max_error = np.abs(e[0][0])
    for n, o in pairs:
        max_error = np.maximum(max_error, np.abs(e[n][o]))  # NaN stays, and is below no threshold
    return Score(loss, n_correct, max_error)


def has_converged(criterion: str, score: Score, below: Array, n_pairs: int) -> Array:
    """Judge convergence alone: (R,) booleans."""
    verdicts: dict[str, Array] = {
        "loss": score.loss < below,
        "max_error": score.max_error < below,
        "correct": score.n_correct == n_pairs,
        "none": np.zeros(score.loss.shape, np.bool_),
    }
    return verdicts[criterion]


@np.errstate(all="ignore")
def train(
    inputs: npt.ArrayLike,
    targets: npt.ArrayLike,
    weights: npt.ArrayLike,
    *,
    hidden: int,
    activation: str,
    output: str,
    loss: str,
    criterion: str,
    bias: bool,
    dtype: str,
    learning_rate: npt.ArrayLike,
    below: npt.ArrayLike,
    max_steps: npt.ArrayLike,
    functions: Functions,
    record: bool = False,
) -> Result:
    """Train R networks by full-batch gradient descent, each until its own end.

    The patterns are `inputs` (N, I) and `targets` (N, O); `weights` (R, P) are the initial parameters, each row in
    drawing order: w, v and, with biases, b and c. `learning_rate`, `below` and `max_steps` (R,) are each run's own.
    `functions` holds "tanh" and "sigmoid", which keep shape and dtype. `record` asks for every loss.
    """
    start, x, target = np.array(weights, dtype), np.asarray(inputs, dtype), np.asarray(targets, dtype)
    rate, threshold, deadline = np.asarray(learning_rate, dtype), np.asarray(below, dtype), np.asarray(max_steps)
    divisor = {"sse": 1, "mse": target.size}[loss]
    net = Network(x, target, hidden, activation, output, bias, divisor, functions)

    n_runs = len(start)
    (steps, n_correct), (first, last, error) = np.zeros((2, n_runs), np.int64), np.full((3, n_runs), np.inf)
    result = Result(np.full(n_runs, "", "U9"), steps, first, last, n_correct, error, np.empty_like(start))
    trace = []
    runs, current, previous = np.arange(n_runs), start.T, np.full(n_runs, np.nan, dtype)  # NaN: no stall at t = 0
    for t in itertools.count():
        activity = forward(net, current)
        score = measure(net, activity)
        updated = current - (rate[runs] * gradient(net, current, activity))
        assert updated.dtype == score.loss.dtype == start.dtype, "something widened the dtype"
        converged = has_converged(criterion, score, threshold[runs], target.size)
        diverged = ~np.isfinite(score.loss)
        stalled = (score.loss == previous) & (updated == current).all(axis=0) & (criterion != "none")
        status = np.select([converged, diverged, stalled, deadline[runs] == t], STATUSES, default="")

        if t == 0:
            first[:] = np.where(diverged, np.inf, score.loss)
        trace.append(np.full(n_runs, np.nan))
        trace[t][runs] = score.loss
        ended = status != ""
        result.status[runs[ended]], steps[runs[ended]] = status[ended], t
        result.weights[runs[ended]] = current[:, ended].T
        measured = ended & (status != "diverged")  # a diverged run keeps +inf, 0, +inf
        for column, values in zip((last, n_correct, error), score, strict=True):
            column[runs[measured]] = values[measured]
        runs, current, previous = runs[~ended], updated[:, ~ended], score.loss[~ended]
        if not runs.size:
            break
    result.losses = np.stack(trace, axis=1) if record else None
    return result


def initial_weights(seeds: Iterable[int], n: int, distribution: str, scale: float, stream: str, dtype: str) -> Array:
    """Draw n weights for each of R seeds, in float64, then rounded to the dtype: (R, n)."""
    draws = np.array([draw(int(seed), n, distribution, stream) for seed in seeds])
    return {"normal": scale * draws, "uniform": -scale + (2 * scale) * draws}[distribution].astype(dtype)


def draw(seed: int, n: int, distribution: str, stream: str) -> npt.NDArray[np.float64]:
    """Draw n standard normal or uniform [0, 1) numbers from the stream of one seed."""
    if stream == "mt19937":
        old = np.random.RandomState(seed)
        return old.randn(n) if distribution == "normal" else old.random_sample(n)
    if stream == "pcg64":
        new = np.random.default_rng(seed)
        return new.standard_normal(n) if distribution == "normal" else new.random(n)
    raise ValueError(f"stream is {stream!r}, not 'mt19937' or 'pcg64'")

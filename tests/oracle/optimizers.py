"""How an update moves parameters: each optimizer, per parameter but for the powers of Adam.

An optimizer takes the gradient (P, R), its states and its settings, and gives what is subtracted from the parameters,
and the new states. States are arrays (P, R) or (R,), at the start 0 but for the powers of Adam (1) and the steps of
Rprop (the learning rate).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tests.oracle.settings import Settings
from tests.oracle.step import Network
from tests.oracle.words import Array

States = tuple[Array, ...]


class Hyperparameters(NamedTuple):
    """Settings of optimizers, rounded to the dtype: the learning rate of each parameter (P, R), the others (R,)."""

    rate: Array
    momentum: Array
    alpha: Array
    beta1: Array
    beta2: Array
    eps: Array


Update = Callable[[Array, States, Hyperparameters], tuple[Array, States]]


def gd(g: Array, states: States, given: Hyperparameters) -> tuple[Array, States]:
    """Descend along the gradient."""
    return given.rate * g, ()


def momentum(g: Array, states: States, given: Hyperparameters) -> tuple[Array, States]:
    """Descend with a velocity, the sum of gradients that fade."""
    v = given.momentum * states[0] + g
    return given.rate * v, (v,)


def nesterov(g: Array, states: States, given: Hyperparameters) -> tuple[Array, States]:
    """Descend with a velocity that is looked ahead along."""
    v = given.momentum * states[0] + g
    return given.rate * (g + given.momentum * v), (v,)


def rmsprop(g: Array, states: States, given: Hyperparameters) -> tuple[Array, States]:
    """Divide gradients by the root of their mean square."""
    v = given.alpha * states[0] + (1 - given.alpha) * (g * g)
    return (given.rate * g) / (np.sqrt(v) + given.eps), (v,)


def adam(g: Array, states: States, given: Hyperparameters) -> tuple[Array, States]:
    """Divide mean gradients by the root of their mean square, both corrected for their start at 0."""
    m, v, power1, power2 = states
    power1, power2 = power1 * given.beta1, power2 * given.beta2
    r = np.sqrt(1 - power2)
    k, q = (given.rate * r) / (1 - power1), given.eps * r
    m = given.beta1 * m + (1 - given.beta1) * g
    v = given.beta2 * v + (1 - given.beta2) * (g * g)
    return (k * m) / (np.sqrt(v) + q), (m, v, power1, power2)


def rprop(g: Array, states: States, given: Hyperparameters) -> tuple[Array, States]:
    """Take steps that grow while the gradient keeps its sign and shrink where it does not, whatever its size."""
    previous, step = states
    s = np.sign(g * previous)
    step = np.minimum(np.maximum(step * np.where(s > 0, 1.2, np.where(s < 0, 0.5, 1)).astype(g.dtype), 1e-6), 50)
    g = np.where(s < 0, 0, g)
    sign = np.where(g > 0, 1, np.where(g < 0, -1, g)).astype(g.dtype)  # that of zero or NaN is itself: -0 stays -0
    return sign * step, (g, step)


UPDATES: dict[str, Update] = {
    "gd": gd,
    "momentum": momentum,
    "nesterov": nesterov,
    "rmsprop": rmsprop,
    "adam": adam,
    "rprop": rprop,
}


def states_at_start(optimizer: str, rate: Array) -> States:
    """Return the states before the first update, given the learning rate of each parameter (P, R)."""
    zero, one = np.zeros_like(rate), np.ones_like(rate[0])
    return {"gd": (), "adam": (zero, zero, one, one), "rprop": (zero, rate)}.get(optimizer, (zero,))


def make_hyperparameters(net: Network, settings: Settings, n_runs: int) -> Hyperparameters:
    """Round settings to the dtype; v, c and k have the learning rate of the output layer, if it has one of its own."""
    dtype = net.inputs.dtype
    hidden = output = np.broadcast_to(np.asarray(settings.learning_rate, dtype), n_runs)
    if settings.output_learning_rate is not None:
        output = np.broadcast_to(np.asarray(settings.output_learning_rate, dtype), n_runs)
    sizes = {name: math.prod(shape) for name, shape in net.shapes.items()}
    rate = np.stack([hidden if name in "wb" else output for name, size in sizes.items() for _ in range(size)])
    others = (np.asarray(getattr(settings, name), dtype) for name in Hyperparameters._fields[1:])
    return Hyperparameters(rate, *others)

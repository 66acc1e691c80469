"""Updates of parameters by each optimizer.

An optimizer takes the parameters p and their gradient g (P, R), its states, the learning rate of each parameter (P, R)
and the settings by name, and returns the parameters and states after the update. States are arrays (P, R) or (R,). They
are 0 at the start, except the powers of Adam (1) and the steps of Rprop (the learning rate).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from tests.oracle.components import Array, Own
from tests.oracle.step import Network
from tests.oracle.windows import integers, mix

States = tuple[Array, ...]


Update = Callable[[Array, Array, States, Array, Own], tuple[Array, States]]


def gd(p: Array, g: Array, states: States, rate: Array, s: Own) -> tuple[Array, States]:
    """Descend along the gradient."""
    return p - rate * g, ()


def momentum(p: Array, g: Array, states: States, rate: Array, s: Own) -> tuple[Array, States]:
    """Descend with a velocity, a sum of gradients that decay."""
    v = s["momentum"] * states[0] + g
    return p - rate * v, (v,)


def nesterov(p: Array, g: Array, states: States, rate: Array, s: Own) -> tuple[Array, States]:
    """Descend with a velocity and Nesterov's look-ahead."""
    v = s["momentum"] * states[0] + g
    return p - rate * (g + s["momentum"] * v), (v,)


def rmsprop(p: Array, g: Array, states: States, rate: Array, s: Own) -> tuple[Array, States]:
    """Divide gradients by the root of their mean square."""
    v = s["alpha"] * states[0] + (1 - s["alpha"]) * (g * g)
    return p - (rate * g) / (np.sqrt(v) + s["eps"]), (v,)


def adam(p: Array, g: Array, states: States, rate: Array, s: Own, as_keras: bool = False) -> tuple[Array, States]:
    """Divide mean gradients by the root of their mean square, both corrected for their start at 0."""
    m, v, power1, power2 = states
    power1, power2 = power1 * s["beta1"], power2 * s["beta2"]
    r = np.sqrt(1 - power2)
    k, q = (rate * r) / (1 - power1), s["eps"] * (1 if as_keras else r)
    m = s["beta1"] * m + (1 - s["beta1"]) * g
    v = s["beta2"] * v + (1 - s["beta2"]) * (g * g)
    return p - (k * m) / (np.sqrt(v) + q), (m, v, power1, power2)


def rprop(p: Array, g: Array, states: States, rate: Array, s: Own) -> tuple[Array, States]:
    """Take steps that grow while the gradient keeps its sign and shrink where it changes; its size does not matter."""
    previous, step = states
    agreement = np.sign(g * previous)
    factor = np.where(agreement > 0, s["eta_plus"], np.where(agreement < 0, s["eta_minus"], 1)).astype(g.dtype)
    step = np.minimum(np.maximum(step * factor, s["step_min"]), s["step_max"])
    g = np.where(agreement < 0, 0, g)
    sign = np.where(g > 0, 1, np.where(g < 0, -1, g)).astype(g.dtype)  # the sign of zero or NaN is itself: -0 stays -0
    return p - sign * step, (g, step)


def decayed(optimizer: str, p: Array, g: Array, rate: Array, decay: Array) -> tuple[Array, Array]:
    """Apply a weight decay above 0: add a share of the weights to their gradient, or with adamw subtract it."""
    if optimizer == "adamw":
        return np.where(decay > 0, p - (rate * decay) * p, p), g
    return p, np.where(decay > 0, g + decay * p, g)


UPDATES: dict[str, Update] = {
    "gd": gd,
    "momentum": momentum,
    "nesterov": nesterov,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adam,
    "keras_adam": partial(adam, as_keras=True),
    "rprop": rprop,
}


def states_at_start(optimizer: str, rate: Array) -> States:
    """Return the states before the first update, from the learning rate of each parameter (P, R)."""
    zero, one = np.zeros_like(rate), np.ones_like(rate[0])
    adams = dict.fromkeys(("adam", "adamw", "keras_adam"), (zero, zero, one, one))
    return {"gd": (), "rprop": (zero, rate), **adams}.get(optimizer, (zero,))


def drawn_steps(rate: Array, ratio: Array, seeds: Sequence[int]) -> Array:
    """Return the first steps (P, R): uniform between the rate and a multiple of it, where that is above 1."""
    drawn = [[next(integers(mix(seed * 2**32 + k))) >> 11 for seed in seeds] for k in range(len(rate))]
    return (rate.astype(np.float64) * (1 + (np.float64(ratio) - 1) * (np.array(drawn) / 2**53))).astype(rate.dtype)


def make_rates(net: Network, n_runs: int) -> Array:
    """Return the learning rate of each parameter (P, R): v, c and k have that of the output layer, if it is set.

    Those that end at a hidden layer, k2 among them, have the other rate.
    """
    hidden = np.broadcast_to(net.own["learning_rate"], n_runs)
    output = np.where(np.isnan(net.own["output_learning_rate"]), hidden, net.own["output_learning_rate"])
    sizes = {name: math.prod(shape) for name, shape in net.shapes.items()}
    rates = [output if name in ("v", "c", "k") else hidden for name in sizes]
    return np.stack([rate for rate, size in zip(rates, sizes.values(), strict=True) for _ in range(size)])

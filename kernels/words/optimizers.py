"""Optimizers: how an update moves one parameter, given its gradient.

Formulas are PyTorch's; the operations and their order are those of the oracle (``tests/oracle/optimizers.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple, TypeAlias

from kernels.data.control import (
    ALPHA,
    BETA1,
    BETA2,
    EPS,
    MOMENTUM,
    NEXT_POWER1,
    NEXT_POWER2,
    OUTPUT_RATE,
    OUTPUT_STEP,
    POWER1,
    POWER2,
    RATE,
    STEP,
    STEP_EPS,
)
from kernels.simd.jit import device
from kernels.simd.lanes import Lanes, Memory, Rows, select, sqrt

NAMES = ("gd", "momentum", "nesterov", "rmsprop", "adam", "rprop")

# What a state holds before the first update.
ZERO, LEARNING_RATE = range(2)

# (gradient, first, second, rate, control) -> (change, first, second)
Update: TypeAlias = Callable[[Lanes, Lanes, Lanes, Lanes, Rows], tuple[Lanes, Lanes, Lanes]]


class Optimizer(NamedTuple):
    """One optimizer on lanes. ``control`` are the rows of :mod:`kernels.data.control`, settings among them.

    Attributes
    ----------
    states
        What each state of a parameter holds at the start: ZERO or LEARNING_RATE; at most two states.
    settings
        The rows of ``control`` that must be given to it, besides the learning rates.
    update : (gradient, first, second, rate, control) -> (change, first, second)
        What is subtracted from a parameter, and its states after; a state that there is not is given back.
    rates
        Rows of ``control`` whose numbers ``update`` takes as rate, for the hidden and for the output layer.
    begin : (control) -> None
        What an update does before it comes to the parameters.
    end : (control) -> None
        What an update does after.
    has_powers
        Whether ``begin`` and ``end`` do anything.
    keeps_infinity
        Whether a gradient that is not finite leaves a parameter or state that is not finite, for ever.
    """

    states: tuple[int, ...]
    settings: tuple[int, ...]
    update: Update
    rates: tuple[int, int]
    begin: Callable[[Rows], None]
    end: Callable[[Rows], None]
    has_powers: bool = False
    keeps_infinity: bool = True


@cache
def optimizer(name: str, memory: Memory) -> Optimizer:
    """Return one of the optimizers of :data:`NAMES` for lanes of ``memory``."""
    make = {"gd": gd, "momentum": momentum, "nesterov": nesterov, "rmsprop": rmsprop, "adam": adam, "rprop": rprop}
    return make[name](memory)


def _plain(
    memory: Memory, states: tuple[int, ...], settings: tuple[int, ...], update: Update, *, keeps_infinity: bool = True
) -> Optimizer:
    """Return an optimizer that does nothing but update parameters."""

    @device
    def nothing(control: Rows) -> None:
        pass

    rates = (RATE, OUTPUT_RATE)
    return Optimizer(states, settings, update, rates, nothing, nothing, keeps_infinity=keeps_infinity)


def gd(memory: Memory) -> Optimizer:
    @device
    def update(g: Lanes, first: Lanes, second: Lanes, rate: Lanes, control: Rows) -> tuple[Lanes, Lanes, Lanes]:
        return rate * g, first, second

    return _plain(memory, (), (), update)


def momentum(memory: Memory) -> Optimizer:
    load = memory.load

    @device
    def update(g: Lanes, v: Lanes, second: Lanes, rate: Lanes, control: Rows) -> tuple[Lanes, Lanes, Lanes]:
        v = load(control, MOMENTUM) * v + g
        return rate * v, v, second

    return _plain(memory, (ZERO,), (MOMENTUM,), update)


def nesterov(memory: Memory) -> Optimizer:
    load = memory.load

    @device
    def update(g: Lanes, v: Lanes, second: Lanes, rate: Lanes, control: Rows) -> tuple[Lanes, Lanes, Lanes]:
        mu = load(control, MOMENTUM)
        v = mu * v + g
        return rate * (g + mu * v), v, second

    return _plain(memory, (ZERO,), (MOMENTUM,), update)


def rmsprop(memory: Memory) -> Optimizer:
    load = memory.load

    @device
    def update(g: Lanes, v: Lanes, second: Lanes, rate: Lanes, control: Rows) -> tuple[Lanes, Lanes, Lanes]:
        alpha = load(control, ALPHA)
        v = alpha * v + (1.0 - alpha) * (g * g)
        return (rate * g) / (sqrt(v) + load(control, EPS)), v, second

    return _plain(memory, (ZERO,), (ALPHA, EPS), update)


def adam(memory: Memory) -> Optimizer:
    load, store = memory.load, memory.store

    @device
    def update(g: Lanes, m: Lanes, v: Lanes, rate: Lanes, control: Rows) -> tuple[Lanes, Lanes, Lanes]:
        """``rate`` is the learning rate, corrected for the start of m and v at 0."""
        beta1, beta2 = load(control, BETA1), load(control, BETA2)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * (g * g)
        return (rate * m) / (sqrt(v) + load(control, STEP_EPS)), m, v

    @device
    def begin(control: Rows) -> None:
        power1 = load(control, POWER1) * load(control, BETA1)
        power2 = load(control, POWER2) * load(control, BETA2)
        root, rest = sqrt(1.0 - power2), 1.0 - power1
        store(control, NEXT_POWER1, power1)
        store(control, NEXT_POWER2, power2)
        store(control, STEP, (load(control, RATE) * root) / rest)
        store(control, OUTPUT_STEP, (load(control, OUTPUT_RATE) * root) / rest)
        store(control, STEP_EPS, load(control, EPS) * root)

    @device
    def end(control: Rows) -> None:
        store(control, POWER1, load(control, NEXT_POWER1))
        store(control, POWER2, load(control, NEXT_POWER2))

    settings = (BETA1, BETA2, EPS, POWER1, POWER2)
    rates = (STEP, OUTPUT_STEP)
    return Optimizer((ZERO, ZERO), settings, update, rates, begin, end, has_powers=True)


def rprop(memory: Memory) -> Optimizer:
    fill = memory.fill

    @device
    def update(g: Lanes, previous: Lanes, step: Lanes, rate: Lanes, control: Rows) -> tuple[Lanes, Lanes, Lanes]:
        agreement = g * previous
        step = step * select(agreement > 0.0, fill(1.2), select(agreement < 0.0, fill(0.5), 1.0))
        step = select(step < 1e-6, 1e-6, step)
        step = select(step > 50.0, 50.0, step)
        g = select(agreement < 0.0, 0.0, g)
        sign = select(g > 0.0, 1.0, select(g < 0.0, -1.0, g))  # that of NaN is NaN
        return sign * step, g, step

    return _plain(memory, (ZERO, LEARNING_RATE), (), update, keeps_infinity=False)

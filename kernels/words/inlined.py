"""The formulas of words as functions that kernels inline, each made once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernels.simd.functions import Lanes
from kernels.simd.jit import device
from kernels.simd.parts import made_once
from kernels.vocabulary import ACTIVATIONS, CRITERIA, LOSSES, OPTIMIZERS, SCHEDULES
from kernels.words.records import Activation, Criterion, Loss, Optimizer, Schedule
from kernels.words.value_of import ValueOf


@made_once
def _inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function, or one of the values of a function, as kernels call it."""
    if not isinstance(function, ValueOf):
        return device(function)
    made, number = _inlined(function.function), function.number

    def value(first: Lanes, *others: Lanes) -> Lanes:
        return made(first, *others)[number]

    def value_behind(skipped: Lanes, first: Lanes, *others: Lanes) -> Lanes:
        return made(first, *others)[number]

    return device(value_behind if function.skipped else value)


@made_once
def activation(name: str) -> Activation:
    """Return an activation."""
    word = ACTIVATIONS[name]
    return word._replace(
        value=_inlined(word.value),
        value_and_slope=word.value_and_slope and _inlined(word.value_and_slope),
        chain=_inlined(word.chain),
    )


@made_once
def integer_activation(name: str, dtype: str) -> Activation:
    """Return an activation whose value is computed with integer operations."""
    make_value = ACTIVATIONS[name].integer_value
    assert make_value is not None
    return activation(name)._replace(value=_inlined(make_value(dtype)))


@made_once
def loss(name: str) -> Loss:
    """Return a loss."""
    word = LOSSES[name]
    return word._replace(term=_inlined(word.term), slope=_inlined(word.slope))


@made_once
def optimizer(name: str) -> Optimizer:
    """Return an optimizer."""
    word = OPTIMIZERS[name]
    return word._replace(
        update=_inlined(word.update),
        tick=word.tick and _inlined(word.tick),
        factors=_inlined(word.factors),
        decay=_inlined(word.decay),
    )


@made_once
def schedule(name: str) -> Schedule:
    """Return a schedule."""
    word = SCHEDULES[name]
    return word._replace(advance=word.advance and _inlined(word.advance))


@made_once
def criterion(name: str) -> Criterion:
    """Return a criterion."""
    word = CRITERIA[name]
    return word._replace(
        of_loss=word.of_loss and _inlined(word.of_loss), of_output=word.of_output and _inlined(word.of_output)
    )

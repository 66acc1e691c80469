"""The formulas of components as functions that kernels inline, each made once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernels.components.declarations import Activation, Criterion, Loss, Optimizer, Schedule, StoppingRule, ValueOf
from kernels.elementary.formulas import formula
from kernels.lanes.arithmetic import Lanes
from kernels.numba.part_makers import made_once
from kernels.vocabulary import ACTIVATIONS, CRITERIA, LOSSES, OPTIMIZERS, SCHEDULES, STOPPING_RULES


@made_once
def _inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function, or one of the values of a function, in the form that kernels call."""
    if not isinstance(function, ValueOf):
        return formula(function)
    made = _inlined(function.function)
    number = function.number

    def value(first: Lanes, *others: Lanes) -> Lanes:
        return made(first, *others)[number]

    def value_behind(skipped: Lanes, first: Lanes, *others: Lanes) -> Lanes:
        return made(first, *others)[number]

    return formula(value_behind if function.skipped else value)


@made_once
def activation(name: str) -> Activation:
    """Return an activation."""
    component = ACTIVATIONS[name]
    return component._replace(
        value=_inlined(component.value),
        value_and_slope=component.value_and_slope and _inlined(component.value_and_slope),
        chain=_inlined(component.chain),
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
    component = LOSSES[name]
    return component._replace(term=_inlined(component.term), slope=_inlined(component.slope))


@made_once
def optimizer(name: str) -> Optimizer:
    """Return an optimizer."""
    component = OPTIMIZERS[name]
    return component._replace(
        update=_inlined(component.update),
        tick=component.tick and _inlined(component.tick),
        factors=_inlined(component.factors),
        decay=_inlined(component.decay),
    )


@made_once
def schedule(name: str) -> Schedule:
    """Return a schedule."""
    component = SCHEDULES[name]
    return component._replace(advance=component.advance and _inlined(component.advance))


@made_once
def criterion(name: str) -> Criterion:
    """Return a criterion."""
    component = CRITERIA[name]
    return component._replace(
        of_loss=component.of_loss and _inlined(component.of_loss),
        of_output=component.of_output and _inlined(component.of_output),
    )


@made_once
def stopping_rule(name: str) -> StoppingRule:
    """Return a stopping rule."""
    component = STOPPING_RULES[name]
    return component._replace(update=_inlined(component.update), ends=_inlined(component.ends))

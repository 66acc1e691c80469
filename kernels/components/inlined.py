"""The formulas of components as functions that kernels inline, each made once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from kernels.components.declarations import Activation, Criterion, Loss, Optimizer, Schedule, StoppingRule, ValueOf
from kernels.elementary.formulas import formula
from kernels.lanes.arithmetic import Lanes
from kernels.numba.jit import made_once
from kernels.vocabulary import ACTIVATIONS, CRITERIA, LOSSES, OPTIMIZERS, SCHEDULES, STOPPING_RULES

C = TypeVar("C", bound=Any)


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


def _with_inlined(component: C, *roles: str) -> C:
    """Return a component whose functions in these roles, of which some may be None, have the form that kernels call."""
    functions = {role: getattr(component, role) for role in roles}
    made: C = component._replace(**{role: each and _inlined(each) for role, each in functions.items()})
    return made


@made_once
def activation(name: str) -> Activation:
    """Return an activation."""
    return _with_inlined(ACTIVATIONS[name], "value", "value_and_slope", "chain")


@made_once
def integer_activation(name: str, dtype: str) -> Activation:
    """Return an activation whose value is computed with integer operations."""
    make_value = ACTIVATIONS[name].integer_value
    assert make_value is not None
    return activation(name)._replace(value=_inlined(make_value(dtype)))


@made_once
def loss(name: str) -> Loss:
    """Return a loss."""
    return _with_inlined(LOSSES[name], "term", "slope")


@made_once
def optimizer(name: str) -> Optimizer:
    """Return an optimizer."""
    return _with_inlined(OPTIMIZERS[name], "update", "tick", "factors", "decay")


@made_once
def schedule(name: str) -> Schedule:
    """Return a schedule."""
    return _with_inlined(SCHEDULES[name], "advance")


@made_once
def criterion(name: str) -> Criterion:
    """Return a criterion."""
    return _with_inlined(CRITERIA[name], "of_loss", "of_output", "of_wrong")


@made_once
def stopping_rule(name: str) -> StoppingRule:
    """Return a stopping rule."""
    return _with_inlined(STOPPING_RULES[name], "update", "ends")

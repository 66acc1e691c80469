"""Decorators that declare custom components."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from kernels import vocabulary
from kernels.components.declarations import LEARNING_RATE, OF_CUSTOM_SETTINGS, Setting
from kernels.custom.registry import add_source
from kernels.custom.source import (
    TOO_LONG,
    ComponentError,
    Function,
    read_function,
    refuse,
    returned,
    write_source,
)

F = TypeVar("F", bound=Callable[..., Any])

NAME = re.compile("[a-z][a-z0-9_]{0,39}")
# A kernel loads at most this many settings of a component, for an optimizer together with the factors of its rate.
MOST_SETTINGS, MOST_STATES = 5, 2
# Of a label, a unit or a meaning.
MOST_CHARACTERS = 200
# A measure adds up at most this many totals.
MOST_TOTALS = 4
# What a measure goes over, and the arguments that its function takes after the totals.
OVER = {"weights": ("weight", "initial"), "outputs": ("y", "target")}


def activation(
    function: Any = None,
    /,
    *,
    chain: Callable[..., Any] | None = None,
    settings: Sequence[Setting | str] = (),
    surrogate: bool = False,
) -> Any:
    """Declare a custom activation function.

    Parameters
    ----------
    function : (z, *settings) -> (a, slope)
        The function and its derivative, over lanes; write numbers as ``constant(1.0, z)``. With ``chain``, only a.
    chain : (gradient, a) -> lanes
        The gradient with respect to z, from the gradient with respect to a.
    settings
        Settings that the function takes, or names of settings of other components.
    surrogate
        Whether the slope differs from the derivative on purpose; by default they are compared before use.

    Returns
    -------
    function
        The same function.

    Raises
    ------
    ComponentError
        If the function depends on anything but its arguments, numbers and functions of ``sweep.lanes``, or its name is
        taken.

    Examples
    --------
    >>> @activation
    ... def square(z):
    ...     return z * z, 2.0 * z
    """
    roles = {"chain": chain}
    return _decorator(function, "activation", roles, settings, {"surrogate": surrogate})


def loss(function: Any = None, /, *, settings: Sequence[Setting | str] = (), surrogate: bool = False) -> Any:
    """Declare a custom loss.

    It returns and raises the same as :func:`activation`.

    Parameters
    ----------
    function : (y, target, *settings) -> (term, slope)
        The term of one pattern and output, and its derivative with respect to the output y. A target may be
        one number for all lanes.
    settings, surrogate
        See :func:`activation`.
    """
    return _decorator(function, "loss", {}, settings, {"surrogate": surrogate})


def optimizer(
    function: Any = None,
    /,
    *,
    states: Sequence[float | str] = (),
    settings: Sequence[Setting | str] = (),
    clocks: Sequence[float] = (),
    tick: Callable[..., Any] | None = None,
    factors: Callable[..., Any] | None = None,
    full_batch: bool = False,
    keeps_infinity: bool = False,
) -> Any:
    """Declare a custom optimizer.

    It returns and raises the same as :func:`activation`.

    Parameters
    ----------
    function : (p, gradient, *states, *factors, *settings) -> p, or (p, *states)
        A parameter and its states after an update. Without ``factors`` the only factor is the learning rate.
    states
        Initial values of at most two states of a parameter: numbers, or ``"learning_rate"``.
    settings
        Settings that all functions take as their last arguments, or names of settings of other components.
    clocks, tick : (*clocks, *settings) -> (*clocks)
        Initial values of numbers that count the updates of a network, and the function that advances them.
    factors : (rate, *clocks, *settings) -> (*factors)
        Numbers that an update computes from the learning rate once for all parameters of a layer; requires clocks.
    full_batch
        Whether a step must take all patterns.
    keeps_infinity
        Whether a parameter or state never becomes finite again once a gradient was not finite. Kernels then leave out
        products with zero, which makes them up to twice as fast. Where it follows from sums, differences, products and
        numerators, as for momentum or Adam, it is found without a declaration. A declaration is tested before use.
    """
    options = {
        "states": tuple(each if isinstance(each, str) else float(each) for each in states),
        "clocks": tuple(map(float, clocks)),
        "full_batch": full_batch,
        "keeps_infinity": keeps_infinity,
    }
    return _decorator(function, "optimizer", {"tick": tick, "factors": factors}, settings, options)


def learning_rate_schedule(
    function: Any = None, /, *, states: Sequence[float] = (), settings: Sequence[Setting | str] = ()
) -> Any:
    """Declare a custom schedule of the learning rates.

    It returns and raises the same as :func:`activation`.

    Parameters
    ----------
    function : (t, steps, *states, *settings) -> factor, or (factor, *states)
        The factor of the learning rates for update t, counted from 1, of a schedule of ``steps`` updates, in float64.
        ``steps`` is the limit of the run.
    states
        Initial values of at most five numbers that an update leaves for the next one.
    settings
        Settings that the function takes, or names of settings of other components.

    Examples
    --------
    >>> @learning_rate_schedule(settings=(Setting("full_rate", 100.0, "updates at the full rate", "updates", above=0),))
    ... def hyperbolic(t, steps, full_rate):
    ...     return select(t < full_rate, 1.0, full_rate / t)
    """
    return _decorator(function, "schedule", {}, settings, {"states": tuple(map(float, states))})


def measure(
    function: Any = None,
    /,
    *,
    over: str = "weights",
    start: Sequence[float] = (0.0,),
    finish: Callable[..., Any] | None = None,
    label: str = "",
    unit: str = "",
    more_is_better: bool = False,
) -> Any:
    """Declare a custom measure of runs, which studies record by its name: ``record.measures``.

    It returns and raises the same as :func:`activation`.

    Parameters
    ----------
    function : (*totals, weight, initial) or (*totals, y, target) -> total, or (*totals)
        Adds one term to the totals. It is called for each parameter of the final network in the order of the
        parameters, or for each output of each training pattern in the order of the patterns, all in float64. The first
        line of its docstring is the meaning of the measure.
    over
        ``"weights"``, with the final and the initial value of each parameter, or ``"outputs"``, with each output and
        its target.
    start
        Initial values of at most four totals.
    finish : (*totals, n) -> value
        The value of the measure from the totals and the number of terms; by default the only total.
    label, unit
        What tables and figures call the measure, by default its name, and its unit.
    more_is_better
        Whether cells are ranked from the highest value. Runs that diverged have the worst value, infinity or minus
        infinity.

    Examples
    --------
    >>> @measure(label="sum of absolute weights", unit="weight")
    ... def absolute_sum(total, weight, initial):
    ...     return total + absolute(weight)
    """
    options = {
        "over": over,
        "start": tuple(map(float, start)),
        "label": label,
        "unit": unit,
        "more_is_better": more_is_better,
    }
    return _decorator(function, "measure", {"finish": finish}, (), options)


def _decorator(
    function: Any, kind: str, roles: Mapping[str, Any], settings: Any, options: Mapping[str, Any]
) -> Callable[[F], F] | Any:
    def declare(declared: F) -> F:
        name = getattr(declared, "__name__", repr(declared))
        what = f"{kind} {name!r}"
        texts = texts_of(declared, options["label"], options["unit"]) if kind == "measure" else {}
        for key, text in texts.items():
            fault = text_fault(text)
            if fault:
                raise ComponentError(f"{what}: {key} {fault}, got {text!r}")
        try:
            _declare(
                what, {"kind": kind, "name": name}, {"function": declared, **roles}, settings, {**options, **texts}
            )
        except RecursionError:
            raise ComponentError(f"{what}: a formula is {TOO_LONG}") from None
        return declared

    return declare if function is None else declare(function)


def texts_of(function: Any, label: str, unit: str) -> dict[str, str]:
    """Return label, unit and meaning of a measure or statistic; the docstring of its function has the meaning."""
    lines = (inspect.getdoc(function) or "").splitlines()
    label = label or str(getattr(function, "__name__", "")).replace("_", " ")
    return {"label": label, "unit": unit, "meaning": lines[0].rstrip(".") if lines else label}


def text_fault(text: Any) -> str | None:
    """Return what is wrong with a label, a unit or a meaning, or None."""
    if not isinstance(text, str) or len(text) > MOST_CHARACTERS or not text.isprintable():
        return f"must be a text of at most {MOST_CHARACTERS} printable characters"
    return None


def _declare(
    what: str, component: Mapping[str, Any], roles: Mapping[str, Any], settings: Any, options: Mapping[str, Any]
) -> None:
    """Register a component from the functions of its roles, some of which may be None."""
    read = {role: read_function(what, each) for role, each in roles.items() if each is not None or role == "function"}
    _check_name(what, component["name"])
    checked = tuple(_setting(what, each) for each in settings)
    declared: dict[str, Any] = {
        **component,
        "functions": {role: each.name for role, each in read.items()},
        "settings": [
            each.name if each.name in vocabulary.COMPONENT_SETTINGS else _non_empty(each._asdict()) for each in checked
        ],
        "options": _non_empty(options),
    }
    _check_form(what, {**declared, "options": options}, read)
    source = write_source(what, list(read.values()), declared)
    add_source(source, {each.name: each.place for each in read.values()})  # later changes of numbers change nothing


def _non_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are not empty, so that an option added later changes no hash of a source."""
    return {name: value for name, value in values.items() if value or type(value) in (int, float)}


def _check_name(what: str, name: str) -> None:
    if not NAME.fullmatch(name):
        raise ComponentError(
            f"{what}: the name must be at most 40 lower-case letters, digits and _, with a letter first"
        )
    if name in taken_names():
        raise ComponentError(f"{what}: xor-sweep already has a component of this name; rename the function")


def taken_names() -> set[str]:
    """Return the names of all built-in components, losses with a reduction among them."""
    return {
        *vocabulary.NAMED,
        *vocabulary.CRITERIA,
        *(name for component in vocabulary.LOSSES.values() for name in component.names),
    }


def setting_fault(setting: Any) -> str | None:
    """Return what is wrong with a setting, or None."""
    if not isinstance(setting, Setting):
        return "must be Setting(name, default, meaning), or the name of a setting of another component"
    limits = (setting.at_least, setting.above, setting.below)
    numbers = (setting.default, *(limit for limit in limits if limit is not None))
    texts = (setting.name, setting.meaning, setting.unit)
    if not all(isinstance(text, str) for text in texts) or not NAME.fullmatch(setting.name):
        return "must have a name of at most 40 lower-case letters, digits and _, and a text as its meaning"
    if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        return "must have finite numbers as its default and its limits"
    low, above = (-math.inf if limit is None else limit for limit in (setting.at_least, setting.above))
    below = math.inf if setting.below is None else setting.below
    if not (low <= setting.default and above < setting.default < below):
        return f"must have a default within its limits, got {setting.default!r}"
    ours = vocabulary.COMPONENT_SETTINGS.get(setting.name)
    if setting.name in vocabulary.SETTINGS and setting != ours:
        return "is already a setting of xor-sweep; pass only its name, as a string, or choose another name"
    return None


def _setting(what: str, value: Any) -> Setting:
    """Return a setting, which a string names if other components have it."""
    found = vocabulary.COMPONENT_SETTINGS.get(value) if isinstance(value, str) else value
    if isinstance(value, str) and found is None:
        names = ", ".join(vocabulary.COMPONENT_SETTINGS)
        raise ComponentError(
            f"{what}: settings: must be Setting(name, default, meaning), or one of {names}, got {value!r}"
        )
    fault = setting_fault(found)
    if fault:
        shown = found.name if isinstance(found, Setting) else found
        raise ComponentError(f"{what}: setting {shown!r} {fault}")
    assert isinstance(found, Setting)
    if found.name in vocabulary.COMPONENT_SETTINGS:
        return found
    declared = {"at_least": found.at_least, "above": found.above, "below": found.below}
    limits = {name: float(limit) for name, limit in declared.items() if limit is not None}
    stated = {name: getattr(found, name) for name in OF_CUSTOM_SETTINGS}
    return Setting(**{**stated, **limits, "default": float(found.default)})


def _check_form(what: str, declared: Mapping[str, Any], read: Mapping[str, Function]) -> None:
    """Refuse functions with another number of arguments or values than the component needs."""
    settings = [each if isinstance(each, str) else each["name"] for each in declared["settings"]]
    kind = declared["kind"]
    n_factors = 0
    if len(set(settings)) < len(settings):
        raise ComponentError(f"{what}: settings: each must be named once, got {', '.join(settings)}")
    if kind == "loss":
        _needs(what, read["function"], ["y", "target", *settings], 2)
    elif kind == "activation":
        _needs(what, read["function"], ["z", *settings], None if "chain" in read else 2)
        if "chain" in read:
            _needs(what, read["chain"], ["gradient", "a"], None)
    elif kind == "measure":
        _check_measure(what, declared["options"], read)
    elif kind == "schedule":
        _check_schedule(what, declared["options"]["states"], settings, read["function"])
    else:
        n_factors = _check_optimizer(what, declared["options"], settings, read)
    if len(settings) + n_factors > MOST_SETTINGS:
        beside = f" and {n_factors} factors of its rate" if n_factors else ""
        raise ComponentError(f"{what}: settings: must be at most {MOST_SETTINGS}, got {len(settings)}{beside}")


def _check_optimizer(what: str, options: Mapping[str, Any], settings: list[str], read: Mapping[str, Function]) -> int:
    """Refuse an optimizer whose functions do not fit together, and return the number of factors of its rate."""
    states = options["states"]
    clocks = options["clocks"]
    n_factors = 1
    if len(states) > MOST_STATES or any(
        state != LEARNING_RATE if isinstance(state, str) else not math.isfinite(state) for state in states
    ):
        raise ComponentError(f"{what}: states: must be at most two, finite numbers or 'learning_rate', got {states!r}")
    if len({bool(clocks), "tick" in read, "factors" in read}) > 1:
        raise ComponentError(f"{what}: clocks, tick and factors need each other; pass all of them or none")
    if len(clocks) > MOST_SETTINGS - len(settings) or not all(map(math.isfinite, clocks)):
        raise ComponentError(
            f"{what}: clocks: must be finite numbers, at most {MOST_SETTINGS} with the settings, got {clocks!r}"
        )
    names = [f"clock {k + 1}" for k in range(len(clocks))]
    if clocks:
        _needs(what, read["tick"], [*names, *settings], len(clocks))
        found = returned(what, read["factors"])
        if found is None:
            refuse(what, read["factors"].place, "factors must return a tuple, such as (rate,)")
        _needs(what, read["factors"], ["rate", *names, *settings], found)
        n_factors = found
    of_states = [f"state {k + 1}" for k in range(len(states))]
    factors = [f"factor {k + 1}" for k in range(n_factors)] if clocks else ["learning rate"]
    arguments = ["p", "gradient", *of_states, *factors, *settings]
    _needs(what, read["function"], arguments, len(states) + 1 if states else None)
    return n_factors


def _check_schedule(what: str, states: Sequence[float], settings: list[str], function: Function) -> None:
    """Refuse a schedule whose states and function do not fit together."""
    if len(states) > MOST_SETTINGS or not all(map(math.isfinite, states)):
        raise ComponentError(f"{what}: states: must be at most {MOST_SETTINGS} finite numbers, got {states!r}")
    of_states = [f"state {k + 1}" for k in range(len(states))]
    _needs(what, function, ["t", "steps", *of_states, *settings], len(states) + 1 if states else None)


def _check_measure(what: str, options: Mapping[str, Any], read: Mapping[str, Function]) -> None:
    """Refuse a measure whose functions do not fit together."""
    start, over = options["start"], options["over"]
    if not 1 <= len(start) <= MOST_TOTALS or not all(map(math.isfinite, start)):
        raise ComponentError(f"{what}: start: must be one to {MOST_TOTALS} finite numbers, got {start!r}")
    if over not in OVER:
        raise ComponentError(f"{what}: over: must be one of {', '.join(OVER)}, got {over!r}")
    totals = [f"total {k + 1}" for k in range(len(start))]
    _needs(what, read["function"], [*totals, *OVER[over]], len(start) if len(start) > 1 else None)
    if "finish" in read:
        _needs(what, read["finish"], [*totals, "n"], None)
    elif len(start) > 1:
        raise ComponentError(f"{what}: finish: must be a function of {len(start)} totals and n, got none")


def _needs(what: str, function: Function, arguments: list[str], n_values: int | None) -> None:
    """Refuse a function with other arguments or another number of values; None stands for a value that is no tuple."""
    if function.n_arguments != len(arguments):
        refuse(
            what,
            function.place,
            f"{function.name} must take {', '.join(arguments)}, got {function.n_arguments} arguments",
        )
    found = returned(what, function)
    if found != n_values:
        returns, needed = ("one value" if n is None else f"a tuple of {n}" for n in (found, n_values))
        refuse(what, function.place, f"{function.name} must return {needed}, got {returns}")

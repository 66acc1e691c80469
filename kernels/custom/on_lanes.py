"""Values of a custom component on lanes, to compare them with and without the JIT, and with finite differences."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.components.declarations import LEARNING_RATE, Setting
from kernels.custom.registry import CustomComponent, component_of
from kernels.data.packet import make_load_rows, make_store_rows
from kernels.elementary.formulas import formula
from kernels.lanes.arithmetic import Lanes
from kernels.lanes.lane_rows import Rows, aligned_rows, make_memory
from kernels.numba import jit

Array = NDArray[Any]
Results = dict[str, Array]

# How many numbers each argument has: special ones first, then drawn ones.
N_NUMBERS = 512
_SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-30, -1e-30, 1e30, -1e30, np.inf, -np.inf, np.nan)
_WIDTH = 8  # lanes of the compiled form; no result depends on it
# Distance of arguments in finite differences, and number of updates after a gradient that is not finite.
STEP = 2.0**-20
_UPDATES = 100


def results(component: CustomComponent, dtype: str) -> Results:
    """Return the values of a component's functions for fixed arguments, with or without the JIT, as in this process.

    Parameters
    ----------
    component
    dtype
        Of all numbers.

    Returns
    -------
    dict
        For each function ``"NAME k"`` is its k-th value, (numbers,). For activations and losses ``"differences"``, in
        float64, are the slopes at some places, and the finite differences there, (places, 3): from below and
        from above. For optimizers with ``keeps_infinity``, ``"kept"`` says for some parameters whether it held.
    """
    rng = np.random.default_rng(88)
    declaration = component.declaration
    found: Results = {}
    with np.errstate(all="ignore"):
        for role, arguments in _arguments(component, rng).items():
            values = _apply(component, role, [each.astype(dtype) for each in arguments])
            found |= {f"{role} {k}": value for k, value in enumerate(values)}
        if declaration.kind == "loss":
            y, _, *settings = (each.astype(dtype) for each in _arguments(component, rng)["function"])
            found |= {f"number {k}": value for k, value in enumerate(_apply(component, "number", [y, *settings]))}
        if dtype == "float64" and declaration.kind != "optimizer" and not component.options["surrogate"]:
            found["differences"] = _differences(component, rng)
        if component.options.get("keeps_infinity"):
            found["kept"] = _kept(component, dtype, rng)
    return found


def _arguments(component: CustomComponent, rng: np.random.Generator) -> dict[str, list[Array]]:
    """Return arguments of each function of a component."""
    declaration = component.declaration
    settings = [_values_of(setting, rng) for setting in declaration.settings]
    if declaration.kind == "loss":
        return {"function": [_numbers(rng), rng.permutation(_numbers(rng)), *settings]}
    if declaration.kind == "activation":
        chain = {"chain": [_numbers(rng), rng.permutation(_numbers(rng))]} if "chain" in component.functions else {}
        return {"function": [_numbers(rng), *settings], **chain}
    states = [rng.permutation(_numbers(rng)) for _ in component.options["states"]]
    rate = np.abs(_numbers(rng))
    clocks = [rng.uniform(0, 2, N_NUMBERS) for _ in component.options["clocks"]]
    n_factors = component.options["n_factors"]
    factors = [np.abs(rng.permutation(_numbers(rng))) for _ in range(n_factors)] if clocks else [rate]
    update = [_numbers(rng), rng.permutation(_numbers(rng)), *states, *factors, *settings]
    counting = {"tick": [*clocks, *settings], "factors": [rate, *clocks, *settings]} if clocks else {}
    return {"function": update, **counting}


def _numbers(rng: np.random.Generator) -> Array:
    """Return numbers of many sizes."""
    drawn = rng.normal(size=N_NUMBERS) * np.exp2(rng.integers(-12, 8, N_NUMBERS))
    drawn[: len(_SPECIAL)] = _SPECIAL
    return drawn


def _values_of(setting: Setting, rng: np.random.Generator) -> Array:
    """Return allowed values of a setting, the default first."""
    drawn = setting.default + rng.normal(size=N_NUMBERS) * np.exp2(rng.integers(-6, 2, N_NUMBERS))
    allowed = np.ones(N_NUMBERS, np.bool_)
    allowed &= drawn >= setting.at_least if setting.at_least is not None else True
    allowed &= drawn > setting.above if setting.above is not None else True
    allowed &= drawn < setting.below if setting.below is not None else True
    allowed[: len(_SPECIAL)] = False
    values: Array = np.where(allowed, drawn, setting.default)
    return values


def _apply(component: CustomComponent, role: str, arguments: list[Array]) -> list[Array]:
    """Return the values of one function of a component for arguments of one dtype, each (numbers,)."""
    made = _compiled if jit.ENABLED else _interpreted
    return made(component, role, arguments)


def _function(component: CustomComponent, role: str) -> Callable[..., Any]:
    return component.functions["function" if role == "number" else role]


def _interpreted(component: CustomComponent, role: str, arguments: list[Array]) -> list[Array]:
    function = _function(component, role)
    like = arguments[0]
    passed: list[Any] = list(arguments)
    if role == "number":  # of a loss whose target is one number for all lanes
        passed.insert(1, 0.75)
    values = function(*passed)
    found = list(values) if isinstance(values, tuple) else [values]
    for k, value in enumerate(found):
        if not np.ndim(value):
            raise TypeError(
                f"value {k} of {role} must be lanes, got {value!r}; write constant({value!r}, z) of sweep.lanes"
            )
    return [np.broadcast_to(np.asarray(value), like.shape) for value in found]


def _compiled(component: CustomComponent, role: str, arguments: list[Array]) -> list[Array]:
    dtype = str(arguments[0].dtype)
    n_rows = N_NUMBERS // _WIDTH
    n_arguments = len(arguments)
    n_values = _n_values(component, role) or 1
    inputs, out = (aligned_rows(n * n_rows, _WIDTH, dtype) for n in (n_arguments, n_values))
    for k, values in enumerate(arguments):
        inputs.reshape(n_rows, n_arguments, _WIDTH)[:, k] = values.reshape(n_rows, _WIDTH)
    _kernel(component.declaration.key, role, dtype, n_arguments)(inputs, out, n_rows)
    by_value = out.reshape(n_rows, n_values, _WIDTH)
    return [by_value[:, k].reshape(-1) for k in range(n_values)]


def _n_values(component: CustomComponent, role: str) -> int | None:
    """Return how many values a function returns; None for a value that is no tuple."""
    kind = component.declaration.kind
    options = component.options
    if role in ("tick", "factors"):
        return len(options["clocks"]) if role == "tick" else int(options["n_factors"])
    if kind == "optimizer":
        return len(options["states"]) + 1 if options["states"] else None
    return None if "chain" in component.functions else 2


@lru_cache(16)
def _kernel(key: str, role: str, dtype: str, n_arguments: int) -> Callable[[Array, Array, int], None]:
    """Make the kernel that applies a function to rows of arguments, row by row."""
    component = component_of(key)
    assert component is not None
    memory = make_memory(dtype, _WIDTH)
    called = formula(_function(component, role))
    n_values = _n_values(component, role)
    n_returned = n_values or 1
    is_number = role == "number"
    is_tuple = n_values is not None
    load_some = make_load_rows(memory, tuple(range(min(n_arguments, 5))))
    load_others = make_load_rows(memory, tuple(range(5, n_arguments)))
    rows_of, store = memory.rows_of, memory.store
    store_all = make_store_rows(memory, tuple(range(n_returned)))

    @jit.device
    def with_number(y: Lanes, *settings: Lanes) -> tuple[Lanes, ...]:
        values: tuple[Lanes, ...] = called(y, 0.75, *settings)
        return values

    function = with_number if is_number else called

    @jit.device
    def apply_once(rows: Rows, results: Rows) -> None:
        values = function(*(load_some(rows) + load_others(rows)))
        if is_tuple:
            store_all(results, values)
        else:
            store(results, 0, values)

    @jit.kernel(f"{key} {role} {dtype}", quick=True)
    def apply(inputs: Array, out: Array, n_rows: int) -> None:
        for k in range(n_rows):
            apply_once(rows_of(inputs, k * n_arguments), rows_of(out, k * n_returned))

    return apply


def _differences(component: CustomComponent, rng: np.random.Generator) -> Array:
    """Return slopes at some places, and the finite differences there from below and from above."""
    x = rng.uniform(-4, 4, N_NUMBERS)
    others = [np.full(N_NUMBERS, setting.default) for setting in component.declaration.settings]
    if component.declaration.kind == "loss":
        others = [rng.uniform(-1, 1, N_NUMBERS), *others]
    below, at, above = (_apply(component, "function", [x + shift, *others]) for shift in (-STEP, 0.0, STEP))
    if "chain" in component.functions:
        slope = _apply(component, "chain", [np.ones(N_NUMBERS), at[0]])[0]
    else:
        slope = at[1]
    return np.column_stack([slope, (at[0] - below[0]) / STEP, (above[0] - at[0]) / STEP])


def _kept(component: CustomComponent, dtype: str, rng: np.random.Generator) -> Array:
    """Return for parameters whose first gradient was not finite whether they or their states still are not."""
    sizes = np.exp2(rng.integers(-8, 3, N_NUMBERS))
    settings = [_values_of(setting, rng) for setting in component.declaration.settings]
    rate = sizes * 0.01
    p = rng.normal(size=N_NUMBERS)
    states = [rate if state == LEARNING_RATE else np.full(N_NUMBERS, state) for state in component.options["states"]]
    clocks = [np.full(N_NUMBERS, clock) for clock in component.options["clocks"]]
    not_finite = np.resize([np.inf, -np.inf, np.nan], N_NUMBERS)
    first = int(rng.integers(1, 9))
    ill = np.ones(N_NUMBERS, np.bool_)
    held: list[Array] = [p, *states]
    for update in range(_UPDATES):
        gradient = not_finite if update == first else rng.normal(size=N_NUMBERS) * sizes
        factors = [rate]
        if clocks:
            clocks = _apply(component, "tick", _typed(dtype, *clocks, *settings))
            factors = _apply(component, "factors", _typed(dtype, rate, *clocks, *settings))
        held = _apply(component, "function", _typed(dtype, held[0], gradient, *held[1:], *factors, *settings))
        if update >= first:
            ill &= ~np.isfinite(np.array(held, np.float64)).all(axis=0)
    return ill


def _typed(dtype: str, *arrays: Array) -> list[Array]:
    return [np.asarray(array, dtype) for array in arrays]

"""Apply a function of a custom component to arrays of numbers, compiled or interpreted as this process is."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.custom.registry import CustomComponent, component_of
from kernels.data.packet import make_load_rows, make_store_rows
from kernels.elementary.formulas import formula
from kernels.lanes.arithmetic import Lanes
from kernels.lanes.lane_rows import Rows, aligned_rows, make_memory
from kernels.numba import jit

Array = NDArray[Any]

_WIDTH = 8  # lanes of the compiled form; no result depends on it


def apply(component: CustomComponent, role: str, arguments: list[Array]) -> list[Array]:
    """Return the values of one function of a custom component, for arrays (numbers,) of one dtype."""
    made = _compiled if jit.ENABLED else _interpreted
    return made(component, role, arguments)


def _function(component: CustomComponent, role: str) -> Callable[..., Any]:
    return component.functions["function" if role == "number" else role]


def _interpreted(component: CustomComponent, role: str, arguments: list[Array]) -> list[Array]:
    function, like = _function(component, role), arguments[0]
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
    dtype, n_numbers, n_arguments = str(arguments[0].dtype), len(arguments[0]), len(arguments)
    n_rows, n_values = -(-n_numbers // _WIDTH), _n_values(component, role) or 1
    inputs, out = (aligned_rows(n * n_rows, _WIDTH, dtype) for n in (n_arguments, n_values))
    by_argument = inputs.reshape(n_rows, n_arguments, _WIDTH)
    for k, values in enumerate(arguments):
        by_argument[:, k] = np.resize(values, (n_rows, _WIDTH))
    _kernel(component.declaration.key, role, dtype, n_arguments)(inputs, out, n_rows)
    by_value = out.reshape(n_rows, n_values, _WIDTH)
    return [by_value[:, k].reshape(-1)[:n_numbers] for k in range(n_values)]


def _n_values(component: CustomComponent, role: str) -> int | None:
    """Return how many values a function returns; None for a value that is no tuple."""
    kind, options = component.declaration.kind, component.options
    if kind == "measure":
        n_totals = len(options["start"])
        return n_totals if role == "function" and n_totals > 1 else None
    if role in ("tick", "factors"):
        return len(options["clocks"]) if role == "tick" else int(options["n_factors"])
    if kind in ("optimizer", "schedule"):
        return len(options["states"]) + 1 if options["states"] else None
    return None if "chain" in component.functions else 2


@lru_cache(16)
def _kernel(key: str, role: str, dtype: str, n_arguments: int) -> Callable[[Array, Array, int], None]:
    """Make the kernel that applies a function to rows of arguments, row by row."""
    component = component_of(key)
    assert component is not None
    memory, called = make_memory(dtype, _WIDTH), formula(_function(component, role))
    n_values = _n_values(component, role)
    n_returned, is_number, is_tuple = n_values or 1, role == "number", n_values is not None
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

"""Values of a custom component on lanes, to compare them with and without the JIT, and with finite differences."""

from __future__ import annotations

import numpy as np

from kernels.components.declarations import LEARNING_RATE, Setting
from kernels.custom.apply import Array, apply
from kernels.custom.registry import CustomComponent
from kernels.custom.totals import measured

Results = dict[str, Array]

# How many numbers each argument has: special ones first, then drawn ones.
N_NUMBERS = 512
# How many terms of each network a measure adds up.
N_TERMS = 9
_SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-30, -1e-30, 1e30, -1e30, np.inf, -np.inf, np.nan)
# Distance of arguments in finite differences, and number of updates after a gradient that is not finite.
STEP = 2.0**-20
_UPDATES = 100


def results(component: CustomComponent, dtype: str) -> Results:
    """Return the values of a component's functions for fixed arguments of a dtype, as this process computes them.

    ``"NAME k"`` is the k-th value of a function, (numbers,). For activations and losses ``"differences"`` are, in
    float64, slopes and finite differences from below and from above, (places, 3). For measures ``"value 0"`` is that of
    networks, (networks,). For optimizers ``"kept"`` says for some parameters whether ``keeps_infinity`` held.
    """
    rng = np.random.default_rng(88)
    declaration = component.declaration
    found: Results = {}
    with np.errstate(all="ignore"):
        for role, arguments in _arguments(component, rng).items():
            values = apply(component, role, [each.astype(dtype) for each in arguments])
            found |= {f"{role} {k}": value for k, value in enumerate(values)}
        if declaration.kind == "loss":
            y, _, *settings = (each.astype(dtype) for each in _arguments(component, rng)["function"])
            found |= {f"number {k}": value for k, value in enumerate(apply(component, "number", [y, *settings]))}
        if declaration.kind == "measure":
            drawn = [[rng.permutation(_numbers(rng)) for _ in range(N_TERMS)] for _ in range(2)]
            found["value 0"] = measured(component, [np.column_stack(terms).astype(dtype) for terms in drawn])
        if dtype == "float64" and not component.options.get("surrogate", True):
            found["differences"] = _differences(component, rng)
        if component.options.get("keeps_infinity"):
            found["kept"] = _kept(component, dtype, rng)
    return found


def _arguments(component: CustomComponent, rng: np.random.Generator) -> dict[str, list[Array]]:
    declaration = component.declaration
    settings = [_values_of(setting, rng) for setting in declaration.settings]
    if declaration.kind == "measure":
        totals = [rng.permutation(_numbers(rng)) for _ in component.options["start"]]
        finish = {"finish": [*totals, np.full(N_NUMBERS, 9.0)]} if "finish" in component.functions else {}
        return {"function": [*totals, _numbers(rng), rng.permutation(_numbers(rng))], **finish}
    if declaration.kind == "loss":
        return {"function": [_numbers(rng), rng.permutation(_numbers(rng)), *settings]}
    if declaration.kind == "activation":
        chain = {"chain": [_numbers(rng), rng.permutation(_numbers(rng))]} if "chain" in component.functions else {}
        return {"function": [_numbers(rng), *settings], **chain}
    states = [rng.permutation(_numbers(rng)) for _ in component.options["states"]]
    if declaration.kind == "schedule":
        of_updates = [np.floor(np.exp2(rng.uniform(0, 31, N_NUMBERS))) for _ in range(2)]
        return {"function": [*of_updates, *states, *settings]}
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


def _differences(component: CustomComponent, rng: np.random.Generator) -> Array:
    """Return slopes at some places, and the finite differences there from below and from above."""
    x = rng.uniform(-4, 4, N_NUMBERS)
    others = [np.full(N_NUMBERS, setting.default) for setting in component.declaration.settings]
    if component.declaration.kind == "loss":
        others = [rng.uniform(-1, 1, N_NUMBERS), *others]
    below, at, above = (apply(component, "function", [x + shift, *others]) for shift in (-STEP, 0.0, STEP))
    if "chain" in component.functions:
        slope = apply(component, "chain", [np.ones(N_NUMBERS), at[0]])[0]
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
            clocks = apply(component, "tick", _typed(dtype, *clocks, *settings))
            factors = apply(component, "factors", _typed(dtype, rate, *clocks, *settings))
        held = apply(component, "function", _typed(dtype, held[0], gradient, *held[1:], *factors, *settings))
        if update >= first:
            ill &= ~np.isfinite(np.array(held, np.float64)).all(axis=0)
    return ill


def _typed(dtype: str, *arrays: Array) -> list[Array]:
    return [np.asarray(array, dtype) for array in arrays]

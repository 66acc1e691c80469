"""The learning rates of the next update, where a schedule or a warm-up changes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernels.components.inlined import schedule
from kernels.data.control_layout import OUTPUT_RATE, RATE, make_control_layout
from kernels.data.packet import Packet, make_load_rows
from kernels.lanes.arithmetic import Lanes, Mask, select
from kernels.lanes.lane_rows import Memory, make_memory
from kernels.lanes.operations import narrow, widen
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.vocabulary import SCHEDULES

# Rows of float64 of each packet: the updates taken, the most that a run takes, and then the states of the schedule.
TAKEN, MOST, FIRST_STATE = range(3)


@made_once
def make_set_rates(recipe: Recipe, memory: Memory) -> Callable[[Packet], None]:
    """Make the function that counts an update and computes its learning rates: ``(packet)``.

    It does nothing where the rates are constant.
    """
    layout = make_control_layout(recipe)
    component = schedule(recipe.schedule)
    is_wide = recipe.dtype == "float64"
    load, store = memory.load, memory.store
    double = make_memory("float64", memory.width)
    load_double, store_double, fill_double = double.load, double.store, double.fill
    load_settings = make_load_rows(memory, layout.rows(component.settings))
    load_states = make_load_rows(double, tuple(range(FIRST_STATE, FIRST_STATE + len(component.states))))
    hidden, output = layout.rates
    warms_up, warmup = "warmup" in recipe.used, layout.settings.get("warmup", 0)
    n_states = len(component.states)

    @device
    def as_double(value: Lanes) -> Lanes:
        return value if is_wide else widen(value)

    def make_widened(n: int) -> Callable[[tuple[Lanes, ...]], tuple[Lanes, ...]]:
        """Make the function that returns the first n settings in float64."""
        first: Any = make_widened(n - 1) if n else None
        last = n - 1

        @device
        def none(settings: tuple[Lanes, ...]) -> tuple[Lanes, ...]:
            return ()

        @device
        def widened(settings: tuple[Lanes, ...]) -> tuple[Lanes, ...]:
            before: tuple[Lanes, ...] = first(settings)
            return before + (as_double(settings[last]),)  # noqa: RUF005 - which Numba cannot compile

        return widened if n else none

    widened = make_widened(len(component.settings))
    advance: Any = component.advance

    # Each function returns the factor of update t, without warmup.
    def constant_factor(packet: Packet, t: Lanes) -> Lanes:
        return fill_double(1.0)

    def factor_alone(packet: Packet, t: Lanes) -> Lanes:
        settings = widened(load_settings(packet.control))
        factor: Lanes = advance(t, load_double(packet.doubles, MOST), *settings)
        return factor

    def factor_and_states(packet: Packet, t: Lanes) -> Lanes:
        settings = widened(load_settings(packet.control))
        found = advance(t, load_double(packet.doubles, MOST), *(load_states(packet.doubles) + settings))
        for k in range(n_states):
            store_double(packet.doubles, FIRST_STATE + k, found[k + 1])
        factor: Lanes = found[0]
        return factor

    factors = constant_factor, factor_alone, factor_and_states
    factor_of = device(factors[0 if advance is None else 1 + bool(n_states)])

    @device
    def set_rates(packet: Packet) -> None:
        control = packet.control
        t = load_double(packet.doubles, TAKEN) + 1.0
        store_double(packet.doubles, TAKEN, t)
        factor = factor_of(packet, t)
        if warms_up:
            grown = t / as_double(load(control, warmup))
            factor = factor * select(grown < 1.0, grown, 1.0)
        rounded = factor if is_wide else narrow(factor)
        store(control, hidden, load(control, RATE) * rounded)
        store(control, output, load(control, OUTPUT_RATE) * rounded)

    @device
    def keep_rates(packet: Packet) -> None:
        pass

    return set_rates if recipe.is_scheduled else keep_rates


@made_once
def make_rates_rest(recipe: Recipe, memory: Memory) -> Callable[[Packet], Mask]:
    """Make the test in which lanes the learning rates no longer change: ``(packet)``."""
    load = memory.load
    fill = memory.fill
    is_wide = recipe.dtype == "float64"
    load_double = make_memory("float64", memory.width).load
    is_constant = SCHEDULES[recipe.schedule].advance is None
    warmup = make_control_layout(recipe).settings.get("warmup", 0)

    @device
    def from_the_start(packet: Packet) -> Mask:
        return fill(0.0) == fill(0.0)

    @device
    def never(packet: Packet) -> Mask:
        return fill(0.0) != fill(0.0)

    @device
    def after_warmup(packet: Packet) -> Mask:
        updates = load(packet.control, warmup)
        return load_double(packet.doubles, TAKEN) >= (updates if is_wide else widen(updates))

    if not is_constant:
        return never
    return after_warmup if recipe.is_scheduled else from_the_start


@made_once
def make_keep_taken(
    recipe: Recipe, memory: Memory
) -> tuple[Callable[[Packet], Lanes], Callable[[Packet, Lanes], None]]:
    """Make the functions that read the number of updates taken, ``(packet)``, and set it, ``(packet, number)``.

    They serve updates that are only tried, which happens where the rates no longer change.
    """
    double = make_memory("float64", memory.width)
    load_double, store_double, fill_double = double.load, double.store, double.fill
    is_scheduled = recipe.is_scheduled

    @device
    def taken(packet: Packet) -> Lanes:
        return load_double(packet.doubles, TAKEN) if is_scheduled else fill_double(0.0)

    @device
    def set_taken(packet: Packet, number: Lanes) -> None:
        if is_scheduled:
            store_double(packet.doubles, TAKEN, number)

    return taken, set_taken

"""Outputs from sums over hidden units, and activations of units and outputs."""

from __future__ import annotations

from collections.abc import Callable

from kernels.components.declarations import Activation
from kernels.components.inlined import activation
from kernels.data.control_layout import OUTPUT_SCALE, make_control_layout
from kernels.data.packet import Packet, make_load_rows, make_n_joined, numbering
from kernels.data.patterns import Patterns, PatternSource
from kernels.lanes.arithmetic import Lanes
from kernels.lanes.lane_rows import Memory, Rows
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.variant import Variant
from kernels.vocabulary import LOSSES, OVER_OUTPUTS


@made_once
def make_finish_outputs(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, n_patterns: int, slopes: bool
) -> Callable[[Patterns, Packet, int], None]:
    """Make the part of the forward pass that replaces sums over hidden units by outputs, in ``packet.outputs``.

    Arguments are those of :func:`kernels.step.forward.make_forward`.
    """
    architecture = recipe.architecture
    n_inputs, n_outputs = architecture.inputs, architecture.outputs
    bias, skip = architecture.bias, architecture.skip
    number = numbering(architecture, variant.hidden)
    n_joined = make_n_joined(architecture)
    scales = variant.scales_outputs
    keeps_totals = recipe.keeps_totals
    activate = make_output_activation(recipe, variant, memory, n_patterns, slopes)
    load, store, fill = memory.load, memory.store, memory.fill

    @device
    def finish_outputs(patterns: Patterns, packet: Packet, n0: int) -> None:
        parameters, control, outputs = packet.parameters, packet.control, packet.outputs
        for o in range(n_outputs):
            for p in range(n_patterns):
                k = (n0 + p) * n_outputs + o
                u = load(outputs, k)
                if scales:
                    u = u * load(control, OUTPUT_SCALE)
                if skip:
                    direct = fill(-0.0)
                    for i in range(n_inputs):
                        if source.used(n0 + p, i):
                            weight = load(parameters, number.k(packet, i, o))
                            direct = direct + source.input(patterns, packet, n0 + p, i) * weight
                    for j in range(n_joined(packet)):
                        weight = load(parameters, number.k(packet, n_inputs + j, o))
                        direct = direct + load(packet.hidden, j * n_patterns + p) * weight
                    u = u + direct
                if bias:
                    u = u + load(parameters, number.c(packet, o))
                if keeps_totals:
                    store(packet.totals, k, u)
                store(outputs, k, u)
        activate(packet, n0 * n_outputs)

    return finish_outputs


@made_once
def make_output_activation(
    recipe: Recipe, variant: Variant, memory: Memory, n_patterns: int, slopes: bool
) -> Callable[[Packet, int], None]:
    """Make the function that replaces sums u by outputs y.

    ``(packet, first) -> None``: from row ``first`` on of ``packet.outputs``.
    """
    name, n_outputs = recipe.architecture.output, recipe.architecture.outputs
    if name in OVER_OUTPUTS:
        return _make_over_outputs(recipe, variant, memory, n_patterns, slopes)
    function = activation(name)
    count = n_patterns * n_outputs
    load_settings = make_load_rows(memory, make_control_layout(recipe).rows(function.settings))
    activate = make_activate(function, variant, memory, count, slopes and LOSSES[recipe.loss].output is None)

    @device
    def activate_all(packet: Packet, first: int) -> None:
        activate(packet.outputs, packet.output_slopes, first, load_settings(packet.control))

    return activate_all


def _make_over_outputs(
    recipe: Recipe, variant: Variant, memory: Memory, n_patterns: int, slopes: bool
) -> Callable[[Packet, int], None]:
    """Make the function of :func:`make_output_activation` for a component over all outputs of a pattern."""
    component = OVER_OUTPUTS[recipe.architecture.output]
    n_outputs = recipe.architecture.outputs
    count = n_patterns * n_outputs
    # by a loss, which reads logarithms
    is_evaluated = variant.n_windows == 1 or not slopes or recipe.keeps_running_loss
    shift, share = (device(make(memory.load, memory.store, n_outputs)) for make in (component.shift, component.share))
    power, logarithm = (Activation(device(each), elementary=True) for each in (component.power, component.logarithm))
    powers = make_activate(power, variant, memory, count, False)
    logarithms = make_activate(logarithm, variant, memory, n_patterns, False)
    load = memory.load
    store = memory.store
    make_sums = memory.stack(n_patterns)

    @device
    def over_outputs(packet: Packet, first: int) -> None:
        outputs = packet.outputs
        totals = packet.totals
        sums = make_sums()
        for p in range(n_patterns):
            shift(outputs, first + p * n_outputs)
        if is_evaluated:
            for k in range(count):
                store(totals, first + k, load(outputs, first + k))
        powers(outputs, outputs, first, ())
        for p in range(n_patterns):
            store(sums, p, share(outputs, first + p * n_outputs))
        if is_evaluated:
            logarithms(sums, sums, 0, ())
            for p in range(n_patterns):
                for o in range(n_outputs):
                    k = first + p * n_outputs + o
                    store(totals, k, load(sums, p) - load(totals, k))

    return over_outputs


@made_once
def make_activate(
    function: Activation, variant: Variant, memory: Memory, count: int, slopes: bool
) -> Callable[[Rows, Rows, int, tuple[Lanes, ...]], None]:
    """Make the function that applies an activation, with inlined functions, in place.

    ``(rows, slope_rows, first, settings)``: replaces ``count`` rows from row ``first`` on, and with ``slopes`` writes
    derivatives that cannot be computed from the activation to the same rows of ``slope_rows``.

    An elementary function is a chain of some 30 operations, each of which waits for the one before. A CPU does not look
    far enough ahead to find the next chain, so several rows go through it side by side.
    """
    value, value_and_slope = function.value, function.value_and_slope
    n_together = (
        min(variant.function_rows, _power_of_two(count)) if function.elementary and not function.settings else 1
    )
    load, store = memory.group(n_together) if n_together > 1 else (memory.load, memory.store)
    whole = count - count % n_together
    load_one, store_one = memory.load, memory.store

    if slopes and value_and_slope is not None:

        @device
        def activate_with_slopes(rows: Rows, slope_rows: Rows, first: int, settings: tuple[Lanes, ...]) -> None:
            for k in range(0, whole, n_together):
                a, slope = value_and_slope(load(rows, first + k), *settings)
                store(rows, first + k, a)
                store(slope_rows, first + k, slope)
            for k in range(whole, count):
                a, slope = value_and_slope(load_one(rows, first + k), *settings)
                store_one(rows, first + k, a)
                store_one(slope_rows, first + k, slope)

        return activate_with_slopes

    @device
    def activate(rows: Rows, slope_rows: Rows, first: int, settings: tuple[Lanes, ...]) -> None:
        for k in range(0, whole, n_together):
            store(rows, first + k, value(load(rows, first + k), *settings))
        for k in range(whole, count):
            store_one(rows, first + k, value(load_one(rows, first + k), *settings))

    return activate


def _power_of_two(count: int) -> int:
    """Return the largest power of two that is not above ``count``."""
    return 1 << count.bit_length() - 1

"""The forward pass of one block of patterns."""

from __future__ import annotations

from collections.abc import Callable

from kernels.components.declarations import Activation
from kernels.components.inlined import activation, integer_activation
from kernels.data.control_layout import HIDDEN_SCALE, make_control_layout
from kernels.data.packet import Packet, make_load_rows, unit_numbering
from kernels.data.patterns import Patterns, PatternSource
from kernels.lanes.lane_rows import Memory, Rows
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.step.deep import make_deep_forward
from kernels.step.output_layer import make_activate, make_finish_outputs
from kernels.variant import Variant


@made_once
def make_forward(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, n_patterns: int, slopes: bool
) -> Callable[[Patterns, Packet, int], None]:
    """Make the forward pass of a block of patterns.

    ``(patterns, packet, n0)``: reads the parameters. Writes outputs and activations of patterns n0 to n0 + n_patterns -
    1, and with ``slopes``, where the backward pass follows, the derivatives that cannot be computed from the
    activations.
    """
    if recipe.architecture.deep:
        return make_deep_forward(recipe, variant, memory, source, n_patterns, slopes)
    n_outputs = recipe.architecture.outputs
    number = unit_numbering(recipe.architecture, variant.hidden)
    forward_unit = make_forward_unit(recipe, variant, memory, source, n_patterns, slopes)
    finish_outputs = make_finish_outputs(recipe, variant, memory, source, n_patterns, slopes)
    load, store = memory.load, memory.store
    n_sums = n_patterns * n_outputs
    make_sums = memory.stack(n_sums)

    @device
    def add_units(patterns: Patterns, packet: Packet, n0: int, sums: Rows, first: int) -> None:
        for k in range(n_sums):
            store(sums, first + k, -0.0)
        for h in range(number.n_hidden(packet)):
            forward_unit(patterns, packet, n0, h, sums, first)

    @device
    def forward(patterns: Patterns, packet: Packet, n0: int) -> None:
        if slopes:
            add_units(patterns, packet, n0, packet.outputs, n0 * n_outputs)
        else:  # sums in registers: LLVM would load and store those in memory with each unit
            sums = make_sums()
            add_units(patterns, packet, n0, sums, 0)
            for k in range(n_sums):
                store(packet.outputs, n0 * n_outputs + k, load(sums, k))
        finish_outputs(patterns, packet, n0)

    return forward


@made_once
def make_forward_unit(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, n_patterns: int, slopes: bool
) -> Callable[[Patterns, Packet, int, int, Rows, int], None]:
    """Make the forward pass of one hidden unit. Constant inputs of 0 are left out, and those of 1 need no product.

    ``(patterns, packet, n0, h, outputs, first)``: adds the products of unit h with the output weights to ``outputs``,
    from row ``first`` on. With ``slopes`` it writes the activations, which the backward pass reads. A sum that starts
    at -0 equals the sum that starts at its first term, since -0 + x is x for every x, and LLVM knows it. It also knows
    that the sums need not be stored before the activation replaces them, if no parameter is loaded in between.
    """
    architecture = recipe.architecture
    n_inputs, n_outputs, bias = architecture.inputs, architecture.outputs, architecture.bias
    number = unit_numbering(architecture, variant.hidden)
    scales = variant.scales_hidden
    function = hidden_activation(recipe, variant)
    activate = make_activate(function, variant, memory, n_patterns, slopes)
    load_settings = make_load_rows(memory, make_control_layout(recipe).rows(function.settings))
    load, store = memory.load, memory.store
    sums = memory.stack(n_patterns)

    @device
    def forward_unit(patterns: Patterns, packet: Packet, n0: int, h: int, outputs: Rows, first: int) -> None:
        parameters = packet.parameters
        control = packet.control
        z = sums()
        for p in range(n_patterns):
            store(z, p, -0.0)
        for i in range(n_inputs):
            weight = load(parameters, number.w(h, i))
            for p in range(n_patterns):
                if source.used(n0 + p, i):
                    store(z, p, load(z, p) + source.input(patterns, packet, n0 + p, i) * weight)
        for p in range(n_patterns):
            total = load(z, p)
            if scales:
                total = total * load(control, HIDDEN_SCALE)
            if bias:
                total = total + load(parameters, number.b(h))
            store(z, p, total)
        hidden, first_of_unit = z, 0
        if slopes:
            hidden, first_of_unit = packet.hidden, h * n_patterns
            for p in range(n_patterns):
                store(hidden, first_of_unit + p, load(z, p))
        activate(hidden, packet.hidden_slopes, first_of_unit, load_settings(control))
        for o in range(n_outputs):
            weight = load(parameters, number.v(h, o))
            for p in range(n_patterns):
                k = first + p * n_outputs + o
                store(outputs, k, load(outputs, k) + load(hidden, first_of_unit + p) * weight)

    return forward_unit


def hidden_activation(recipe: Recipe, variant: Variant) -> Activation:
    """Return the activation of the hidden units in the form that the variant uses."""
    if variant.integers:
        return integer_activation(recipe.architecture.activation, recipe.dtype)
    return activation(recipe.architecture.activation)

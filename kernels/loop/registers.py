"""Which rows of packets are in registers while they take turns."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple, TypeAlias

from kernels.recipe import Recipe
from kernels.simd.jit import device
from kernels.simd.lanes import Memory, Rows
from kernels.step.layout import Workspace, make_in_memory, make_layout
from kernels.step.packet import Packet
from kernels.variant import Variant
from kernels.words.activations import activation
from kernels.words.optimizers import optimizer

PacketOf: TypeAlias = Callable[[tuple[Workspace, ...], Rows], Packet]
Carry: TypeAlias = Callable[[tuple[Workspace, ...], Rows], None]


class PacketPlaces(NamedTuple):
    """How packets are found.

    Attributes
    ----------
    registers : () -> rows
        Rows of the stack frame, which LLVM keeps in registers where every index is a constant.
    packets
        For each packet a function ``(workspaces, registers)``.
    carry_in, carry_out : (workspaces, registers)
        Copy what a turn needs of the one before into registers, or back.
    """

    registers: Callable[[], Rows]
    packets: tuple[PacketOf, ...]
    carry_in: Carry
    carry_out: Carry


@cache
def make_packet_places(recipe: Recipe, variant: Variant, memory: Memory) -> PacketPlaces:
    """Choose which rows are in registers.

    Where patterns are constants, it is what passes leave each other; where the loop over units is unrolled, also
    the networks themselves.
    """
    rows_of, load, store = memory.rows_of, memory.load, memory.store
    in_memory, layout, n_packets = (
        make_in_memory(recipe, variant, memory),
        make_layout(recipe, variant),
        variant.packets,
    )
    constant, unrolls = variant.table is not None, variant.hidden is not None
    n_signals = layout.visits - layout.totals
    n_hidden, n_held = variant.hidden or 0, 0
    if variant.hidden is not None:
        n_states = len(optimizer(recipe.optimizer, memory).states)
        n_held = recipe.architecture.n_parameters(n_hidden) * (1 + n_states)
    n_activations = variant.n_patterns * n_hidden
    slopes = activation(recipe.architecture.activation, recipe.dtype).value_and_slope is not None
    first_slope = n_activations if slopes else 0
    n_each = 2 + n_signals + n_held + n_activations + first_slope
    outputs, output_slopes = layout.outputs - layout.totals, layout.output_slopes - layout.totals
    gradients = layout.gradients - layout.totals

    def make_packet_of(k: int) -> PacketOf:
        previous, totals = k * n_each, k * n_each + 2
        held = totals + n_signals
        hidden = held + n_held

        @device
        def packet_of(workspaces: tuple[Workspace, ...], registers: Rows) -> Packet:
            home = in_memory(workspaces[k])
            if not constant:
                return home
            return Packet(
                rows_of(registers, held) if unrolls else home.parameters,
                home.control,
                home.sums,
                rows_of(registers, totals),
                rows_of(registers, totals + outputs),
                rows_of(registers, totals + output_slopes),
                rows_of(registers, totals + gradients),
                rows_of(registers, hidden) if unrolls else home.hidden,
                rows_of(registers, hidden + first_slope) if unrolls else home.hidden_slopes,
                rows_of(registers, previous),
                rows_of(registers, previous + 1),
                home.visits,
                home.kept,
            )

        return packet_of

    def make_carry(k: int, inwards: bool) -> Carry:
        packet_of = packets[k]

        @device
        def carry(workspaces: tuple[Workspace, ...], registers: Rows) -> None:
            home, packet = in_memory(workspaces[k]), packet_of(workspaces, registers)
            source, target = (home, packet) if inwards else (packet, home)
            for row in range(n_held):
                store(target.parameters, row, load(source.parameters, row))
            store(target.previous, 0, load(source.previous, 0))

        if k == 0:
            return carry
        carry_others = make_carry(k - 1, inwards)

        @device
        def carry_all(workspaces: tuple[Workspace, ...], registers: Rows) -> None:
            carry_others(workspaces, registers)
            carry(workspaces, registers)

        return carry_all

    packets = tuple(map(make_packet_of, range(n_packets)))
    carry_in, carry_out = (make_carry(n_packets - 1, inwards) for inwards in (True, False))
    return PacketPlaces(memory.stack(n_packets * n_each), packets, carry_in, carry_out)

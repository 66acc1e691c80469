"""Which rows of packets the inner loop keeps in registers."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from kernels.data.packet import Packet
from kernels.lanes.lane_rows import Memory, Rows
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.step.layout import Workspace, make_in_memory, make_layout
from kernels.variant import Variant
from kernels.vocabulary import ACTIVATIONS, OPTIMIZERS

PacketOf: TypeAlias = Callable[[tuple[Workspace, ...], Rows], Packet]
Carry: TypeAlias = Callable[[tuple[Workspace, ...], Rows], None]


class PacketPlaces(NamedTuple):
    """Where the inner loop finds packets."""

    # () -> rows: makes rows in the stack frame, which LLVM keeps in registers where every index is a constant
    registers: Callable[[], Rows]
    packets: tuple[PacketOf, ...]  # a function for each packet
    # (workspaces, registers): copy what one turn leaves for the next from memory into registers, and back
    carry_in: Carry
    carry_out: Carry


class RegisterLayout(NamedTuple):
    """The first register of each kind among those of one packet."""

    # As in :class:`kernels.data.packet.Packet`
    previous: int
    latest: int
    totals: int
    outputs: int
    output_slopes: int
    gradients: int
    parameters: int
    hidden: int
    hidden_slopes: int
    n_held: int  # rows of parameters and states, 0 where they are in memory
    n_rows: int  # registers of a packet


def make_register_layout(recipe: Recipe, variant: Variant, memory: Memory) -> RegisterLayout:
    """Lay out the registers of one packet."""
    layout = make_layout(recipe, variant)
    n_hidden = variant.hidden or 0
    n_held = 0
    if variant.hidden is not None:
        n_states = len(OPTIMIZERS[recipe.optimizer].states)
        n_held = recipe.architecture.n_parameters(n_hidden) * (1 + n_states)
    totals = 2
    shift = totals - layout.totals  # from totals to gradients all lies as in memory
    parameters = layout.own + shift
    hidden = parameters + n_held
    n_activations = variant.n_patterns * n_hidden
    keeps_slopes = ACTIVATIONS[recipe.architecture.activation].value_and_slope is not None
    slopes = hidden + (n_activations if keeps_slopes else 0)
    return RegisterLayout(
        previous=0,
        latest=1,
        totals=totals,
        outputs=layout.outputs + shift,
        output_slopes=layout.output_slopes + shift,
        gradients=layout.gradients + shift,
        parameters=parameters,
        hidden=hidden,
        hidden_slopes=slopes,
        n_held=n_held,
        n_rows=slopes + n_activations,
    )


@made_once
def make_packet_places(recipe: Recipe, variant: Variant, memory: Memory) -> PacketPlaces:
    """Choose which rows are in registers.

    Where patterns are constants, these are the rows that one pass writes for the next; where the loop over units is
    unrolled, also parameters, optimizer states and activations.
    """
    layout = make_register_layout(recipe, variant, memory)
    n_packets = variant.packets
    packets = tuple(_make_packet_of(recipe, variant, memory, layout, k) for k in range(n_packets))
    in_memory = make_in_memory(recipe, variant, memory)
    carry_in, carry_out = (_make_carry(memory, layout, in_memory, packets, inward) for inward in (True, False))
    return PacketPlaces(memory.stack(n_packets * layout.n_rows), packets, carry_in, carry_out)


def _make_packet_of(recipe: Recipe, variant: Variant, memory: Memory, layout: RegisterLayout, number: int) -> PacketOf:
    """Make the function ``(workspaces, registers)`` that views the packet with a number."""
    constant = variant.table is not None
    unrolls = variant.hidden is not None
    fixed = variant.hidden
    in_memory = make_in_memory(recipe, variant, memory)
    rows_of = memory.rows_of
    first = number * layout.n_rows
    previous, latest, totals, outputs, output_slopes, gradients, parameters, hidden, hidden_slopes = (
        first + row for row in layout[:9]
    )

    @device
    def packet_of(workspaces: tuple[Workspace, ...], registers: Rows) -> Packet:
        home = in_memory(workspaces[number])
        if not constant:
            return home
        return Packet(
            home.sizes if fixed is None else fixed,
            rows_of(registers, parameters) if unrolls else home.parameters,
            home.control,
            home.sums,
            rows_of(registers, totals),
            rows_of(registers, outputs),
            rows_of(registers, output_slopes),
            rows_of(registers, gradients),
            rows_of(registers, hidden) if unrolls else home.hidden,
            rows_of(registers, hidden_slopes) if unrolls else home.hidden_slopes,
            rows_of(registers, previous),
            rows_of(registers, latest),
            home.own,
            home.shuffled,
            home.doubles,
            home.kept,
        )

    return packet_of


def _make_carry(
    memory: Memory,
    layout: RegisterLayout,
    in_memory: Callable[[Workspace], Packet],
    packets: tuple[PacketOf, ...],
    inward: bool,
) -> Carry:
    """Make the function that copies what packets hold from turn to turn into registers or back, in their order."""
    load = memory.load
    store = memory.store
    n_held = layout.n_held
    number = len(packets) - 1
    packet_of = packets[-1]

    @device
    def carry(workspaces: tuple[Workspace, ...], registers: Rows) -> None:
        home = in_memory(workspaces[number])
        packet = packet_of(workspaces, registers)
        source, target = (home, packet) if inward else (packet, home)
        for row in range(n_held):
            store(target.parameters, row, load(source.parameters, row))
        store(target.previous, 0, load(source.previous, 0))

    if number == 0:
        return carry
    carry_others = _make_carry(memory, layout, in_memory, packets[:-1], inward)

    @device
    def carry_all(workspaces: tuple[Workspace, ...], registers: Rows) -> None:
        carry_others(workspaces, registers)
        carry(workspaces, registers)

    return carry_all

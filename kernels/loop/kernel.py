"""The kernel: packets take turns, half a step each, until a run of one of them may end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from kernels.data.packet import Packet
from kernels.data.patterns import Patterns
from kernels.lanes.arithmetic import Mask
from kernels.lanes.lane_rows import Memory, Rows, make_memory
from kernels.lanes.operations import align_frame, any_lane
from kernels.loop.end_runs import make_end_runs
from kernels.loop.evaluation import make_watch
from kernels.loop.held_out import make_skip, make_validate
from kernels.loop.lane_assignment import DEADLINE, OCCUPIED, TURN, some_wait
from kernels.loop.loss_sums import make_add_loss
from kernels.loop.registers import PacketOf, make_packet_places
from kernels.loop.run_arrays import Runs
from kernels.loop.shuffled_patterns import make_shuffle
from kernels.numba import jit
from kernels.numba.jit import device, made_once
from kernels.numba.machine_code import Kernel
from kernels.recipe import Recipe
from kernels.step.interface import make_step
from kernels.step.layout import Workspace, make_in_memory
from kernels.variant import Variant

MAX_STEPS = 2**31 - 1

# (patterns, workspaces, registers)
TurnPart: TypeAlias = Callable[[Patterns, tuple[Workspace, ...], Rows], None]


def make_kernel(recipe: Recipe, variant: Variant) -> Kernel:
    """Make the training loop of a recipe.

    ``(patterns, runs, workspaces, most_turns) -> int``: trains runs until all have ended or ``most_turns`` turns are
    taken. Called again, it continues. Returns the turns of all packets in all calls.

    All packets go forward, then all go back. Data that one pass leaves for the next is in registers where the loop
    over units is unrolled. A packet is evaluated right before it goes back, so that registers hold
    one loss at a time, and the last to go forward is the first. The innermost loop ends where a packet has a turn with
    validation before or behind it, so other turns have no code for validation in their loop.
    """
    memory = make_memory(recipe.dtype, variant.width)
    n_packets = variant.packets
    shuffles = variant.shuffles(recipe)
    end_runs = make_end_runs(recipe, variant, memory)
    shuffle = make_shuffle(recipe, variant)
    places = make_packet_places(recipe, variant, memory)
    predict_all = make_predict_all(recipe, variant, memory, places.packets)
    advance_all = make_advance_all(recipe, variant, memory, places.packets)
    some_may_end = make_some_may_end(recipe, variant, memory, places.packets)
    first_that_ends = make_first_that_ends(recipe, variant, memory, places.packets)
    add_losses = make_add_losses(recipe, memory, places.packets)
    adds_losses = bool(recipe.loss_sums)
    holds_out = recipe.holds_out
    validate_all = make_validate_all(recipe, variant, memory, places.packets)
    registers_of, carry_in, carry_out = places.registers, places.carry_in, places.carry_out

    @jit.kernel(repr((recipe, variant)), quick=variant.quick)
    def train(patterns: Patterns, runs: Runs, workspaces: tuple[Workspace, ...], most_turns: int) -> int:
        align_frame()
        registers = registers_of()
        turns_taken, busy = 0, True
        while busy and most_turns > 0:
            turns = MAX_STEPS if most_turns > MAX_STEPS else most_turns
            for k in range(n_packets):
                to_deadline = workspaces[k].clock[DEADLINE] - workspaces[k].clock[TURN]
                turns = to_deadline if to_deadline < turns else turns
            carry_in(workspaces, registers)
            turn = 0
            first_end = n_packets
            while turn < turns and first_end == n_packets:
                stop = turns
                if holds_out:
                    ahead = validate_all(patterns, runs, workspaces, registers, turn)
                    stop = turn + ahead if turn + ahead < turns else turns
                while turn < stop:
                    predict_all(patterns, workspaces, registers)
                    if any_lane(some_may_end(patterns, workspaces, registers)):
                        first_end = first_that_ends(patterns, workspaces, registers)
                        if first_end < n_packets:
                            break
                    if shuffles:
                        shuffle(patterns, runs, workspaces[0], workspaces[0].clock[TURN] + turn)
                    if adds_losses:
                        add_losses(workspaces, registers, turn)
                    advance_all(patterns, workspaces, registers)
                    turn += 1
            carry_out(workspaces, registers)
            turns_taken, busy = 0, False
            for k in range(n_packets):
                clock = workspaces[k].clock
                clock[TURN] += turn
                if k == first_end or clock[TURN] == clock[DEADLINE]:  # as it is before the first turn
                    end_runs(patterns, runs, workspaces[k])
                turns_taken += clock[TURN]
                busy = busy or clock[OCCUPIED] > 0
            busy = busy or some_wait(runs)
            most_turns -= turn + 1
        return turns_taken

    return train


def _do_for_each(part: Callable[[Patterns, Packet], None], packets: tuple[PacketOf, ...]) -> TurnPart:
    """Make a function that does a part of a turn for each packet, in their order.

    Functions that call each other in a row take the place of a loop, which LLVM would not unroll.
    """
    packet_of = packets[0]

    @device
    def do_for_first(patterns: Patterns, workspaces: tuple[Workspace, ...], registers: Rows) -> None:
        part(patterns, packet_of(workspaces, registers))

    if len(packets) == 1:
        return do_for_first
    do_for_others = _do_for_each(part, packets[1:])

    @device
    def do_for_all(patterns: Patterns, workspaces: tuple[Workspace, ...], registers: Rows) -> None:
        do_for_first(patterns, workspaces, registers)
        do_for_others(patterns, workspaces, registers)

    return do_for_all


def make_predict_all(recipe: Recipe, variant: Variant, memory: Memory, packets: tuple[PacketOf, ...]) -> TurnPart:
    """Make the first half of a turn: the forward pass of each packet, the last one first."""
    return _do_for_each(make_step(recipe, variant, memory).predict, packets[::-1])


def make_advance_all(recipe: Recipe, variant: Variant, memory: Memory, packets: tuple[PacketOf, ...]) -> TurnPart:
    """Make the second half of a turn: each packet, the first one first, takes its step or epoch."""
    advance = make_step(recipe, variant, memory).advance
    keep_loss = make_watch(recipe, variant, memory).keep_loss

    @device
    def keep_and_advance(patterns: Patterns, packet: Packet) -> None:
        keep_loss(packet)
        advance(patterns, packet)

    return _do_for_each(keep_and_advance, packets)


@made_once
def make_add_losses(
    recipe: Recipe, memory: Memory, packets: tuple[PacketOf, ...]
) -> Callable[[tuple[Workspace, ...], Rows, int], None]:
    """Make the function that adds the losses of a turn to the sums of each packet.

    ``(workspaces, registers, turn) -> None``: the turn is counted from the clock of each packet.
    """
    add_loss = make_add_loss(recipe, memory)
    load = memory.load
    packet_of = packets[-1]
    number = len(packets) - 1

    @device
    def add_last(workspaces: tuple[Workspace, ...], registers: Rows, turn: int) -> None:
        packet = packet_of(workspaces, registers)
        add_loss(packet, load(packet.latest, 0), workspaces[number].clock[TURN] + turn)

    if number == 0:
        return add_last
    add_others = make_add_losses(recipe, memory, packets[:-1])

    @device
    def add_all(workspaces: tuple[Workspace, ...], registers: Rows, turn: int) -> None:
        add_others(workspaces, registers, turn)
        add_last(workspaces, registers, turn)

    return add_all


@made_once
def make_validate_all(
    recipe: Recipe, variant: Variant, memory: Memory, packets: tuple[PacketOf, ...]
) -> Callable[[Patterns, Runs, tuple[Workspace, ...], Rows, int], int]:
    """Make the function that evaluates held-out patterns, for each packet in its own turns.

    ``(patterns, runs, workspaces, registers, turn) -> int``: how many turns later it must be called again. The turn is
    counted from the clock of each packet.
    """
    validate = make_validate(recipe, variant, memory)
    skip = make_skip(recipe, variant, memory)
    in_memory = make_in_memory(recipe, variant, memory)
    load, store = memory.load, memory.store
    packet_of = packets[-1]
    number = len(packets) - 1
    n_held = recipe.architecture.n_parameters(variant.hidden) if variant.hidden is not None else 0

    @device
    def validate_last(
        patterns: Patterns, runs: Runs, workspaces: tuple[Workspace, ...], registers: Rows, turn: int
    ) -> int:
        workspace = workspaces[number]
        now = workspace.clock[TURN] + turn
        since: int = now % runs.validate_every
        if since > 0:
            skip(workspace)
            return runs.validate_every - since
        home, packet = in_memory(workspace), packet_of(workspaces, registers)
        for k in range(n_held):
            store(home.parameters, k, load(packet.parameters, k))
        validate(patterns, workspace, now, 1.0)
        return 1

    if number == 0:
        return validate_last
    validate_others = make_validate_all(recipe, variant, memory, packets[:-1])

    @device
    def validate_each(
        patterns: Patterns, runs: Runs, workspaces: tuple[Workspace, ...], registers: Rows, turn: int
    ) -> int:
        others = validate_others(patterns, runs, workspaces, registers, turn)
        last = validate_last(patterns, runs, workspaces, registers, turn)
        return last if last < others else others

    return validate_each


@made_once
def make_some_may_end(
    recipe: Recipe, variant: Variant, memory: Memory, packets: tuple[PacketOf, ...]
) -> Callable[[Patterns, tuple[Workspace, ...], Rows], Mask]:
    """Make the test in which lanes a run of any packet may end."""
    may_end = make_watch(recipe, variant, memory).may_end
    prepare = make_step(recipe, variant, memory).prepare
    packet_of = packets[-1]

    @device
    def last_may_end(patterns: Patterns, workspaces: tuple[Workspace, ...], registers: Rows) -> Mask:
        packet = packet_of(workspaces, registers)
        prepare(patterns, packet)
        return may_end(patterns, packet)

    if len(packets) == 1:
        return last_may_end
    others_may_end = make_some_may_end(recipe, variant, memory, packets[:-1])

    @device
    def some_may_end(patterns: Patterns, workspaces: tuple[Workspace, ...], registers: Rows) -> Mask:
        others = others_may_end(patterns, workspaces, registers)
        return others | last_may_end(patterns, workspaces, registers)

    return some_may_end


@made_once
def make_first_that_ends(
    recipe: Recipe, variant: Variant, memory: Memory, packets: tuple[PacketOf, ...]
) -> Callable[[Patterns, tuple[Workspace, ...], Rows], int]:
    """Make the function that finds the first packet with a run that ends.

    ``(patterns, workspaces, registers) -> int``: its number, or the number of packets if no run ends.
    """
    all_go_on = make_watch(recipe, variant, memory).all_go_on
    packet_of = packets[-1]
    n_before = len(packets) - 1

    @device
    def last_that_ends(patterns: Patterns, workspaces: tuple[Workspace, ...], registers: Rows) -> int:
        goes_on = all_go_on(patterns, packet_of(workspaces, registers))
        return n_before + 1 if goes_on else n_before

    if not n_before:
        return last_that_ends
    others = make_first_that_ends(recipe, variant, memory, packets[:-1])

    @device
    def first_that_ends(patterns: Patterns, workspaces: tuple[Workspace, ...], registers: Rows) -> int:
        found = others(patterns, workspaces, registers)
        if found < n_before:
            return found
        return last_that_ends(patterns, workspaces, registers)

    return first_that_ends

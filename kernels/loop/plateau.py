"""Plateaus: a run ends when as many evaluations as its patience bring no improvement."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kernels.data.control_layout import NEXT_TO_BEAT, NEXT_WAITED, TO_BEAT, WAITED, make_control_layout
from kernels.data.packet import Packet
from kernels.data.patterns import Patterns, PatternSource
from kernels.lanes.arithmetic import Lanes, Mask, select
from kernels.lanes.lane_rows import Memory
from kernels.loop.right import make_right
from kernels.numba.jit import device
from kernels.numba.part_makers import made_once
from kernels.recipe import Recipe


class Plateau(NamedTuple):
    """What an evaluation says about improvement.

    Attributes
    ----------
    look : (patterns, packet, loss) -> mask
        Lanes whose patience has ended with this evaluation. It stores the state after it, which ``keep`` makes current.
    ended : (packet) -> mask
        What ``look`` returned last.
    keep : (packet) -> None
        Keeps the state that ``look`` stored, as the runs continue.
    """

    look: Callable[[Patterns, Packet, Lanes], Mask]
    ended: Callable[[Packet], Mask]
    keep: Callable[[Packet], None]


@made_once
def make_plateau(recipe: Recipe, memory: Memory, source: PatternSource) -> Plateau:
    """Make the functions of a recipe in which runs have patience.

    Parameters
    ----------
    recipe, memory, source
        See :mod:`kernels.step`. For recipes without patience the functions must not be called.

    Notes
    -----
    A score, the loss or minus the number of correct outputs, improves if it is below the best one by more than
    ``min_delta``; the best is the last one that improved. The first score is an improvement.
    """
    layout = make_control_layout(recipe)
    right = make_right(recipe, memory, source)
    to_beat, waited, next_to_beat, next_waited = (
        layout.plateau[row] if layout.plateau else 0 for row in (TO_BEAT, WAITED, NEXT_TO_BEAT, NEXT_WAITED)
    )
    patience, improvement = (layout.settings.get(name, 0) for name in ("patience", "min_delta"))
    load = memory.load
    store = memory.store
    fill = memory.fill
    of_loss = recipe.monitor == "loss"

    @device
    def score(patterns: Patterns, packet: Packet, loss: Lanes) -> Lanes:
        if of_loss:
            return loss
        wrong = fill(0.0)
        for n in range(source.n_patterns(patterns)):
            wrong = wrong - right.n_right(patterns, packet, n)
        return wrong

    @device
    def look(patterns: Patterns, packet: Packet, loss: Lanes) -> Mask:
        control = packet.control
        now = score(patterns, packet, loss)
        before = load(control, to_beat)
        improves = now < before
        count = select(improves, fill(0.0), load(control, waited) + 1.0)
        store(control, next_to_beat, select(improves, now - load(control, improvement), before))
        store(control, next_waited, count)
        return count >= load(control, patience)

    @device
    def ended(packet: Packet) -> Mask:
        return load(packet.control, next_waited) >= load(packet.control, patience)

    @device
    def keep(packet: Packet) -> None:
        store(packet.control, to_beat, load(packet.control, next_to_beat))
        store(packet.control, waited, load(packet.control, next_waited))

    return Plateau(look, ended, keep)

"""Plateaus: a run ends when its stopping rule finds that its score no longer improves."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kernels.components.inlined import stopping_rule
from kernels.data.control_layout import make_control_layout
from kernels.data.packet import Packet, make_load_rows, make_store_rows
from kernels.data.patterns import Patterns, PatternSource
from kernels.lanes.arithmetic import Lanes, Mask, select
from kernels.lanes.lane_rows import Memory
from kernels.loop.right import make_count_right, make_right
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.step.running_loss import make_running_loss
from kernels.variant import Variant


class Plateau(NamedTuple):
    """What an evaluation says about improvement."""

    # (patterns, packet, loss) -> mask: lanes whose stopping rule ends them with this evaluation. It stores the state
    # after it, which ``keep`` makes current.
    look: Callable[[Patterns, Packet, Lanes], Mask]
    ended: Callable[[Packet], Mask]  # (packet) -> mask: what ``look`` returned last
    keep: Callable[[Packet], None]  # (packet) -> None: keeps the state that ``look`` stored, as the runs continue


@made_once
def make_plateau(recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource) -> Plateau:
    """Make the functions of a recipe in which something is monitored."""
    layout = make_control_layout(recipe)
    rule = stopping_rule(recipe.stopping_rule)
    load_states, load_next = (make_load_rows(memory, rows) for rows in (layout.states, layout.next_states))
    store_states, store_next = (make_store_rows(memory, rows) for rows in (layout.states, layout.next_states))
    load_settings = make_load_rows(memory, layout.rows(rule.settings) if recipe.monitor else ())
    score_of = _make_score(recipe, variant, memory, source)
    update, ends = rule.update, rule.ends

    @device
    def look(patterns: Patterns, packet: Packet, loss: Lanes) -> Mask:
        control = packet.control
        score, is_new = score_of(patterns, packet, loss)
        settings = load_settings(control)
        states = update(score, loss, is_new, *load_states(control), *settings)
        store_next(control, states)
        return ends(*states, *settings)

    @device
    def ended(packet: Packet) -> Mask:
        return ends(*load_next(packet.control), *load_settings(packet.control))

    @device
    def keep(packet: Packet) -> None:
        store_states(packet.control, load_next(packet.control))

    return Plateau(look, ended, keep)


def _make_score(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource
) -> Callable[[Patterns, Packet, Lanes], tuple[Lanes, Lanes]]:
    """Make the monitored score: ``(patterns, packet, loss) -> (score, is_new)``.

    It is a loss, or minus a number or share that are right; NaN where there is no new one.
    """
    right = make_right(recipe, memory, source)
    count_right = make_count_right(recipe, memory, source)
    held_out = make_control_layout(recipe).held_out
    score_row, is_new_row = held_out.score, held_out.is_new
    n_patterns = variant.n_patterns
    running_loss = make_running_loss(recipe, variant, memory)
    load, fill = memory.load, memory.fill

    @device
    def of_running(patterns: Patterns, packet: Packet, loss: Lanes) -> tuple[Lanes, Lanes]:
        running = running_loss.load(packet)
        return running, select(running == running, fill(1.0), 0.0)

    @device
    def of_loss(patterns: Patterns, packet: Packet, loss: Lanes) -> tuple[Lanes, Lanes]:
        return loss, fill(1.0)

    @device
    def of_outputs(patterns: Patterns, packet: Packet, loss: Lanes) -> tuple[Lanes, Lanes]:
        wrong = fill(0.0)
        for n in range(source.n_patterns(patterns)):
            wrong = wrong - right.n_right(patterns, packet, n)
        return wrong, fill(1.0)

    @device
    def of_patterns(patterns: Patterns, packet: Packet, loss: Lanes) -> tuple[Lanes, Lanes]:
        return (fill(0.0) - count_right(patterns, packet)) / n_patterns, fill(1.0)

    @device
    def of_held_out(patterns: Patterns, packet: Packet, loss: Lanes) -> tuple[Lanes, Lanes]:
        is_new = load(packet.control, is_new_row)
        return select(is_new > 0.0, load(packet.control, score_row), float("nan")), is_new

    of_training = {"loss": of_loss, "running_loss": of_running, "n_correct": of_outputs, "accuracy": of_patterns}
    return of_training.get(recipe.monitor, of_held_out)

"""The step as the training loop sees it: it computes outputs and advances a packet to the next evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kernels.data.control_layout import make_control_layout
from kernels.data.packet import Packet, numbering
from kernels.data.patterns import IN_MEMORY, Patterns, PatternSource, constants, own_order, own_patterns
from kernels.lanes.arithmetic import Mask
from kernels.lanes.lane_rows import Memory
from kernels.lanes.operations import any_lane
from kernels.numba.jit import device, made_once, routine
from kernels.recipe import Recipe
from kernels.step.running_loss import make_add_terms, make_running_loss
from kernels.step.schedule import make_keep_taken
from kernels.step.windows import make_pass, make_predict
from kernels.variant import Variant
from kernels.vocabulary import OPTIMIZERS


class Step(NamedTuple):
    """What happens between two evaluations: one step of all patterns, or an epoch of several steps."""

    # (patterns, packet): writes the outputs for all patterns, in file order
    predict: Callable[[Patterns, Packet], None]
    # (patterns, packet): follows ``predict``, and precedes ``may_be_fixed_point``, ``is_fixed_point`` and
    # ``advance``. Where a step takes all patterns at once, it writes the gradients of outputs.
    prepare: Callable[[Patterns, Packet], None]
    # (patterns, packet) -> mask: a cheap test for lanes that an epoch might leave unchanged. It may be true where the
    # epoch would change them.
    may_be_fixed_point: Callable[[Patterns, Packet], Mask]
    advance: Callable[[Patterns, Packet], None]  # (patterns, packet): takes all steps
    advance_window: Callable[[Patterns, Packet, int], None]  # (patterns, packet, k): takes the step of window k alone
    # (patterns, packet, wanted) -> mask: those of the lanes ``wanted`` in which every update of an epoch leaves all
    # parameters and states equal
    is_fixed_point: Callable[[Patterns, Packet, Mask], Mask]


def file_order(recipe: Recipe, variant: Variant, memory: Memory) -> PatternSource:
    """Return the source of patterns in file order."""
    shared = constants(variant.table, recipe.dtype, recipe.trains_biases) if variant.table else IN_MEMORY
    architecture = recipe.architecture
    if variant.own == "nothing":
        return shared
    sizes = variant.n_patterns, architecture.inputs, architecture.outputs
    threshold_row = variant.n_patterns * variant.n_own_numbers(architecture)
    return own_patterns(shared, memory, sizes, threshold_row, own_inputs=variant.own == "patterns")


@made_once
def make_step(recipe: Recipe, variant: Variant, memory: Memory) -> Step:
    """Make the step of a recipe, which takes all patterns at once or an epoch of several windows."""
    return _make_epoch(recipe, variant, memory) if variant.n_windows > 1 else _make_full_step(recipe, variant, memory)


def _make_full_step(recipe: Recipe, variant: Variant, memory: Memory) -> Step:
    """Make the step of all patterns, whose forward pass also serves the evaluation."""
    source = file_order(recipe, variant, memory)
    forward, differentiate, update, may_be_fixed_point = make_pass(recipe, variant, memory, source, variant.n_patterns)
    part = device if variant.table else routine  # what registers hold must be inlined

    @part
    def predict(patterns: Patterns, packet: Packet) -> None:
        forward(patterns, packet, 0)

    @device
    def prepare(patterns: Patterns, packet: Packet) -> None:
        differentiate(patterns, packet, 0)

    @part
    def advance(patterns: Patterns, packet: Packet) -> None:
        update(patterns, packet, 0)

    @device
    def advance_window(patterns: Patterns, packet: Packet, k: int) -> None:
        advance(patterns, packet)

    is_fixed_point = part(make_is_fixed_point(recipe, variant, memory, advance_window))
    return Step(predict, prepare, may_be_fixed_point, advance, advance_window, is_fixed_point)


def _make_epoch(recipe: Recipe, variant: Variant, memory: Memory) -> Step:
    """Make an epoch of several steps, whose evaluation needs a separate forward pass."""
    architecture = recipe.architecture
    size = variant.window
    n_windows = variant.n_windows
    source = all_in_order = file_order(recipe, variant, memory)
    if variant.shuffles(recipe):
        source = own_order(architecture.inputs, architecture.outputs, memory)
        source = source._replace(decision_threshold=all_in_order.decision_threshold)
    last_size = variant.n_patterns - (n_windows - 1) * size
    n_whole = n_windows if last_size == size else n_windows - 1
    advance_whole = make_advance_window(recipe, variant, memory, source, size)
    advance_last = make_advance_window(recipe, variant, memory, source, last_size)
    predict = make_predict(recipe, variant, memory, all_in_order)
    running_loss = make_running_loss(recipe, variant, memory)
    fill = memory.fill

    @device
    def prepare(patterns: Patterns, packet: Packet) -> None:
        pass  # each window for itself

    @routine
    def advance(patterns: Patterns, packet: Packet) -> None:
        running_loss.begin(packet)
        for k in range(n_whole):
            advance_whole(patterns, packet, k * size)
        if n_whole < n_windows:
            advance_last(patterns, packet, n_whole * size)
        running_loss.finish(packet)

    @routine
    def advance_window(patterns: Patterns, packet: Packet, k: int) -> None:
        if k == 0:
            running_loss.begin(packet)
        if n_whole == n_windows or k < n_whole:
            advance_whole(patterns, packet, k * size)
        else:
            advance_last(patterns, packet, n_whole * size)
        if k == n_windows - 1:
            running_loss.finish(packet)

    @device
    def may_be_fixed_point(patterns: Patterns, packet: Packet) -> Mask:
        return fill(0.0) == fill(0.0)

    is_fixed_point = routine(make_is_fixed_point(recipe, variant, memory, advance_window))
    return Step(predict, prepare, may_be_fixed_point, advance, advance_window, is_fixed_point)


def make_advance_window(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, size: int
) -> Callable[[Patterns, Packet, int], None]:
    """Make the step of one window."""
    forward, differentiate, update, *_ = make_pass(recipe, variant, memory, source, size)
    add_terms = make_add_terms(recipe, variant, memory, source, size)

    @device
    def advance(patterns: Patterns, packet: Packet, n0: int) -> None:
        forward(patterns, packet, n0)
        add_terms(patterns, packet, n0)
        differentiate(patterns, packet, n0)
        update(patterns, packet, n0)

    return advance


def make_is_fixed_point(
    recipe: Recipe, variant: Variant, memory: Memory, advance_window: Callable[[Patterns, Packet, int], None]
) -> Callable[[Patterns, Packet, Mask], Mask]:
    """Make the test which lanes no update of an epoch would change; the result is not compiled yet.

    The updates are applied and then rolled back. State is compared after each of them, since two may cancel.
    ``(patterns, packet, wanted) -> mask``: those of the lanes ``wanted`` in which parameters, states and counts of
    updates would stay equal.
    """
    load = memory.load
    store = memory.store
    n_windows = variant.n_windows
    n_copies = 1 + len(OPTIMIZERS[recipe.optimizer].states)
    n_parameters = numbering(recipe.architecture).n_parameters
    clocks = make_control_layout(recipe).clocks
    first_clock = clocks[0] if clocks else 0
    n_clocks = len(clocks)
    keep_taken, restore_taken = make_keep_taken(recipe, memory)
    running_loss = make_running_loss(recipe, variant, memory)

    def is_fixed_point(patterns: Patterns, packet: Packet, wanted: Mask) -> Mask:
        parameters, control, kept = packet.parameters, packet.control, packet.kept
        n_held = n_copies * n_parameters(packet)
        taken, running = keep_taken(packet), running_loss.keep(packet)
        for k in range(n_held):
            store(kept, k, load(parameters, k))
        for k in range(n_clocks):
            store(kept, n_held + k, load(control, first_clock + k))
        for window in range(n_windows):
            if any_lane(wanted):
                advance_window(patterns, packet, window)
                for k in range(n_clocks):
                    wanted = wanted & (load(control, first_clock + k) == load(kept, n_held + k))
                for k in range(n_held):
                    old = load(kept, k)
                    wanted = wanted & (load(parameters, k) == old)
                    if n_windows == 1:
                        store(parameters, k, old)
        if n_windows > 1:
            for k in range(n_held):
                store(parameters, k, load(kept, k))
        for k in range(n_clocks):
            store(control, first_clock + k, load(kept, n_held + k))
        restore_taken(packet, taken)
        running_loss.restore(packet, running)
        return wanted

    return is_fixed_point

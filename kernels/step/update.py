"""What becomes of the gradient of a parameter: an update of the parameter, or a term of a sum."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final, Literal, NamedTuple, TypeAlias

from kernels.components.inlined import optimizer
from kernels.data.control_layout import HIDDEN_SCALE, OUTPUT_SCALE, make_control_layout
from kernels.data.packet import Packet, make_load_rows, make_store_rows, numbering
from kernels.data.patterns import Patterns
from kernels.lanes.arithmetic import Lanes
from kernels.lanes.lane_rows import Memory
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.step.schedule import make_set_rates
from kernels.step.single_weights import make_repeats, make_row_of, weights_of
from kernels.variant import Variant

# What is done with gradients: parameters are updated, the gradients are added to the sums of a window of several
# blocks, or their squares are added up for their norm.
Mode: TypeAlias = Literal["update", "add", "square"]
UPDATE: Final = "update"
ADD: Final = "add"
SQUARE: Final = "square"

# (packet, row of the parameter, gradient)
Sink: TypeAlias = Callable[[Packet, int, Lanes], None]

# (patterns, packet, n0)
Backward: TypeAlias = Callable[[Patterns, Packet, int], None]

# Which of the factors of an optimizer a parameter is updated with.
HIDDEN, OUTPUT = range(2)


class GradientSinks(NamedTuple):
    """Functions that receive the gradient of a parameter, one for each kind of parameter."""

    # For input weights. The gradient has yet to be multiplied by the scale of the hidden layer.
    w: Sink
    # For output weights. The gradient has yet to be multiplied by the scale of the output layer.
    v: Sink
    b: Sink  # for hidden biases
    # For output biases, and for skip connections
    c: Sink
    k: Sink
    # For weights of several hidden layers, whose gradient is already multiplied by the scale of their layer
    deep_w: Sink
    deep_k: Sink  # for skip connections to hidden layers


@made_once
def make_move(
    recipe: Recipe, variant: Variant, memory: Memory, layer: int, decays: bool
) -> Callable[[Packet, int, Lanes], tuple[Lanes, Lanes, Lanes]]:
    """Make the function that computes an updated parameter and its states, and stores nothing.

    ``(packet, row, gradient) -> (parameter, first state, second state)``: ``row`` is that of the parameter, and
    ``decays`` says whether weight decay acts on it. Where an optimizer has fewer states, the gradient fills their
    places.
    """
    method = optimizer(recipe.optimizer)
    layout = make_control_layout(recipe)
    update = method.update
    load = memory.load
    load_numbers = make_load_rows(memory, (*layout.factors[layer], *layout.rows(method.settings)))
    n_parameters = numbering(recipe.architecture, variant.hidden).n_parameters

    decay = method.decay
    rate = layout.rates[layer]
    weight_decay = layout.settings.get("weight_decay", 0)

    @device
    def decayed(packet: Packet, row: int, gradient: Lanes) -> tuple[Lanes, Lanes]:
        p = load(packet.parameters, row)
        if decays:
            return decay(p, gradient, load(packet.control, rate), load(packet.control, weight_decay))
        return p, gradient

    def move_alone(packet: Packet, row: int, gradient: Lanes) -> tuple[Lanes, Lanes, Lanes]:
        p, gradient = decayed(packet, row, gradient)
        return update(p, gradient, *load_numbers(packet.control)), gradient, gradient

    def move_with_state(packet: Packet, row: int, gradient: Lanes) -> tuple[Lanes, Lanes, Lanes]:
        p, gradient = decayed(packet, row, gradient)
        state = load(packet.parameters, n_parameters(packet) + row)
        p, state = update(p, gradient, state, *load_numbers(packet.control))
        return p, state, gradient

    def move_with_states(packet: Packet, row: int, gradient: Lanes) -> tuple[Lanes, Lanes, Lanes]:
        parameters = packet.parameters
        n = n_parameters(packet)
        p, gradient = decayed(packet, row, gradient)
        first, second = load(parameters, n + row), load(parameters, 2 * n + row)
        p, first, second = update(p, gradient, first, second, *load_numbers(packet.control))
        return p, first, second

    return device((move_alone, move_with_state, move_with_states)[len(method.states)])


@made_once
def make_updaters(recipe: Recipe, variant: Variant, memory: Memory) -> GradientSinks:
    """Make the functions that update a parameter and its states, or do nothing where it is frozen."""
    n_states = len(optimizer(recipe.optimizer).states)
    n_parameters = numbering(recipe.architecture, variant.hidden).n_parameters
    load, store = memory.load, memory.store
    clip_factor = make_control_layout(recipe).clip_factor

    @cache
    def make(layer: int, decays: bool, scale: int = 0) -> Sink:
        # row 0 of control holds no scale
        move = make_move(recipe, variant, memory, layer, decays)

        @device
        def receive(packet: Packet, row: int, gradient: Lanes) -> None:
            if scale > 0:
                gradient = gradient * load(packet.control, scale)
            if clip_factor > 0:
                gradient = gradient * load(packet.control, clip_factor)
            p, first, second = move(packet, row, gradient)
            store(packet.parameters, row, p)
            if n_states > 0:
                store(packet.parameters, n_parameters(packet) + row, first)
            if n_states > 1:
                store(packet.parameters, 2 * n_parameters(packet) + row, second)

        return receive

    @device
    def keep(packet: Packet, row: int, gradient: Lanes) -> None:
        pass

    w, v, b, c, k = (recipe.has_decay(kind) for kind in "wvbck")
    sinks = GradientSinks(
        w=make(HIDDEN, w, HIDDEN_SCALE if variant.scales_hidden else 0),
        v=make(OUTPUT, v, OUTPUT_SCALE if variant.scales_outputs else 0),
        b=make(HIDDEN, b),
        c=make(OUTPUT, c),
        k=make(OUTPUT, k),
        deep_w=make(HIDDEN, w),
        deep_k=make(HIDDEN, k),
    )
    return GradientSinks(*(keep if name[-1] in recipe.frozen else each for name, each in sinks._asdict().items()))


@made_once
def make_squares(recipe: Recipe, variant: Variant, memory: Memory) -> GradientSinks:
    """Make the functions that add the square of a gradient to a row of control, for the norm of those that are clipped.

    Frozen weights do not count, and weights that stay equal count once.
    """
    load, store = memory.load, memory.store
    row_of_sum = make_control_layout(recipe).clip_factor
    repeats, row_of = make_repeats(recipe, variant), make_row_of(recipe, variant)
    frozen = tuple(map(tuple, weights_of(recipe.architecture, recipe.frozen_weights)))
    n_frozen = len(frozen)

    @device
    def is_first(packet: Packet, row: int) -> bool:
        return not repeats(packet, row)

    @device
    def is_first_and_free(packet: Packet, row: int) -> bool:
        found = not repeats(packet, row)
        for k in range(n_frozen):
            kind, layer, unit, other = frozen[k]
            found = found and row_of(packet, kind, layer, unit, other) != row
        return found

    counts = is_first_and_free if frozen else is_first  # Numba cannot index an empty tuple

    @cache
    def make(scale: int) -> Sink:
        @device
        def receive(packet: Packet, row: int, gradient: Lanes) -> None:
            if counts(packet, row):
                if scale > 0:
                    gradient = gradient * load(packet.control, scale)
                store(packet.control, row_of_sum, load(packet.control, row_of_sum) + gradient * gradient)

        return receive

    @device
    def skip(packet: Packet, row: int, gradient: Lanes) -> None:
        pass

    scales = {"w": HIDDEN_SCALE * variant.scales_hidden, "v": OUTPUT_SCALE * variant.scales_outputs}
    return GradientSinks(
        *(skip if name[-1] in recipe.frozen else make(scales.get(name, 0)) for name in GradientSinks._fields)
    )


@cache
def make_adders(memory: Memory) -> GradientSinks:
    """Make the functions that store a sum of gradients for the next block of a window, or for its update."""
    store = memory.store

    @device
    def receive(packet: Packet, row: int, gradient: Lanes) -> None:
        store(packet.sums, row, gradient)

    return GradientSinks(*(receive for _ in GradientSinks._fields))


@cache
def make_start(memory: Memory, mode: Mode) -> Callable[[Packet, int], Lanes]:
    """Make the function that returns the first value of the sum of a gradient, ``(packet, row)``.

    It is -0, or in the mode ADD the sum over the earlier blocks.
    """
    load, fill = memory.load, memory.fill

    @device
    def first_block(packet: Packet, row: int) -> Lanes:
        return fill(-0.0)

    @device
    def later_block(packet: Packet, row: int) -> Lanes:
        return load(packet.sums, row)

    return later_block if mode == ADD else first_block


@made_once
def make_gradient_sinks(recipe: Recipe, variant: Variant, memory: Memory, mode: Mode) -> GradientSinks:
    """Make the functions that receive gradients in a mode."""
    if mode == ADD:
        return make_adders(memory)
    return (make_squares if mode == SQUARE else make_updaters)(recipe, variant, memory)


@made_once
def make_clock(recipe: Recipe, memory: Memory) -> tuple[Callable[[Packet], None], Callable[[Packet], None]]:
    """Make what an update does before and after it changes the parameters, two functions of a packet.

    The first advances the numbers that count updates, and computes the optimizer's factors from the learning rates,
    which follow their schedule. The second makes the advanced numbers the current ones; it is not called where an
    update is only tried.
    """
    method = optimizer(recipe.optimizer)
    layout = make_control_layout(recipe)
    tick = method.tick
    factors = method.factors
    hidden, output = layout.factors
    load_clocks, load_next = make_load_rows(memory, layout.clocks), make_load_rows(memory, layout.next_clocks)
    load_settings = make_load_rows(memory, layout.rows(method.settings))
    store_next, store_clocks = make_store_rows(memory, layout.next_clocks), make_store_rows(memory, layout.clocks)
    store_hidden, store_output = make_store_rows(memory, hidden), make_store_rows(memory, output)
    load = memory.load
    set_rates = make_set_rates(recipe, memory)
    rate, output_rate = layout.rates

    @device
    def nothing(packet: Packet) -> None:
        pass

    if tick is None:
        return set_rates, nothing

    @device
    def begin(packet: Packet) -> None:
        control = packet.control
        set_rates(packet)
        settings = load_settings(control)
        clocks = tick(*(load_clocks(control) + settings))
        store_next(control, clocks)
        store_hidden(control, factors(load(control, rate), *(clocks + settings)))
        store_output(control, factors(load(control, output_rate), *(clocks + settings)))

    @device
    def end(packet: Packet) -> None:
        store_clocks(packet.control, load_next(packet.control))

    return begin, end

"""Where all data of a packet lies in memory. Offsets are computed only here."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.data.control_layout import LATEST, OUTPUT_RATE, PREVIOUS, RATE, make_control_layout
from kernels.data.packet import Packet, Place, Stack
from kernels.lanes.lane_rows import Memory, aligned_rows, make_memory
from kernels.numba.jit import device, made_once
from kernels.recipe import Architecture, Hidden, Recipe, sizes_of
from kernels.variant import Variant
from kernels.vocabulary import ACTIVATIONS, OPTIMIZERS, OUTPUTS

# A CPU may treat addresses at the same place of two pages as equal until it knows the pages.
PAGE_BYTES = 4096


class Layout(NamedTuple):
    """The first row of each kind up to the parameters, which is the same for all hidden sizes.

    Kinds are explained in :class:`kernels.data.packet.Packet`; control comes first, and parameters come last. A kind
    that a recipe does not need has no rows.
    """

    totals: int
    outputs: int
    output_slopes: int
    gradients: int
    own: int
    shuffled: int
    parameters: int


class HiddenLayout(NamedTuple):
    """The first row of each kind that lies behind the parameters, for hidden layers of some sizes.

    Kinds are explained in :class:`kernels.data.packet.Packet`.
    """

    sizes: Any  # int, or Stack
    hidden: int
    hidden_slopes: int
    sums: int
    kept: int
    held_out: int  # outputs of held-out patterns, see :class:`HeldOutLayout`
    n_rows: int  # number of all rows of a packet


class HeldOutLayout(NamedTuple):
    """Where the rows for held-out patterns are, counted from the first of them."""

    totals: int  # as in :class:`kernels.data.packet.Packet`, behind the outputs
    best: int  # the parameters of the best evaluation


def make_held_out_layout(recipe: Recipe, variant: Variant) -> HeldOutLayout:
    """Lay out the rows for held-out patterns."""
    n_outputs = variant.held_out * recipe.architecture.outputs
    return HeldOutLayout(n_outputs, n_outputs * (2 if recipe.keeps_totals else 1))


@cache
def make_layout(recipe: Recipe, variant: Variant) -> Layout:
    """Lay out the rows before the parameters."""
    architecture = recipe.architecture
    n_outputs = variant.n_patterns * architecture.outputs
    n_slopes = n_outputs if OUTPUTS[architecture.output].value_and_slope else 0
    n_shuffled = variant.n_patterns * (architecture.inputs + architecture.outputs) if variant.shuffles(recipe) else 0
    totals = make_control_layout(recipe).n_rows
    outputs = totals + (n_outputs if recipe.keeps_totals else 0)
    slopes = outputs + n_outputs
    gradients = slopes + n_slopes
    own = gradients + variant.most_patterns * architecture.outputs
    n_own = variant.n_own_numbers(architecture)
    n_held_out = variant.held_out * (architecture.inputs + architecture.outputs)
    shuffled = own + (variant.n_patterns * n_own + 1 + n_held_out if n_own else 0)  # with the decision_threshold
    return Layout(totals, outputs, slopes if n_slopes else outputs, gradients, own, shuffled, shuffled + n_shuffled)


def make_hidden_layout(recipe: Recipe, variant: Variant, units: Hidden) -> HiddenLayout:
    """Lay out the rows behind the parameters, for ``units`` of the hidden layer, or of each.

    A step stores the parameters of a unit right before it loads the activations of the next. If both addresses are at
    about the same place of two pages, as with 16, 32 or 64 units and no gap between, such a load may wait for the
    store. Whether it does depends on the physical pages: on a Zen 4 a step took up to 2.5 times as long in some
    processes, and not in others. So activations are an odd number of half pages behind the parameters.
    """
    architecture = recipe.architecture
    n_parameters = architecture.n_parameters(units)
    n_held = n_parameters * (1 + len(OPTIMIZERS[recipe.optimizer].states))
    first = make_layout(recipe, variant).parameters
    page = max(1, PAGE_BYTES // (variant.width * np.dtype(recipe.dtype).itemsize))
    half = page // 2
    hidden = first + half - (half - n_held) // page * page  # rounded up
    n_activations = variant.most_patterns * sum(sizes_of(units))
    keeps_slopes = ACTIVATIONS[architecture.activation].value_and_slope is not None
    slopes = hidden + (n_activations if keeps_slopes else 0)
    sums = slopes + n_activations * (2 if architecture.deep else 1)  # deltas are behind slopes
    kept = sums + (n_parameters if variant.window > variant.most_at_once else 0)
    n_clocks = len(OPTIMIZERS[recipe.optimizer].clocks)
    scales = kept + n_held + n_clocks + len(recipe.frozen_weights) * (1 + len(OPTIMIZERS[recipe.optimizer].states))
    held_out = scales + (len(sizes_of(units)) if architecture.deep else 0)
    end = held_out + make_held_out_layout(recipe, variant).best + (n_parameters if recipe.keeps_best else 0)
    if not architecture.deep:
        return HiddenLayout(sizes_of(units)[0], hidden, slopes, sums, kept, held_out, end)
    places = _places(architecture, sizes_of(units), scales)
    stack = Stack(n_parameters, n_activations, scales, places)
    return HiddenLayout(stack, hidden, slopes, sums, kept, held_out, end)


def _places(architecture: Architecture, sizes: tuple[int, ...], scales: int) -> NDArray[np.int64]:
    """Return the places of several hidden layers, (layers, fields), with the first row of their scales."""
    places: list[Place] = []
    first = units_before = below_before = 0
    for layer, (n_below, n_units) in enumerate(pairwise((architecture.inputs, *sizes))):
        bias = n_below + (architecture.outputs if layer == len(sizes) - 1 else 0)  # behind w and v
        n_earlier = architecture.inputs + below_before if architecture.joins_all and layer > 0 else 0  # behind b
        stride = bias + architecture.bias + n_earlier
        places.append(Place(n_units, n_below, first, stride, bias, units_before, below_before, scales + layer))
        first = first + n_units * stride
        below_before = units_before
        units_before = units_before + n_units
    return np.array(places, np.int64)


class Workspace(NamedTuple):
    """The memory of one packet, and which run occupies each of its lanes."""

    rows: Any  # (n_rows, width): all rows of lanes
    layout: HiddenLayout
    # (parameters,) of uint64: the row of each parameter, in the order of :class:`kernels.recipe.Architecture`
    parameter_rows: NDArray[np.uint64]
    rate_rows: NDArray[np.uint64]  # (parameters,) of uint64: the row of control that holds its learning rate
    seats: NDArray[np.int64]  # (6, width) of int64: see :mod:`kernels.loop.lane_assignment`
    clock: NDArray[np.int64]  # (3,) of int64: see :mod:`kernels.loop.lane_assignment`
    # (patterns,) of int64: scratch memory for the shuffled order of patterns of one lane
    order: NDArray[np.int64]
    # (n_rows, width) of float64: as in :class:`kernels.data.packet.Packet`; no rows where learning rates do not
    # change and no losses are added
    doubles: Any


def make_workspace(recipe: Recipe, variant: Variant, units: Hidden) -> Workspace:
    """Allocate a packet of empty lanes."""
    layout = make_hidden_layout(recipe, variant, units)
    first = make_layout(recipe, variant).parameters
    parameter_rows, rate_rows = _parameter_rows(recipe.architecture, units)
    seats = np.full((7, variant.width), -1, np.int64)
    rows = aligned_rows(layout.n_rows, variant.width, recipe.dtype)
    clock, order = np.zeros(3, np.int64), np.zeros(variant.n_patterns, np.int64)
    doubles = aligned_rows(make_control_layout(recipe).n_doubles, variant.width, "float64")
    return Workspace(rows, layout, parameter_rows + np.uint64(first), rate_rows, seats, clock, order, doubles)


@cache
def _parameter_rows(architecture: Architecture, units: Hidden) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the row of each parameter, counted from the first parameter, and the row of its learning rate."""
    numbers = np.arange(architecture.n_parameters(units))
    parts = architecture.split(numbers, units)
    weights, biases = ([part for name, part in parts.items() if name[0] == kind] for kind in "wb")
    rows = []
    for layer, w in enumerate(weights):
        of_units = [w.T, parts.v] if layer == len(weights) - 1 else [w.T]
        of_units += [biases[layer][:, np.newaxis]] if biases else []
        of_units += [parts[f"k{layer + 1}"].T] if f"k{layer + 1}" in parts else []
        rows.append(np.hstack(of_units).ravel())
    rows += [part.ravel() for part in (parts.c, parts.k if weights else parts.v) if part is not None]
    rates = np.full(numbers.size, OUTPUT_RATE)
    shortcuts = (part for name, part in parts.items() if name[0] == "k" and name[1:])  # to hidden layers
    for part in (*weights, *biases, *shortcuts):
        rates[part.ravel()] = RATE
    return np.argsort(np.concatenate(rows)).astype(np.uint64), rates.astype(np.uint64)


@made_once
def make_in_memory(recipe: Recipe, variant: Variant, memory: Memory) -> Callable[[Workspace], Packet]:
    """Make the function that views a workspace as a packet."""
    totals, outputs, output_slopes, gradients, own, shuffled, parameters = make_layout(recipe, variant)
    rows_of = memory.rows_of
    doubles_of = make_memory("float64", memory.width).rows_of

    @device
    def in_memory(workspace: Workspace) -> Packet:
        rows, layout = workspace.rows, workspace.layout
        return Packet(
            layout.sizes,
            rows_of(rows, parameters),
            rows_of(rows, 0),
            rows_of(rows, layout.sums),
            rows_of(rows, totals),
            rows_of(rows, outputs),
            rows_of(rows, output_slopes),
            rows_of(rows, gradients),
            rows_of(rows, layout.hidden),
            rows_of(rows, layout.hidden_slopes),
            rows_of(rows, PREVIOUS),
            rows_of(rows, LATEST),
            rows_of(rows, own),
            rows_of(rows, shuffled),
            doubles_of(workspace.doubles, 0),
            rows_of(rows, layout.kept),
        )

    return in_memory


@made_once
def make_held_out_packet(recipe: Recipe, variant: Variant, memory: Memory) -> Callable[[Workspace], Packet]:
    """Make the function that views a workspace as a packet whose outputs are those for held-out patterns."""
    in_memory = make_in_memory(recipe, variant, memory)
    totals = make_held_out_layout(recipe, variant).totals
    rows_of = memory.rows_of

    @device
    def held_out_packet(workspace: Workspace) -> Packet:
        home = in_memory(workspace)
        first = workspace.layout.held_out
        outputs = rows_of(workspace.rows, first)
        return Packet(
            home.sizes,
            home.parameters,
            home.control,
            home.sums,
            rows_of(workspace.rows, first + totals),
            outputs,
            outputs,
            home.gradients,
            home.hidden,
            home.hidden_slopes,
            home.previous,
            home.latest,
            home.own,
            home.shuffled,
            home.doubles,
            home.kept,
        )

    return held_out_packet

"""Weights that a recipe names one by one: where they lie in a packet, how they stay as they are, or equal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from kernels.data.control_layout import make_control_layout
from kernels.data.packet import Packet, n_layers, numbering, place_of, unit_numbering
from kernels.lanes.lane_rows import Memory
from kernels.numba.jit import device, made_once
from kernels.recipe import Architecture, Recipe
from kernels.variant import Variant
from kernels.vocabulary import OPTIMIZERS

# Kinds of parameters.
W, V, B, C, K = range(5)


class Weight(NamedTuple):
    """A weight by its place in a network."""

    kind: int
    layer: int  # of several hidden layers, from 0; -1 where it follows from the kind, as that of k to the outputs
    unit: int  # hidden unit, or for c and k the output
    other: int  # the input of w and k, or the output of v; otherwise 0


def weights_of(architecture: Architecture, names: Iterable[str]) -> tuple[Weight, ...]:
    """Return the places of weights with names such as ``w[0,1]``, without those of arrays that no network has.

    A name such as ``w[0]`` stands for the first weight of that row.
    """
    found = []
    for name in names:
        array, _, index = name.removesuffix("]").partition("[")
        first, second = (*map(int, index.split(",")), 0)[:2]
        unit, other = (second, first) if array[0] in "wk" else (first, second)
        is_there = {"b": architecture.bias, "c": architecture.bias, "k": architecture.skip}.get(array[0], True)
        numbered = architecture.joins_all if array[0] == "k" else architecture.deep
        if is_there and (array in ("v", "c", "k") or numbered == bool(array[1:])):
            found.append(Weight("wvbck".index(array[0]), int(array[1:] or 0) - 1, unit, other))
    return tuple(found)


@made_once
def make_row_of(recipe: Recipe, variant: Variant) -> Callable[[Packet, int, int, int, int], int]:
    """Make the function that returns the row of a weight, -1 if the network lacks its layer: ``(packet, *weight)``."""
    outputs = numbering(recipe.architecture, variant.hidden)
    n_biases = int(recipe.architecture.bias)  # of a unit

    @device
    def row_of_output(packet: Packet, kind: int, unit: int, other: int) -> int:
        return outputs.c(packet, unit) if kind == C else outputs.k(packet, other, unit)

    if recipe.architecture.deep:

        @device
        def row_in_layers(packet: Packet, kind: int, layer: int, unit: int, other: int) -> int:
            if kind == C or (kind == K and layer < 0):
                return row_of_output(packet, kind, unit, other)
            n = n_layers(packet)
            if layer >= n:
                return -1
            place = place_of(packet, n - 1 if kind == V else layer)
            if kind == K:
                return place.first + unit * place.stride + place.bias + n_biases + other
            offset = place.bias if kind == B else other + (place.n_below if kind == V else 0)
            return place.first + unit * place.stride + offset

        return row_in_layers
    units = unit_numbering(recipe.architecture, variant.hidden)

    @device
    def row_of(packet: Packet, kind: int, layer: int, unit: int, other: int) -> int:
        if kind >= C:
            return row_of_output(packet, kind, unit, other)
        if kind == B:
            return units.b(unit)
        return units.v(unit, other) if kind == V else units.w(unit, other)

    return row_of


@made_once
def make_hold(
    recipe: Recipe, variant: Variant, memory: Memory
) -> tuple[Callable[[Packet], None], Callable[[Packet], None]]:
    """Make what an update does before and after it for weights frozen one by one, two functions of a packet.

    The first copies them and their states behind the rows that :func:`make_is_fixed_point` uses, the second back.
    """
    weights = tuple(map(tuple, weights_of(recipe.architecture, recipe.frozen_weights)))
    n_copies = 1 + len(OPTIMIZERS[recipe.optimizer].states)
    n_clocks = len(make_control_layout(recipe).clocks)
    n_parameters = numbering(recipe.architecture, variant.hidden).n_parameters
    row_of = make_row_of(recipe, variant)
    load, store = memory.load, memory.store
    n_weights = len(weights)

    @device
    def nothing(packet: Packet) -> None:
        pass

    if not weights:
        return nothing, nothing

    def make_copy(*, back: bool) -> Callable[[Packet], None]:
        @device
        def copy(packet: Packet) -> None:
            n = n_parameters(packet)
            first = n_copies * n + n_clocks
            for k in range(n_weights):
                kind, layer, unit, other = weights[k]
                row = row_of(packet, kind, layer, unit, other)
                if row >= 0:
                    for s in range(n_copies):
                        kept = first + k * n_copies + s
                        if back:
                            store(packet.parameters, s * n + row, load(packet.kept, kept))
                        else:
                            store(packet.kept, kept, load(packet.parameters, s * n + row))

        return copy

    return make_copy(back=False), make_copy(back=True)


class Groups(NamedTuple):
    """Groups of weights, or of rows of weights, that stay equal."""

    n_groups: int
    ends: tuple[int, ...]  # for each group the number of its last member, plus 1
    n_weights: Callable[[Packet, int], int]  # (packet, member): weights of a member, 0 if the network lacks its layer
    row: Callable[[Packet, int, int], int]  # (packet, member, r): row of its weight r


@made_once
def make_groups(recipe: Recipe, variant: Variant) -> Groups:
    """Make the groups of a recipe."""
    architecture = recipe.architecture
    groups = [(names, weights_of(architecture, names)) for names in recipe.share]
    groups = [(names, weights) for names, weights in groups if weights]
    members = tuple(tuple(weight) for _, weights in groups for weight in weights)
    are_rows = tuple("," not in name and name[0] in "wvk" for names, _ in groups for name in names)
    row_of, n_units, n_outputs = make_row_of(recipe, variant), _make_n_units(recipe, variant), architecture.outputs

    @device
    def row(packet: Packet, member: int, r: int) -> int:
        kind, layer, unit, other = members[member]
        if kind == V:
            return row_of(packet, kind, layer, unit, other + r)
        return row_of(packet, kind, layer, unit + r, other)

    @device
    def n_weights(packet: Packet, member: int) -> int:
        if row(packet, member, 0) < 0:
            return 0
        if not are_rows[member]:
            return 1
        kind, layer, _, _ = members[member]
        return n_units(packet, layer) if kind == W or (kind == K and layer >= 0) else n_outputs

    return Groups(len(groups), tuple(np.cumsum([len(weights) for _, weights in groups]).tolist()), n_weights, row)


@made_once
def _make_n_units(recipe: Recipe, variant: Variant) -> Callable[[Packet, int], int]:
    """Make the function that returns the units of a hidden layer: ``(packet, layer)``."""
    if recipe.architecture.deep:

        @device
        def of_layer(packet: Packet, layer: int) -> int:
            return place_of(packet, layer).n_units

        return of_layer
    n_hidden = unit_numbering(recipe.architecture, variant.hidden).n_hidden

    @device
    def of_one(packet: Packet, layer: int) -> int:
        return n_hidden(packet)

    return of_one


@made_once
def make_add_shared(recipe: Recipe, variant: Variant, memory: Memory) -> Callable[[Packet], None]:
    """Make the function that gives the weights of each group the sum of their gradients: ``(packet) -> None``.

    Gradients are added up in ``packet.sums`` in the order of the group, before any scale of their layer.
    """
    n_groups, ends, n_weights, row = make_groups(recipe, variant)
    load, store = memory.load, memory.store

    @device
    def add_shared(packet: Packet) -> None:
        first = 0
        for g in range(n_groups):
            for r in range(n_weights(packet, first)):
                total = load(packet.sums, row(packet, first, r))
                for k in range(first + 1, ends[g]):
                    total = total + load(packet.sums, row(packet, k, r))
                for k in range(first, ends[g]):
                    store(packet.sums, row(packet, k, r), total)
            first = ends[g]

    @device
    def nothing(packet: Packet) -> None:
        pass

    return add_shared if n_groups else nothing


@made_once
def make_repeats(recipe: Recipe, variant: Variant) -> Callable[[Packet, int], bool]:
    """Make the function that tells whether a weight is in a group, but not its first: ``(packet, row) -> bool``."""
    n_groups, ends, n_weights, row = make_groups(recipe, variant)

    @device
    def repeats(packet: Packet, of: int) -> bool:
        first, found = 0, False
        for g in range(n_groups):
            for r in range(n_weights(packet, first)):
                for k in range(first + 1, ends[g]):
                    found = found or row(packet, k, r) == of
            first = ends[g]
        return found

    @device
    def never(packet: Packet, of: int) -> bool:
        return False

    return repeats if n_groups else never

"""The parameter arrays of a network; without NumPy, so that studies can be checked at once."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal, TypeAlias

# Whether skip connections join inputs to outputs, or ``"all"``: each layer receives the outputs of all earlier ones.
Skip: TypeAlias = bool | Literal["all"]


def parameter_shapes(fans: tuple[int, ...], *, bias: bool, skip: Skip, deep: bool) -> dict[str, tuple[int, ...]]:
    """Return the shape of each parameter array, in the order in which parameters are numbered.

    ``fans`` are the inputs, the units of each hidden layer, and the outputs. Arrays of the hidden layer are w and b,
    those of several (``deep``) w1, w2, .. and b1, b2, .. With 0 hidden units v joins inputs to outputs, and there are
    no skip connections. With skip ``"all"`` the rows of k2, k3, .. and k are the inputs and then the units of all
    hidden layers but the one directly below.
    """
    inputs, *sizes, outputs = fans
    if sizes == [0]:
        return {"v": (inputs, outputs), **({"c": (outputs,)} if bias else {})}
    numbers = [str(number) for number in range(1, len(sizes) + 1)] if deep else [""]
    pairs = pairwise((inputs, *sizes))
    shapes: dict[str, tuple[int, ...]] = {f"w{number}": pair for number, pair in zip(numbers, pairs, strict=True)}
    shapes["v"] = sizes[-1], outputs
    if bias:
        shapes |= {f"b{number}": (size,) for number, size in zip(numbers, sizes, strict=True)}
        shapes["c"] = (outputs,)
    if skip == "all":
        for layer, size in enumerate(sizes[1:], 2):
            shapes[f"k{layer}"] = inputs + sum(sizes[: layer - 2]), size
        shapes["k"] = inputs + sum(sizes[:-1]), outputs
    elif skip:
        shapes["k"] = inputs, outputs
    return shapes


def shared_places(
    shapes: dict[str, tuple[int, ...]], groups: tuple[tuple[str, ...], ...]
) -> list[tuple[list[int], ...]]:
    """Return the numbers of the parameters of each member of groups such as ``("w[0]", "w[1]")``, in their order.

    Groups of arrays that the network lacks are left out.
    """
    first = {name: places.start for name, places in parameter_slices(shapes).items()}
    found: list[tuple[list[int], ...]] = []
    for group in groups:
        members = []
        for name in group:
            array, _, index = name.removesuffix("]").partition("[")
            if array in shapes:
                place, *rest = map(int, index.split(","))
                length = math.prod(shapes[array][1:])
                row = range(first[array] + place * length, first[array] + (place + 1) * length)
                members.append([row[rest[0]]] if rest else list(row))
        found += [tuple(members)] if members else []
    return found


def parameter_slices(shapes: dict[str, tuple[int, ...]]) -> dict[str, slice]:
    """Return where the numbers of each array lie among all parameters of a network, one array after another."""
    slices = {}
    first = 0
    for name, shape in shapes.items():
        slices[name] = slice(first, first + math.prod(shape))
        first = slices[name].stop
    return slices

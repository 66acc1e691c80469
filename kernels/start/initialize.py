"""Initial weights: how a seed's random numbers are assigned to parameters and scaled."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.floating_point import default_floating_point
from kernels.numba.machine_code import Kernel
from kernels.recipe import Architecture, Hidden
from kernels.shapes import parameter_slices
from kernels.start.names import MAX_LAYERS
from kernels.start.numbers import fill_by_numpy, fill_numbers, fill_truncated, uncompiled_draw
from kernels.start.scales import Scale, bias_scale, scale_of

Array = NDArray[Any]
Shapes = dict[str, tuple[int, ...]]

# Numbers that are in memory at once, for several rows.
_MOST_NUMBERS = 2**23

# A name in an order of drawing: w and b may have the number of a hidden layer, and an array with .T is
# drawn transposed.
_NAME = re.compile(f"[wb][1-{MAX_LAYERS}]?|[vck]")


class Start(NamedTuple):
    """How initial weights are drawn. With equal starts, networks of one seed and one shape begin with the same weights.

    Attributes
    ----------
    distribution
        ``"normal"``: scale * z with z of deviation 1; ``"uniform"``: on
        [-scale, scale), as -scale + (2 * scale) * u; ``"truncated_normal"``: as normal, without those z that are more
        than 2 from 0; ``"constant"``: scale.
    scale
        Of w, in the unit of a weight, or one of :data:`kernels.start.names.NAMED_SCALES`.
    output_scale
        Of v and k; None for ``scale``.
    bias_scale
        Of b and c; None for ``scale``, or 0 where ``scale`` is a name. With 0 their numbers are drawn, but not used.
    mirrored
        Whether the second half of the units of the last hidden layer begins as the first, with opposite output
        weights, so that outputs begin at their bias but for rounding (Zhang, Xu, Luo and Ma, 2020).
    order
        The parameters in their order of drawing, each once, as in ``"w.T b v c"``. An array of weights with ``.T`` is
        drawn transposed. Those of several hidden layers are w1, b1, w2, ..; w and b are those of all layers that are
        not named, from the inputs up. Parameters that a network does not have are not drawn.
    generator
        See :func:`kernels.start.numbers.fill_numbers`.
    by_numpy
        Whether NumPy draws the numbers, without a kernel, but slower for many networks. No result depends on it.
    attempt
        Attempts of a seed count from 0: attempt r takes the numbers that follow those of the r attempts before.
    """

    distribution: str = "normal"
    scale: Scale = 1.0
    output_scale: Scale | None = None
    bias_scale: float | None = None
    order: str = "w v b c k"
    generator: str = "mt19937"
    by_numpy: bool = False
    mirrored: bool = False
    attempt: int = 0


@default_floating_point
def initial_weights(
    start: Start, seeds: Array, architecture: Architecture, hidden: Hidden, dtype: str, out: Array | None = None
) -> Array:
    """Draw the initial parameters of one network per seed, in float64, and round them at the end.

    Parameters
    ----------
    start
    seeds : (n,)
        Integers from 0 to 2^32 - 1.
    architecture, hidden
        Of the networks.
    dtype
        Of the result.
    out : (n, parameters) of ``dtype``
        Where the result is written, in C order; by default new memory.

    Returns
    -------
    (n, parameters) of ``dtype``
        In the order of :meth:`kernels.recipe.Architecture.shapes`, not in the order of drawing.

    Raises
    ------
    ValueError
        If the order of drawing does not fit these networks, ``out`` does not fit, or a seed is out of range.
    """
    shape = seeds.size, architecture.n_parameters(hidden)
    weights = np.empty(shape, dtype) if out is None else out
    if weights.shape != shape or weights.dtype != dtype:
        raise ValueError(f"out: must have shape {shape} and dtype {dtype}, got {weights.shape} and {weights.dtype}")
    shapes = architecture.shapes(hidden)
    drawn = _read(start.order, shapes)
    scales = _scales(start, shapes)
    with np.errstate(over="ignore", invalid="ignore"):  # a number beyond the dtype is infinite
        if _takes_one_pass(drawn, scales) and not start.attempt:
            factor, shift = _factor_and_shift(start.distribution, next(iter(scales.values())))
            _fill(start, weights, seeds, factor, shift)
        else:
            scale = np.concatenate([np.full(math.prod(shapes[name]), scales[name], np.float64) for name in shapes])
            factor, shift = _factor_and_shift(start.distribution, scale)
            for rows in _few_at_once(len(weights), (1 + start.attempt) * shape[1]):
                numbers = np.empty((len(weights[rows]), (1 + start.attempt) * shape[1]))
                _fill(start, numbers, seeds[rows])
                parameters = numbers[:, start.attempt * shape[1] + _places(drawn, shapes)]
                parameters *= factor
                parameters += shift
                weights[rows] = parameters
    if start.mirrored:
        _mirror(weights, shapes)
    return weights


def _few_at_once(n_rows: int, n_numbers: int) -> list[slice]:
    """Return slices of rows that have at most as many numbers as are drawn at once."""
    count = max(1, _MOST_NUMBERS // n_numbers)
    return [slice(first, first + count) for first in range(0, n_rows, count)]


def _fill(start: Start, numbers: Array, seeds: Array, factor: float = 1.0, shift: float = -0.0) -> None:
    """Draw the first numbers of each seed and scale them; those of the constant distribution are 1."""
    fill = fill_by_numpy if start.by_numpy else fill_numbers
    if start.distribution == "constant":
        numbers[:] = factor
    elif start.distribution == "truncated_normal":
        fill_truncated(fill, numbers, seeds, start.generator, factor)
    else:
        fill(numbers, seeds, start.distribution, start.generator, factor, shift)


def _mirror(weights: Array, shapes: Shapes) -> None:
    """Copy the first half of the last hidden layer's units to the second, with opposite output weights."""
    places = parameter_slices(shapes)
    layer = max((name for name in shapes if name[0] == "w"), key=lambda name: int(name[1:] or 1))
    for name, shape in shapes.items():
        values = weights[:, places[name]].reshape(len(weights), *shape)
        half = shapes[layer][1] // 2
        if name == layer:
            values[:, :, half:] = values[:, :, :half]
        elif name == "b" + layer[1:]:
            values[:, half:] = values[:, :half]
        elif name == "v":
            values[:, half:] = -values[:, :half]


def uncompiled(start: Start, architecture: Architecture, hidden: Hidden, dtype: str) -> Kernel | None:
    """Return the kernel that :func:`initial_weights` needs, or None if this process or the disk has its code."""
    shapes = architecture.shapes(hidden)
    one_pass = _takes_one_pass(_read(start.order, shapes), _scales(start, shapes))
    if start.by_numpy or start.distribution == "constant":
        return None
    if start.distribution == "truncated_normal":
        return uncompiled_draw("normal", start.generator, "float64")
    return uncompiled_draw(start.distribution, start.generator, dtype if one_pass else "float64")


def _takes_one_pass(drawn: dict[str, bool], scales: dict[str, float]) -> bool:
    """Return whether parameters are drawn in the order of memory with one scale: numbers are then written in place."""
    return list(drawn) == list(scales) and not any(drawn.values()) and len(set(scales.values())) == 1


def _factor_and_shift(distribution: str, scale: Any) -> tuple[Any, Any]:
    """Return the factor of a random number, and the number that is then added."""
    return (2 * scale, -scale) if distribution == "uniform" else (scale, -0.0)


def _scales(start: Start, shapes: Shapes) -> dict[str, float]:
    """Return the scale of each parameter array that the network has."""
    of_output = start.scale if start.output_scale is None else start.output_scale
    of_bias = bias_scale(start.scale) if start.bias_scale is None else start.bias_scale
    by_kind = {"w": start.scale, "v": of_output, "k": of_output}
    return {
        name: scale_of(by_kind[name[0]], start.distribution, *shape) if name[0] in by_kind else of_bias
        for name, shape in shapes.items()
    }


def _read(order: str, shapes: Shapes) -> dict[str, bool]:
    """Read an order of drawing: the parameter arrays of the network in that order, and whether each is transposed."""
    marks: dict[str, bool] = {}
    for entry in order.split():
        name, _, mark = entry.partition(".")
        if not _NAME.fullmatch(name) or entry not in (name, f"{name}.T") or (mark and name[0] in "bc"):
            raise ValueError(
                "order: must name w, v, b, c or k, or w or b with the number of a layer (as w2), and w, v and k may "
                f"end in .T, got {entry!r} in {order!r}"
            )
        if name in marks:
            raise ValueError(f"order: must name {name} once, got {order!r}")
        marks[name] = mark == "T"
    # With one hidden layer, w1 and b1 are w and b.
    numbered = {name: name if name in shapes or name[1] != "1" else name[0] for name in marks if name[1:]}
    read: dict[str, bool] = {}
    for name, is_transposed in marks.items():
        not_named = [each for each in shapes if each[0] == name and each not in numbered.values()]
        for each in [numbered[name]] if name in numbered else not_named:
            if each in shapes:
                read[each] = is_transposed
    missing = [name for name in shapes if name not in read]
    if missing:
        raise ValueError(f"order: must also name {', '.join(missing)}, got {order!r}")
    return read


def _places(drawn: dict[str, bool], shapes: Shapes) -> NDArray[np.int64]:
    """Return for each parameter, (parameters,), the index of its number among those of a seed."""
    places = {}
    first = 0
    for name, is_transposed in drawn.items():
        last = first + math.prod(shapes[name])
        part = np.arange(first, last).reshape(shapes[name][::-1] if is_transposed else shapes[name])
        places[name] = (part.T if is_transposed else part).ravel()
        first = last
    return np.concatenate([places[name] for name in shapes])

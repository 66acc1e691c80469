"""Initial weights: how a seed's random numbers are assigned to parameters and scaled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.floating_point import default_floating_point
from kernels.numba.machine_code import Kernel
from kernels.recipe import Architecture, Hidden
from kernels.shapes import parameter_slices
from kernels.start.names import ARRAY, Scale, bias_scale, by_array, scale_of, value_for
from kernels.start.numbers import fill_by_numpy, fill_in_turn, fill_numbers, fill_truncated, uncompiled_draw

Array = NDArray[Any]
Shapes = dict[str, tuple[int, ...]]

# Numbers that are in memory at once, for several rows.
_MOST_NUMBERS = 2**23


# Fields of a start by which its random numbers are multiplied, or which are added to them.
SCALES = ("scale", "output_scale", "bias_scale", "offset")


class Start(NamedTuple):
    """How initial weights are drawn. With equal starts, networks of one seed and one shape begin with the same weights.

    ``distribution``, ``scale`` and ``offset`` may name arrays with other values, as in ``"1.0 w=he b2=0.1"``; these
    win over ``output_scale`` and ``bias_scale``.

    Attributes
    ----------
    distribution
        ``"normal"``: scale * z with z of deviation 1; ``"uniform"``: on
        [-scale, scale), as -scale + (2 * scale) * u; ``"truncated_normal"``: as normal, without those z that are more
        than 2 from 0; ``"constant"``: scale. Constant arrays take no numbers of the stream. If others differ in their
        distribution, NumPy draws them.
    scale
        Of w, in the unit of a weight, or one of :data:`kernels.start.names.NAMED_SCALES`.
    output_scale
        Of v, and of k to the outputs; None for ``scale``.
    bias_scale
        Of b and c; None for ``scale``, or 0 where ``scale`` is a name only for weights. With 0 their numbers are drawn,
        but not used.
    offset
        Added to each weight: offset + scale * z, and (offset - scale) + (2 * scale) * u. Biases may have one for each
        unit, as in ``"0 b=[4,-4]"``.
    order
        The parameters in their order of drawing, each once, as in ``"w.T b v c"``. An array of weights with ``.T`` is
        drawn transposed. Those of several hidden layers are w1, b1, w2, .., and k2, .. with skips to all layers; w, b
        and k are those of all layers that are not named, from the inputs up. Parameters that a network does not have
        are not drawn.
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
    bias_scale: Scale | None = None
    order: str = "w v b c k"
    generator: str = "mt19937"
    by_numpy: bool = False
    attempt: int = 0
    offset: float | str = 0.0

    def alike(self) -> Start:
        """Return this start with default :data:`SCALES`. Starts that are alike draw the same numbers for a seed."""
        return self._replace(**{name: self._field_defaults[name] for name in SCALES})


@default_floating_point
def initial_weights(
    start: Start,
    seeds: Array,
    architecture: Architecture,
    hidden: Hidden,
    dtype: str,
    out: Array | None = None,
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
    shapes = architecture.shapes(hidden)
    weights = _memory(seeds, architecture.n_parameters(hidden), dtype, out)
    drawn = _read(start.order, shapes)
    ways = _ways(start, shapes)
    with np.errstate(over="ignore", invalid="ignore"):  # a number beyond the dtype is infinite
        if _takes_one_pass(drawn, ways) and not start.attempt:
            way = next(iter(ways.values()))
            _fill(start, way.distribution, weights, seeds, way.factor, way.shift)
        else:
            factor, shift = _factors_and_shifts(ways, shapes)
            for rows in _few_at_once(len(weights), (1 + start.attempt) * weights.shape[1]):
                parameters = _random_numbers(start, seeds[rows], drawn, ways, shapes)
                parameters *= factor
                parameters += shift
                weights[rows] = parameters
    return weights


@default_floating_point
def weights_by_start(
    starts: Sequence[Start],
    which: NDArray[np.int64],
    seeds: Array,
    architecture: Architecture,
    hidden: Hidden,
    dtype: str,
    out: Array | None = None,
) -> Array:
    """Draw the initial parameters of networks with several starts that differ only in :data:`SCALES`.

    The numbers of a seed are drawn once, and scaled for each network: much faster than :func:`initial_weights` for
    each start if few networks share one.

    Parameters
    ----------
    starts
        The starts, which are :meth:`Start.alike`.
    which : (n,)
        The index of each network's start.
    seeds : (n,)
    architecture, hidden, dtype, out
        As for :func:`initial_weights`, which raises the same errors for them.

    Returns
    -------
    (n, parameters) of ``dtype``
        Those of :func:`initial_weights` for each network.
    """
    shapes = architecture.shapes(hidden)
    weights = _memory(seeds, architecture.n_parameters(hidden), dtype, out)
    distinct, place = np.unique(seeds, return_inverse=True)
    ways = [_ways(start, shapes) for start in starts]
    numbers = _random_numbers(starts[0], distinct, _read(starts[0].order, shapes), ways[0], shapes)
    factors, shifts = (np.array(each) for each in zip(*(_factors_and_shifts(way, shapes) for way in ways), strict=True))
    with np.errstate(over="ignore", invalid="ignore"):
        for rows in _few_at_once(*weights.shape):
            parameters = numbers[place[rows]]
            parameters *= factors[which[rows]]
            parameters += shifts[which[rows]]
            weights[rows] = parameters
    return weights


def _memory(seeds: Array, n_parameters: int, dtype: str, out: Array | None) -> Array:
    """Return where the parameters of networks are written."""
    shape = seeds.size, n_parameters
    if out is None:
        return np.empty(shape, dtype)
    if out.shape != shape or out.dtype != dtype:
        raise ValueError(f"out: must have shape {shape} and dtype {dtype}, got {out.shape} and {out.dtype}")
    return out


def _random_numbers(start: Start, seeds: Array, drawn: dict[str, bool], ways: dict[str, _Way], shapes: Shapes) -> Array:
    """Return the random number of each parameter before it is scaled, (n, parameters); that of constant ones is 1."""
    turns = [(ways[name].distribution, math.prod(shapes[name])) for name in drawn]
    turns = [turn for turn in turns if turn[0] != "constant"]
    n_drawn = sum(count for _, count in turns)
    places = _places(drawn, shapes, ways)
    numbers = np.empty((len(seeds), (1 + start.attempt) * n_drawn or 1))
    _fill_turns(start, numbers, seeds, turns)
    parameters: Array = numbers[:, start.attempt * n_drawn + np.maximum(places, 0)]
    parameters[:, places < 0] = 1.0
    return parameters


def _factors_and_shifts(ways: dict[str, _Way], shapes: Shapes) -> tuple[Array, Array]:
    """Return the factor of each parameter's random number and what is then added, (parameters,) each."""
    sizes = [math.prod(each) for each in shapes.values()]
    factors, shifts = (np.repeat([way[k] for way in ways.values()], sizes) for k in (1, 2))
    for name, places in parameter_slices(shapes).items() if any(way.shifts for way in ways.values()) else ():
        shifts[places] = ways[name].shifts or ways[name].shift
    return factors, shifts


def _few_at_once(n_rows: int, n_numbers: int) -> list[slice]:
    """Return slices of rows that have at most as many numbers as are drawn at once."""
    count = max(1, _MOST_NUMBERS // n_numbers)
    return [slice(first, first + count) for first in range(0, n_rows, count)]


def _fill(
    start: Start, distribution: str, numbers: Array, seeds: Array, factor: float = 1.0, shift: float = -0.0
) -> None:
    """Draw the first numbers of each seed and scale them; those of the constant distribution are 1."""
    fill = fill_by_numpy if start.by_numpy else fill_numbers
    if distribution == "constant":
        numbers[:] = factor + shift
    elif distribution == "truncated_normal":
        fill_truncated(fill, numbers, seeds, start.generator, factor, shift)
    else:
        fill(numbers, seeds, distribution, start.generator, factor, shift)


def _fill_turns(start: Start, numbers: Array, seeds: Array, turns: list[tuple[str, int]]) -> None:
    """Draw the numbers of all attempts of each seed, of one distribution or of several in turn."""
    distributions = {distribution for distribution, _ in turns}
    if len(distributions) > 1:
        fill_in_turn(numbers, seeds, turns * (1 + start.attempt), start.generator)
    elif distributions:
        _fill(start, distributions.pop(), numbers, seeds)


def uncompiled(start: Start, architecture: Architecture, hidden: Hidden, dtype: str) -> Kernel | None:
    """Return the kernel that :func:`initial_weights` needs, or None if this process or the disk has its code."""
    shapes = architecture.shapes(hidden)
    ways = _ways(start, shapes)
    one_pass = _takes_one_pass(_read(start.order, shapes), ways)
    distributions = {way.distribution for way in ways.values()} - {"constant"}
    if start.by_numpy or len(distributions) != 1:
        return None
    if "truncated_normal" in distributions:
        return uncompiled_draw("normal", start.generator, "float64")
    return uncompiled_draw(distributions.pop(), start.generator, dtype if one_pass else "float64")


class _Way(NamedTuple):
    """How the numbers of one parameter array are made."""

    distribution: str
    factor: float  # of a random number
    shift: float  # which is then added
    shifts: tuple[float, ...] = ()  # in place of it, those of each element


def _takes_one_pass(drawn: dict[str, bool], ways: dict[str, _Way]) -> bool:
    """Return whether parameters are drawn in the order of memory in one way: numbers are then written in place."""
    return list(drawn) == list(ways) and not any(drawn.values()) and len(set(ways.values())) == 1


def _ways(start: Start, shapes: Shapes) -> dict[str, _Way]:
    """Return how each parameter array that the network has is drawn."""
    of_most = {option: by_array(getattr(start, option))[0] for option in ("distribution", "scale", "offset")}
    of_bias = bias_scale(of_most["scale"]) if start.bias_scale is None else start.bias_scale
    of_output = of_most["scale"] if start.output_scale is None else start.output_scale
    by_kind = {"w": of_most["scale"], "v": of_output, "k": of_output, "b": of_bias, "c": of_bias}
    ways = {}
    for name in shapes:
        of_most["scale"] = by_kind["w" if name[0] == "k" and name[1:] else name[0]]
        own = {option: value_for(getattr(start, option), name) for option in of_most}
        distribution, scale, offset = (of_most[each] if own[each] is None else own[each] for each in of_most)
        fans = shapes[{"b": f"w{name[1:]}", "c": "v"}.get(name[0], name)]
        scale = scale_of(scale, distribution, *fans)
        factor, least = (2 * scale, -scale) if distribution == "uniform" else (scale, -0.0)
        if isinstance(offset, tuple):
            ways[name] = _Way(distribution, factor, 0.0, tuple(each + least if each else least for each in offset))
        else:
            ways[name] = _Way(distribution, factor, offset + least if offset else least)
    return ways


def _read(order: str, shapes: Shapes) -> dict[str, bool]:
    """Read an order of drawing: the parameter arrays of the network in that order, and whether each is transposed."""
    marks: dict[str, bool] = {}
    for entry in order.split():
        name, _, mark = entry.partition(".")
        if not ARRAY.fullmatch(name) or entry not in (name, f"{name}.T") or (mark and name[0] in "bc"):
            raise ValueError(
                "order: must name w, v, b, c or k, or w, b or k with the number of a layer (as w2), and w, v and k may "
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


def _places(drawn: dict[str, bool], shapes: Shapes, ways: dict[str, _Way]) -> NDArray[np.int64]:
    """Return for each parameter, (parameters,), the index of its number among those of a seed, -1 if it is constant."""
    places = {}
    first = 0
    for name, is_transposed in drawn.items():
        if ways[name].distribution == "constant":
            places[name] = np.full(math.prod(shapes[name]), -1)
            continue
        last = first + math.prod(shapes[name])
        part = np.arange(first, last).reshape(shapes[name][::-1] if is_transposed else shapes[name])
        places[name] = (part.T if is_transposed else part).ravel()
        first = last
    return np.concatenate([places[name] for name in shapes])

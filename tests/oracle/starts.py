"""Initial weights: drawn in float64, scaled, and rounded to the dtype."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from tests.oracle.components import Array

# The deviation of standard normal numbers within 2 of 0, to sixteen digits.
TRUNCATED_DEVIATION = 0.8796256610342398


def initial_weights(seeds: Iterable[int], n: int, distribution: str, scale: float, generator: str, dtype: str) -> Array:
    """Draw n weights for each of R seeds, in float64, then rounded to the dtype: (R, n)."""
    draws = np.array([draw(int(seed), n, distribution, generator) for seed in seeds])
    return scaled(draws, distribution, scale).astype(dtype)


def initial_parameters(
    seeds: Iterable[int],
    shapes: Mapping[str, tuple[int, ...]],
    distribution: str | Mapping[str, str],
    scales: Mapping[str, float | str],
    generator: str,
    dtype: str,
    order: str | None = None,
    *,
    attempt: int = 0,
    offsets: Mapping[str, npt.ArrayLike] | None = None,
) -> Array:
    """Draw the parameters of `parameter_shapes` for each of R seeds in any order and with separate scales.

    `scales` are those of "w" (and k2, ..), of "v" (and k) and of the "biases", and those of single arrays by their
    names. A scale of 0 draws numbers too; a named one follows from the fans of the array's layer. `distribution` is one
    for all, or by the name of each array; NumPy's generator then draws array after array, constant ones without a
    number. `offsets` by the name of each array are added. `order` names the parameters in their order of drawing, by
    default that of `shapes`, with ".T" where an array (inputs, hidden), (hidden, outputs) or (inputs, outputs) is drawn
    transposed.
    Absent parameters are not drawn. The result (R, P) is in the order of `shapes`.
    An attempt takes the numbers that follow those of the attempts before.
    """
    of_kind = {"w": "w", "v": "v", "k": "v", "b": "biases", "c": "biases"}
    kinds = {name: distribution if isinstance(distribution, str) else distribution[name] for name in shapes}
    in_order = dict.fromkeys(drawn_in_order((order or " ".join(shapes)).split(), list(shapes)))
    rows = []
    for seed in seeds:
        parts: dict[str, Array] = {}
        remaining = draw_in_turn(
            int(seed),
            [(kinds[name], math.prod(shapes[name])) for name, _ in in_order] * (attempt + 1),
            generator,
        )[-sum(math.prod(shape) for shape in shapes.values()) :]
        for name, transposed in in_order:
            shape = shapes[name][::-1] if transposed else shapes[name]
            drawn, remaining = np.split(remaining, [math.prod(shape)])
            scale = scales[name if name in scales else of_kind["w" if name[0] == "k" and name[1:] else name[0]]]
            if isinstance(scale, str):
                weights = {"b": "w" + name[1:], "c": "v"}.get(name[0], name)
                scale = named_scale(scale, kinds[name], *shapes[weights])
            drawn = scaled(drawn, kinds[name], scale, (offsets or {}).get(name, 0.0)).reshape(shape)
            parts[name] = drawn.T if transposed else drawn
        rows.append(np.concatenate([parts[name].ravel() for name in shapes]))
    return np.array(rows).astype(dtype)


def drawn_in_order(entries: list[str], names: list[str]) -> Iterator[tuple[str, bool]]:
    """Return the parameters in their order of drawing, and whether each is transposed.

    w and b stand for all layers that no name with a number names, in the order of the layers; where the only hidden
    layer has no number, w1 and b1 belong to it.
    """
    listed = [entry.removesuffix(".T") for entry in entries]
    if "w" in names:
        listed = [{"w1": "w", "b1": "b", "w": "w*", "b": "b*"}.get(name, name) for name in listed]
    for entry, name in zip(entries, listed, strict=True):
        kind = name.removesuffix("*")
        rest = [each for each in names if each[0] == kind and (each not in listed or each in ("v", "c", "k"))]
        yield from ((each, entry.endswith(".T")) for each in ([name] if is_one(name, names) else rest))


def is_one(name: str, names: list[str]) -> bool:
    """Return whether a name in an order stands for one array: k also stands for the k2, k3, .. that are not named."""
    return name in names and (name[0] in "wb" or name[1:] != "")


def named_scale(name: str, distribution: str, fan_in: int, fan_out: int) -> float:
    """Return the scale with which numbers have the deviation of a name, whatever their distribution."""
    variance = {"glorot": (2, fan_in + fan_out), "he": (2, fan_in), "lecun": (1, fan_in), "torch": (1 / 3, fan_in)}[
        name
    ]
    gain, fan = variance
    if distribution == "uniform":
        return math.sqrt(3 * gain / fan)
    if distribution == "truncated_normal":
        return math.sqrt(gain / fan) / TRUNCATED_DEVIATION
    return math.sqrt(gain / fan)


def scaled(
    draws: npt.NDArray[np.float64], distribution: str, scale: float, offset: npt.ArrayLike = 0.0
) -> npt.NDArray[np.float64]:
    """Scale standard numbers to a standard deviation, or to the range from -scale to scale, both around the offset."""
    offset = np.asarray(offset, np.float64)  # of all, or of each unit
    if distribution == "uniform":
        return np.where(offset != 0, offset - scale, -scale) + (2 * scale) * draws
    return np.where(offset != 0, offset + scale * draws, scale * draws)


def draw_in_turn(seed: int, turns: list[tuple[str, int]], generator: str) -> npt.NDArray[np.float64]:
    """Draw numbers of each of some distributions in turn from one generator, one by one; constants are 1."""
    if len({kind for kind, _ in turns}) == 1:
        return draw(seed, sum(count for _, count in turns), turns[0][0], generator)
    random = np.random.RandomState(seed) if generator == "mt19937" else np.random.default_rng(seed)
    found = []
    for kind, count in turns:
        last = len(found) + count
        while len(found) < last:
            if kind == "constant":
                found.append(1.0)
            elif kind == "uniform":
                found.append(float(random.uniform()))
            elif abs(z := float(random.normal())) <= 2 or kind == "normal":
                found.append(z)
    return np.array(found)


def draw(seed: int, n: int, distribution: str, generator: str) -> npt.NDArray[np.float64]:
    """Draw n standard normal or uniform [0, 1) numbers from the generator of one seed; constant ones are 1."""
    if distribution == "constant":
        return np.ones(n)
    if distribution == "truncated_normal":
        kept = [z for z in draw(seed, 2 * n + 50, "normal", generator).tolist() if -2 <= z <= 2]
        assert len(kept) >= n, "more than half of the numbers are beyond"
        return np.array(kept[:n])
    if generator == "mt19937":
        old = np.random.RandomState(seed)
        return old.randn(n) if distribution == "normal" else old.random_sample(n)
    if generator == "pcg64":
        new = np.random.default_rng(seed)
        return new.standard_normal(n) if distribution == "normal" else new.random(n)
    raise ValueError(f"generator is {generator!r}, not 'mt19937' or 'pcg64'")

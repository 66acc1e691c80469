"""Streams of NumPy's generators that go on after initial weights, for orders of patterns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.recipe import Hidden, Recipe
from kernels.start.initialize import Start, drawn_turns
from kernels.start.numpy_shuffle import N_NUMBERS

Array = NDArray[Any]

# ``numpy.random.RandomState``, or ``Generator``
Random = Any


def turns_before_orders(recipe: Recipe, hidden: Hidden) -> list[tuple[str, int]]:
    """Return distributions, and how many numbers of each initial weights take from the stream of a seed, in turn."""
    _, _, drawn = recipe.order.partition(" ")
    distribution, _, order = drawn.partition(" in ")
    start = Start(distribution, order=order or Start().order)
    return drawn_turns(start, recipe.architecture.shapes(hidden))


def random_of(generator: str, seed: int) -> Random:
    """Return the generator of a seed."""
    return np.random.default_rng(seed) if generator == "pcg64" else np.random.RandomState(seed)


def draw_turns(random: Random, turns: list[tuple[str, int]]) -> list[float]:
    """Draw normal and uniform numbers in turn, as NumPy does when arrays of them are drawn one after another."""
    numbers: list[float] = []
    for distribution, count in turns:
        drawn = random.standard_normal(count) if distribution == "normal" else random.uniform(size=count)
        numbers += drawn.tolist()
    return numbers


def numbers_of(random: Random) -> list[int]:
    """Return the state of a generator as :mod:`kernels.start.numpy_shuffle` keeps it."""
    if isinstance(random, np.random.RandomState):
        words: Any
        _, words, position, *_ = random.get_state(legacy=True)
        return [*words.tolist(), int(position)]
    known = random.bit_generator.state
    numbers = [known["state"][name] >> shift & 0xFFFFFFFF for name in ("state", "inc") for shift in (96, 64, 32, 0)]
    return [*numbers, known["has_uint32"], known["uinteger"]]


def streams_of(recipe: Recipe, hidden: Hidden, seeds: Array) -> Array:
    """Return the streams of seeds after their initial weights, (n, numbers) of int64."""
    generator, turns = recipe.generator_of_orders, turns_before_orders(recipe, hidden)
    distinct, places = np.unique(seeds, return_inverse=True)
    streams = np.empty((len(distinct), N_NUMBERS[generator]), np.int64)
    for row, seed in zip(streams, distinct.tolist(), strict=True):
        random = random_of(generator, seed)
        draw_turns(random, turns)
        row[:] = numbers_of(random)
    return streams[places]

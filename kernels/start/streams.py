"""Streams of NumPy's generators that go on after initial weights, for orders of patterns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kernels.recipe import Hidden, Recipe
from kernels.start.initialize import Start, drawn_turns
from kernels.start.numpy_shuffle import N_NUMBERS

Array = NDArray[Any]

# ``numpy.random.RandomState``, or ``Generator``
Random = Any

Item = TypeVar("Item")

# Seconds between two pauses.
_PAUSE_SECONDS = 1.0


def turns_before_orders(recipe: Recipe, hidden: Hidden) -> list[tuple[str, int]]:
    """Return distributions, and how many numbers of each initial weights take from the stream of a seed, in turn."""
    _, _, drawn = recipe.order.partition(" ")
    distribution, _, order = drawn.partition(" in ")
    start = Start(distribution, order=order or Start().order)
    return drawn_turns(start, recipe.architecture.shapes(hidden))


def random_of(generator: str, seed: int) -> Random:
    """Return the generator of a seed."""
    return np.random.default_rng(seed) if generator == "pcg64" else np.random.RandomState(seed)


def reseeded(random: Random, seed: int) -> Random:
    """Return the generator of another seed, which may be the same object: a new ``RandomState`` costs far more."""
    if isinstance(random, np.random.RandomState):
        random.seed(seed)  # also forgets a kept normal number
        return random
    return np.random.default_rng(seed)


def draw_turns(random: Random, turns: list[tuple[str, int]]) -> list[float]:
    """Draw normal and uniform numbers in turn, as NumPy does when arrays of them are drawn one after another."""
    numbers: list[float] = []
    for distribution, count in turns:
        drawn = random.standard_normal(count) if distribution == "normal" else random.uniform(size=count)
        numbers += drawn.tolist()
    return numbers


def numbers_of(random: Random) -> Array:
    """Return the state of a generator as :mod:`kernels.start.numpy_shuffle` keeps it, (numbers,) of int64."""
    if isinstance(random, np.random.RandomState):
        words: Any
        _, words, position, *_ = random.get_state(legacy=True)
        return np.append(words.astype(np.int64), position)
    known = random.bit_generator.state
    numbers = [known["state"][name] >> shift & 0xFFFFFFFF for name in ("state", "inc") for shift in (96, 64, 32, 0)]
    return np.array([*numbers, known["has_uint32"], known["uinteger"]], np.int64)


def with_pauses(items: Iterable[Item], pause: Callable[[], None] | None) -> Iterator[Item]:
    """Yield items, and call ``pause`` about every second between them."""
    begin = time.monotonic()
    for item in items:
        yield item
        if pause and time.monotonic() - begin > _PAUSE_SECONDS:
            pause()
            begin = time.monotonic()


def streams_of(recipe: Recipe, hidden: Hidden, seeds: Array, pause: Callable[[], None] | None = None) -> Array:
    """Return the streams of seeds after their initial weights, (n, numbers) of int64.

    ``pause`` is called about every second. An exception that it raises ends the work.
    """
    generator, turns = recipe.generator_of_orders, turns_before_orders(recipe, hidden)
    distinct, places = np.unique(seeds, return_inverse=True)
    streams = np.empty((len(distinct), N_NUMBERS[generator]), np.int64)
    random = random_of(generator, 0)
    for row, seed in with_pauses(zip(streams, distinct.tolist(), strict=True), pause):
        random = reseeded(random, seed)
        draw_turns(random, turns)
        row[:] = numbers_of(random)
    return streams[places]

"""Random numbers with the bits of NumPy's generators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.numba.compiling import claimed
from kernels.numba.jit import kernel
from kernels.numba.machine_code import Kernel, is_compiled, is_loaded
from kernels.start.draws import CHUNK, Scratch, Wanted, make_fill_normal, make_fill_uniform, make_scratch
from kernels.start.mersenne import MAX_SEED, OFFSET, STATE_WORDS, WIDTH, make_next_words, make_seed_rows
from kernels.start.names import GENERATORS

Array = NDArray[Any]

# Distributions that are drawn directly; others are made from them.
_DRAWN = ("normal", "uniform")

# Up to this many seeds, of at least this many numbers each, are drawn by NumPy: the kernel draws WIDTH seeds at a time.
_FEW_SEEDS, _MANY_NUMBERS = 2, 256

# Scratch memory that no thread uses now. It is kept, since new memory is slow.
_idle: list[Scratch] = []


@cache
def make_draw(distribution: str) -> Callable[[Array, Array, Array, Scratch, Wanted, int], int]:
    """Make the kernel that draws a row of numbers for each seed.

    ``(seeds, numbers, late, scratch, wanted, n_outputs) -> int``: makes at most ``n_outputs`` outputs of the generator
    of each seed, or with 0 as many as are needed. Writes the rows that need more to ``late``, and returns how many
    these are.
    """
    seed_rows = make_seed_rows()
    next_words = make_next_words()
    fill = {"normal": make_fill_normal, "uniform": make_fill_uniform}[distribution]()

    @kernel(distribution)
    def draw(seeds: Array, numbers: Array, late: Array, scratch: Scratch, wanted: Wanted, n_outputs: int) -> int:
        state, words, filled = scratch.state, scratch.words, scratch.filled
        n_late = 0
        for start in range(0, seeds.size, WIDTH):
            count = WIDTH if seeds.size - start > WIDTH else seeds.size - start
            for lane in range(WIDTH):
                state[0, lane] = seeds[start + (lane if lane < count else count - 1)]
                filled[lane] = 0 if lane < count else wanted.n_numbers  # a padding lane is full from the start
            seed_rows(state, n_outputs)
            position = 0
            unfinished = count
            while unfinished > 0 and (position < n_outputs or not n_outputs):
                next_words(state, words, position)
                position += CHUNK
                fill(scratch, numbers, wanted, start)
                unfinished = 0
                for lane in range(WIDTH):
                    unfinished += filled[lane] < wanted.n_numbers
            for lane in range(WIDTH if unfinished > 0 else 0):
                if filled[lane] < wanted.n_numbers:
                    late[n_late] = start + lane
                    n_late += 1
        return n_late

    return draw


def _take_scratch() -> Scratch:
    """Take scratch memory for drawing; the caller gives it back to ``_idle``."""
    try:
        return _idle.pop()
    except IndexError:
        return make_scratch()


def uncompiled_draw(distribution: str, generator: str, dtype: str) -> Kernel | None:
    """Return the kernel that :func:`fill_numbers` needs.

    None if this process or the disk has its machine code, or NumPy draws the numbers.
    """
    if generator == "pcg64":
        return None
    draw = make_draw(distribution)
    scratch = _take_scratch()
    arguments = np.empty(0, np.uint32), np.empty(0, dtype), np.empty(0, np.int64), scratch, Wanted(0, 1.0, 0.0), 0
    _idle.append(scratch)
    return None if is_compiled(draw, arguments) else draw


def _first_outputs(count: int, distribution: str) -> int:
    """Return how many outputs are enough for ``count`` numbers of 98 % of all seeds; 0 to draw all in one round.

    A point is in the circle with probability pi / 4. All of the state is needed for 228 outputs.
    """
    n_points = -(-count // 2)
    n_chunks = -(-(n_points + 2) // 7) if distribution == "normal" else -(-4 * n_points // CHUNK)
    return CHUNK * n_chunks if OFFSET + CHUNK * n_chunks <= STATE_WORDS else 0


def fill_numbers(
    numbers: Array, seeds: Array, distribution: str, generator: str, scale: float = 1.0, shift: float = -0.0
) -> None:
    """Draw the first numbers of each seed.

    Parameters
    ----------
    numbers : (n, count)
        Where shift + scale * z is written for each number z. It is computed
        in float64 and rounded at the end. In C order.
    seeds : (n,)
        Integers from 0 to 2^32 - 1.
    distribution
        ``"normal"`` (mean 0, deviation 1) or ``"uniform"`` (in [0, 1)).
    generator
        ``"mt19937"``: as ``numpy.random.RandomState(seed)`` by ``randn`` or
        ``random_sample``; ``"pcg64"``: as ``numpy.random.default_rng(seed)`` by
        ``standard_normal`` or ``random``, taken from NumPy itself.
    scale, shift
        Numbers, or arrays (count,).

    Raises
    ------
    ValueError
        If a seed is out of range or no integer, a name is unknown, or ``numbers`` does not fit.
    """
    _check(numbers, seeds, distribution, generator)
    few = len(numbers) <= _FEW_SEEDS and numbers.shape[1] >= _MANY_NUMBERS
    if generator == "pcg64" or few:
        fill_by_numpy(numbers, seeds, distribution, generator, scale, shift)
    else:
        with np.errstate(over="ignore", invalid="ignore"):  # a number beyond the dtype is infinite
            _fill_mt19937(numbers, seeds, distribution, Wanted(numbers.shape[1], scale, shift))


def fill_by_numpy(
    numbers: Array, seeds: Array, distribution: str, generator: str, scale: float = 1.0, shift: float = -0.0
) -> None:
    """Draw as :func:`fill_numbers` does, but with NumPy and without a kernel.

    Parameters
    ----------
    numbers, seeds, distribution, generator, scale, shift
        As for :func:`fill_numbers`, which raises the same errors for them.
    """
    _check(numbers, seeds, distribution, generator)
    numpy_generator: Any = np.random.RandomState()
    with np.errstate(over="ignore", invalid="ignore"):
        for seed, row in zip(seeds.tolist(), numbers, strict=True):
            if generator == "pcg64":
                numpy_generator = np.random.default_rng(seed)
            else:
                numpy_generator.seed(seed)  # a new RandomState takes 30 times as long
            z = (
                numpy_generator.standard_normal(row.size)
                if distribution == "normal"
                else numpy_generator.random(row.size)
            )
            row[:] = shift + scale * z


def fill_truncated(
    fill: Callable[..., None],
    numbers: Array,
    seeds: Array,
    generator: str,
    scale: float = 1.0,
    shift: float = -0.0,
) -> None:
    """Draw the first normal numbers of each seed that are at most 2 from 0.

    Parameters
    ----------
    fill
        :func:`fill_numbers` or :func:`fill_by_numpy`, which draws the normal numbers.
    numbers, seeds, generator, scale, shift
        As for :func:`fill_numbers`.
    """
    count = numbers.shape[1]
    rows = np.arange(len(seeds))
    n_drawn = count + count // 16 + 8  # 4.6 % are further from 0
    while rows.size:
        drawn = np.empty((rows.size, n_drawn))
        fill(drawn, seeds[rows], "normal", generator)
        taken = np.abs(drawn) <= 2.0
        n_taken = np.cumsum(taken, axis=1)
        enough = n_taken[:, -1] >= count
        taken &= n_taken <= count
        numbers[rows[enough]] = shift + scale * drawn[enough][taken[enough]].reshape(-1, count)
        rows = rows[~enough]
        n_drawn = 2 * n_drawn


def fill_in_turn(numbers: Array, seeds: Array, turns: Sequence[tuple[str, int]], generator: str) -> None:
    """Draw numbers of several distributions from the stream of each seed, one after another.

    ``turns`` are distributions and counts of numbers, which NumPy draws as it does when they are drawn by its calls.
    """
    _check(numbers, seeds, "normal", generator)
    for seed, row in zip(seeds.tolist(), numbers, strict=True):
        random: Any = np.random.default_rng(seed) if generator == "pcg64" else np.random.RandomState(seed)
        uniform = random.random if generator == "pcg64" else random.random_sample
        first = 0
        for distribution, count in turns:
            last = first + count
            while first < last:
                drawn = uniform(last - first) if distribution == "uniform" else random.standard_normal(last - first)
                drawn = drawn[np.abs(drawn) <= 2.0] if distribution == "truncated_normal" else drawn
                row[first : first + drawn.size] = drawn
                first += drawn.size


def _check(numbers: Array, seeds: Array, distribution: str, generator: str) -> None:
    if seeds.dtype.kind not in "iu":
        raise ValueError(f"seeds: must be integers, got {seeds.dtype}")
    if distribution not in _DRAWN or generator not in GENERATORS:
        raise ValueError(
            f"distribution and generator: must be of {_DRAWN} and {GENERATORS}, got {distribution!r} and {generator!r}"
        )
    if seeds.size and not (seeds.min() >= 0 and seeds.max() <= MAX_SEED):
        raise ValueError(f"seeds: must be from 0 to {MAX_SEED}, got {seeds.min()} to {seeds.max()}")
    if len(numbers) != seeds.size or not numbers.flags.c_contiguous:
        raise ValueError(f"numbers: must have one row for each of {seeds.size} seeds, in C order, got {len(numbers)}")


def _fill_mt19937(numbers: Array, seeds: Array, distribution: str, wanted: Wanted) -> None:
    """Draw in two rounds: the few seeds that need more outputs than the others take part in the second."""
    draw = make_draw(distribution)
    seeds = np.ascontiguousarray(seeds, np.uint32)
    late = np.empty(seeds.size, np.int64)
    scratch = _take_scratch()
    n_outputs = _first_outputs(wanted.n_numbers, distribution)
    arguments = seeds, numbers.reshape(-1), late, scratch, wanted, n_outputs
    with nullcontext() if is_loaded(draw) or is_compiled(draw, arguments) else claimed(draw):
        n_late = draw(*arguments)
    again = np.empty((n_late, wanted.n_numbers), numbers.dtype)
    draw(seeds[late[:n_late]], again.reshape(-1), late, scratch, wanted, 0)
    _idle.append(scratch)
    numbers[late[:n_late]] = again

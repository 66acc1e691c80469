"""The parts of a study, wave by wave of seeds, and the order in which they are trained."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice
from math import ceil, gcd
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from sweep.schedule.cost import RunCost

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Part:
    """Runs that are trained and committed together: visiting positions ``start`` to ``stop``, without ``stop``."""

    # Its number and its visiting positions
    index: int
    start: int
    stop: int
    cost: float = 0.0  # estimated operations if every run takes all its steps; 0 if unknown
    # Whether each of its cells, in visiting order, is trained; None for all
    open: NDArray[np.bool_] | None = field(default=None, compare=False)

    @property
    def n_runs(self) -> int:
        """Number of runs if all cells are open."""
        return self.stop - self.start


# A block is 1/32 of the study, but at least 5 ms of one core, since committing a part takes half a millisecond, and at
# most 250 ms. A study with more than 10,000 such blocks has longer ones, up to ten seconds or sixteen runs.
_SHARES, _MANY = 32, 10_000
_LEAST_OPERATIONS, _USUAL_OPERATIONS, _MOST_OPERATIONS = 8e8, 4e10, 1.6e12
# Most runs of a block: each thread holds the rows of a part in memory.
_MOST_RUNS = 2**17
# A wave has at most one fourth of all seeds.
_WAVES = 4
# Number of blocks at the end that are cut into several parts.
_LAST = 8
# Networks that train side by side; a part of one shape has a multiple of them.
_LANES = 16
# Networks that always train side by side: fewer take as long.
_LEAST_LANES = 8
# Fewest runs of a shape that each lane trains, one after the other.
_FEWEST = 2
# Most bytes of the weights of a piece, whose runs are drawn and trained together.
_PIECE_BYTES = 2**24


class _Stretch(NamedTuple):
    """Blocks of one shape with equally many runs, except the last; or one block of several shapes."""

    first_block: int
    start: int
    stop: int
    block_runs: int

    @property
    def n_blocks(self) -> int:
        return ceil((self.stop - self.start) / self.block_runs)


def seed_waves(n_seeds: int, shape_cells: int, operations: float) -> list[int]:
    """Return the seeds of each cell in each wave, which sum to ``n_seeds``.

    Runs of the cells of a shape train side by side; ``operations`` is the most that the runs of all seeds take.

    >>> seed_waves(1000, 13, 8e10)
    [10, 10, 20, 32, 64, 128, 240, 240, 256]
    """
    first = int(n_seeds * _LEAST_OPERATIONS / max(operations, _LEAST_OPERATIONS))
    first = max(first, ceil(_FEWEST * _LANES / shape_cells))
    most = max(first, ceil(n_seeds / _WAVES))
    step = _LANES // gcd(_LANES, shape_cells)
    waves, done = [], 0
    while done < n_seeds:
        wave = min(done, most) or first
        if wave > _FEWEST * step:
            wave -= wave % step  # so that no lane is idle
        waves.append(wave if done + 1.25 * wave <= n_seeds else n_seeds - done)
        done += waves[-1]
    return waves


class Begin(NamedTuple):
    """The start of a wave: the number of its first part, its first visiting position, and the seeds before it."""

    part: int
    position: int
    seeds: int


class Wave:
    """The parts of some seeds of every cell.

    Each shape has a cost of a run and a number of cells, in visiting order, and ``work`` is the operations of a block.
    With ``cut`` ``"end"`` the last blocks are cut, so that all cores finish together, with ``"blocks"`` no block is
    cut; a number, for tests, is the runs of each part. Neighbors of one kind train side by side; by default each shape
    is a kind. ``operations`` estimates all, if every run takes all its steps, ``lane_operations`` also those of lanes
    without a run.
    """

    def __init__(
        self,
        costs: Sequence[RunCost],
        shape_cells: int,
        n_seeds: int,
        begin: Begin,
        work: float,
        cut: Literal["end", "blocks"] | int,
        kinds: Sequence[int] | None = None,
    ) -> None:
        self.n_seeds, self.begin = n_seeds, begin
        self._costs, self._shape_runs = costs, shape_cells * n_seeds
        self._kinds = kinds or range(len(costs))
        self._operations = [0.0, *accumulate(cost.operations * self._shape_runs for cost in costs)]
        self._steps = [0, *accumulate(cost.n_steps * self._shape_runs for cost in costs)]
        self.operations = self._operations[-1]
        self.n_runs = len(costs) * self._shape_runs
        together = self.n_runs // len(set(self._kinds))  # runs that can train side by side
        self.lane_operations = self.operations / together * ceil(together / _LEAST_LANES) * _LEAST_LANES
        planned = isinstance(cut, str)
        self._stretches = list(self._make_stretches(work)) if planned else [_Stretch(0, 0, self.n_runs, int(cut))]
        self._first_blocks = [stretch.first_block for stretch in self._stretches]
        self._n_blocks = self._stretches[-1].first_block + self._stretches[-1].n_blocks
        # Blocks that are cut, with their numbers of parts and the parts before each.
        self._cut: dict[int, int] = self._cut_last() if cut == "end" else {}
        self._cut_blocks = sorted(self._cut)
        self._more = [0, *accumulate(self._cut[block] - 1 for block in self._cut_blocks)]
        self._cut_parts = [self._first_part(block) for block in self._cut_blocks]
        self.n_parts = self._n_blocks + self._more[-1]

    def part(self, index: int) -> Part:
        """Return a part by its number."""
        number = index - self.begin.part  # in this wave
        k = bisect_right(self._cut_parts, number)
        block = max(number - self._more[k], self._cut_blocks[k - 1] if k else 0)
        start, stop = self._range(block)
        runs, nth = _even(stop - start, self._cut.get(block, 1)), number - self._first_part(block)
        start, stop = start + nth * runs, min(start + (nth + 1) * runs, stop)
        cost = self._before(stop, self._operations) - self._before(start, self._operations)
        return Part(index, self.begin.position + start, self.begin.position + stop, cost)

    def order(self) -> Iterator[int]:
        """Yield the numbers of all parts in the order of training."""
        for block in _bit_reversed(self._n_blocks):
            first = self.begin.part + self._first_part(block)
            yield from range(first, first + self._cut.get(block, 1))

    def operations_of(self, part: Part, net_steps: int) -> float:
        """Return the operations of the runs of a part, estimated from the steps that they took."""
        start, stop = self._range_in_wave(part)
        most = self._before(stop, self._steps) - self._before(start, self._steps)
        return part.cost * net_steps / max(most, 1)

    def shapes(self, part: Part) -> range:
        """Return the numbers of the shapes of a part's runs."""
        start, stop = self._range_in_wave(part)
        return range(start // self._shape_runs, (stop - 1) // self._shape_runs + 1)

    def starts(self, part: Part) -> list[int]:
        """Return the first visiting position of each shape in a part; run numbers of a shape ascend from there."""
        firsts = (self.begin.position + shape * self._shape_runs for shape in self.shapes(part))
        return [max(part.start, first) for first in firsts]

    def pieces(self, part: Part) -> Iterator[Part]:
        """Yield the pieces of a part that train side by side, each of one kind.

        Their weights have at most 16 MiB, except that a piece fills all lanes.
        """
        every = self.shapes(part)
        firsts = [k for k, shape in enumerate(every) if not k or self._kinds[shape] != self._kinds[shape - 1]]
        starts = self.starts(part)
        shapes, starts = [every[k] for k in firsts], [starts[k] for k in firsts]
        for shape, start, stop in zip(shapes, starts, [*starts[1:], part.stop], strict=True):
            runs = _even(stop - start, ceil((stop - start) * self._costs[shape].n_bytes / _PIECE_BYTES))
            for first in range(start, stop, runs):
                yield Part(part.index, first, min(first + runs, stop))

    def _range_in_wave(self, part: Part) -> tuple[int, int]:
        """Return the visiting positions of a part, counted from the first one of the wave."""
        return part.start - self.begin.position, part.stop - self.begin.position

    def _make_stretches(self, work: float) -> Iterator[_Stretch]:
        """Yield blocks shape by shape; shapes of little work share a block."""
        block, start, n_open = 0, 0, 0.0  # n_open: the fraction of a block that the shapes since start fill
        for shape, cost in enumerate(self._costs):
            stop = (shape + 1) * self._shape_runs
            n_blocks = max(self._shape_runs * cost.operations / work, self._shape_runs / _MOST_RUNS)
            if n_blocks < 1 and n_open + n_blocks < 1 and shape + 1 < len(self._costs):
                n_open += n_blocks
                continue
            begin = start if n_blocks < 1 else shape * self._shape_runs
            if start < begin:  # small shapes before a large one
                yield _Stretch(block, start, begin, begin - start)
                block += 1
            n_blocks = max(n_blocks - 0.25, self._shape_runs / _MOST_RUNS)  # so that the last block is not tiny
            stretch = _Stretch(block, begin, stop, _even(stop - begin, ceil(n_blocks)))
            yield stretch
            block, start, n_open = block + stretch.n_blocks, stop, 0.0

    def _cut_last(self) -> dict[int, int]:
        """Return the number of parts of each of the last blocks that is cut."""
        cut: dict[int, int] = {}
        for n_left, block in enumerate(islice(_bit_reversed(self._n_blocks, backward=True), _LAST), 1):
            start, stop = self._range(block)
            cost = self._before(stop, self._operations) - self._before(start, self._operations)
            n_parts = min(ceil(_LAST / n_left), int(cost / _LEAST_OPERATIONS), ceil((stop - start) / _LANES))
            if n_parts > 1:
                cut[block] = ceil((stop - start) / _even(stop - start, n_parts))
        return cut

    def _range(self, block: int) -> tuple[int, int]:
        """Return the first visiting position of a block and the one after its last."""
        stretch = self._stretches[bisect_right(self._first_blocks, block) - 1]
        start = stretch.start + (block - stretch.first_block) * stretch.block_runs
        return start, min(start + stretch.block_runs, stretch.stop)

    def _first_part(self, block: int) -> int:
        return block + self._more[bisect_left(self._cut_blocks, block)]

    def _before(self, position: int, sums: Sequence[float]) -> float:
        """Return a sum over all runs before a visiting position, interpolated between sums over whole shapes."""
        shape, runs = divmod(position, self._shape_runs)
        return sums[shape] + (runs / self._shape_runs * (sums[shape + 1] - sums[shape]) if runs else 0)


def block_work(operations: float) -> float:
    """Return the operations of a block; ``operations`` are those that are trained without a wait."""
    usual = max(operations / _MANY, min(max(operations / _SHARES, _LEAST_OPERATIONS), _USUAL_OPERATIONS))
    return min(usual, _MOST_OPERATIONS)


def _even(n_runs: int, n_parts: int) -> int:
    """Return the runs of ``n_parts`` equal parts, a multiple of the lanes; the last part may have fewer."""
    return ceil(n_runs / max(1, n_parts) / _LANES) * _LANES


def _bit_reversed(n: int, backward: bool = False) -> Iterator[int]:
    """Yield 0 to n - 1 in bit-reversed order (van der Corput's sequence), from its start or its end.

    It is a low-discrepancy order: any prefix covers the range evenly.

    >>> list(_bit_reversed(6))
    [0, 4, 2, 1, 5, 3]
    """
    n_bits = (n - 1).bit_length()
    numbers = range(2**n_bits)
    for k in reversed(numbers) if backward else numbers:
        place = int(f"{k:0{n_bits}b}"[::-1], 2) if n_bits else 0
        if place < n:
            yield place


class _Placed(Protocol):
    """A part or the commit of one: anything with a first visiting position."""

    @property
    def start(self) -> int: ...


class Parts:
    """The parts of a study, wave by wave, numbered in visiting order; with several rounds, each round is one wave.

    ``round_seeds`` are the seeds of a cell in each round, ``waves`` those in each wave, by default planned. Other
    arguments are those of :class:`Wave`, and so are ``operations`` and ``lane_operations``, here of all waves.
    """

    def __init__(
        self,
        costs: Sequence[RunCost],
        shape_cells: int,
        round_seeds: Sequence[int],
        waves: Sequence[int] | None = None,
        part_runs: int | None = None,
        kinds: Sequence[int] | None = None,
    ) -> None:
        each = shape_cells * sum(cost.operations for cost in costs)  # for each seed
        self.n_rounds = len(round_seeds)
        if self.n_rounds > 1 or (part_runs and not waves):
            waves = round_seeds
        waves = waves or seed_waves(round_seeds[0], shape_cells, round_seeds[0] * each)
        self.waves: list[Wave] = []
        begin = Begin(0, 0, 0)
        for n_seeds in waves:
            together = n_seeds if self.n_rounds > 1 else sum(waves)  # seeds trained without a wait
            is_last = self.n_rounds > 1 or begin.seeds + n_seeds == sum(waves)
            cut: Literal["end", "blocks"] | int = part_runs or ("end" if is_last else "blocks")
            wave = Wave(costs, shape_cells, n_seeds, begin, block_work(together * each), cut, kinds)
            begin = Begin(begin.part + wave.n_parts, begin.position + wave.n_runs, begin.seeds + n_seeds)
            self.waves.append(wave)
        self.n_parts = begin.part
        self.operations = sum(wave.operations for wave in self.waves)
        self.lane_operations = sum(wave.lane_operations for wave in self.waves)

    def part(self, index: int) -> Part:
        """Return a part by its number."""
        return self.waves[self.wave_of_number(index)].part(index)

    def order(self, number: int | None = None) -> Iterator[int]:
        """Yield the numbers of the parts of a round, or of the study, in the order of training."""
        for wave in self.waves if number is None else self._waves_of(number):
            yield from wave.order()

    def wave_of(self, part: _Placed) -> Wave:
        """Return the wave of a part or of its commit."""
        return self.waves[self._place(part)]

    def wave_of_number(self, index: int) -> int:
        """Return the number of the wave of the part with this number."""
        return bisect_right(self.waves, index, key=lambda wave: wave.begin.part) - 1

    def round_of(self, part: _Placed) -> int:
        """Return the number of the round of a part or of its commit."""
        return self._place(part) if self.n_rounds > 1 else 0

    def start_of(self, number: int) -> int:
        """Return the first visiting position of a round."""
        return self._waves_of(number)[0].begin.position

    def round_size(self, number: int) -> tuple[int, int, float]:
        """Return the number of parts of a round, of runs, and the most operations."""
        waves = self._waves_of(number)
        n_runs = sum(wave.n_runs for wave in waves)
        return sum(wave.n_parts for wave in waves), n_runs, sum(wave.operations for wave in waves)

    def between(self, start: int, stop: int) -> Iterator[Part]:
        """Yield the parts within the visiting positions ``start`` to ``stop``, in order."""
        index = bisect_left(range(self.n_parts), start, key=lambda index: self.part(index).start)
        while index < self.n_parts and (part := self.part(index)).stop <= stop:
            yield part
            index += 1

    def _place(self, part: _Placed) -> int:
        """Return the number of the wave of a part or of its commit."""
        return bisect_right(self.waves, part.start, key=lambda wave: wave.begin.position) - 1

    def _waves_of(self, number: int) -> list[Wave]:
        return [self.waves[number]] if self.n_rounds > 1 else self.waves

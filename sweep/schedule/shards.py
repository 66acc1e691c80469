"""The shards of a study, wave by wave of seeds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Protocol

from sweep.schedule.cost import RunCost
from sweep.schedule.waves import Shard, Wave, block_work, seed_waves


class _Placed(Protocol):
    """A shard, or the commit of one: what has a first visiting position."""

    @property
    def start(self) -> int: ...


class Shards:
    """The shards of a study, wave by wave, numbered in visiting order.

    Parameters
    ----------
    costs
        Of a run of each shape, in visiting order.
    shape_cells
        Cells of each shape.
    round_seeds
        Seeds of a cell in each round; see :class:`sweep.training.adaptive_rounds.AdaptiveRounds`.
    waves
        Seeds of a cell in each wave, where a study was begun with these; planned otherwise.
    shard_runs
        For tests: runs in a shard, instead of what is planned.

    Attributes
    ----------
    wave_seeds : list of int
        Seeds of a cell in each wave. Where there are several rounds, each is one wave.
    n_rounds, n_shards : int
    operations : float
        Estimated operations if every run takes all its steps.
    """

    def __init__(
        self,
        costs: Sequence[RunCost],
        shape_cells: int,
        round_seeds: Sequence[int],
        waves: Sequence[int] | None = None,
        shard_runs: int | None = None,
    ) -> None:
        each = shape_cells * sum(cost.operations for cost in costs)  # for each seed
        self.n_rounds = len(round_seeds)
        if self.n_rounds > 1 or (shard_runs and not waves):
            waves = round_seeds
        self.wave_seeds = list(waves or seed_waves(round_seeds[0], shape_cells, round_seeds[0] * each))
        sums = list(accumulate(self.wave_seeds))
        self._waves = []
        for done, n_seeds in zip(sums, self.wave_seeds, strict=True):
            together = n_seeds if self.n_rounds > 1 else sums[-1]  # seeds that are trained without a wait
            self._waves.append(
                Wave(
                    costs,
                    shape_cells * n_seeds,
                    block_work(together * each),
                    shard_runs=shard_runs,
                    is_last=self.n_rounds > 1 or done == sums[-1],
                )
            )
        self._first_shards = [0, *accumulate(wave.n_shards for wave in self._waves)]
        self._first_positions = [0, *accumulate(wave.n_runs for wave in self._waves)]
        self.n_shards = self._first_shards[-1]
        self.operations = sum(wave.operations for wave in self._waves)

    def shard(self, index: int) -> Shard:
        """Return a shard by its number."""
        number = self.wave_of_number(index)
        return self._global(number, self._waves[number].shard(index - self._first_shards[number]))

    def order(self, number: int | None = None) -> Iterator[int]:
        """Yield the numbers of the shards of a round, or of all, in the order in which they are trained."""
        for each in range(len(self._waves)) if number is None else self._waves_of(number):
            yield from (self._first_shards[each] + index for index in self._waves[each].order())

    def round_of(self, part: _Placed) -> int:
        """Return the number of the round that a shard is in, or its commit."""
        return self.wave_of(part) if self.n_rounds > 1 else 0

    def wave_of(self, part: _Placed) -> int:
        """Return the number of the wave that a shard is in, or its commit."""
        return bisect_right(self._first_positions, part.start) - 1

    def wave_of_number(self, index: int) -> int:
        """Return the number of the wave that the shard of this number is in."""
        return bisect_right(self._first_shards, index) - 1

    def start_of(self, number: int) -> int:
        """Return the visiting position at which a round starts."""
        return self._first_positions[self._waves_of(number)[0]]

    def round_size(self, number: int) -> tuple[int, int, float]:
        """Return the shards and the runs of a round, and the operations that these take at most."""
        waves = [self._waves[each] for each in self._waves_of(number)]
        n_shards, n_runs = (sum(getattr(wave, name) for wave in waves) for name in ("n_shards", "n_runs"))
        return n_shards, n_runs, sum(wave.operations for wave in waves)

    def operations_of(self, shard: Shard, net_steps: int) -> float:
        """Return how many operations the runs of a shard took, from their steps."""
        number, local = self._local(shard)
        return self._waves[number].operations_of(local, net_steps)

    def shapes(self, shard: Shard) -> range:
        """Return the numbers of the shapes that runs of a shard have."""
        number, local = self._local(shard)
        return self._waves[number].shapes(local)

    def pieces(self, shard: Shard) -> Iterator[Shard]:
        """Cut a shard into what trains side by side: runs of one shape whose weights take not too much memory."""
        number, local = self._local(shard)
        return (self._global(number, piece) for piece in self._waves[number].pieces(local))

    def between(self, start: int, stop: int) -> Iterator[Shard]:
        """Yield the shards that lie between two visiting positions, in order."""
        index = bisect_left(range(self.n_shards), start, key=lambda index: self.shard(index).start)
        while index < self.n_shards and (shard := self.shard(index)).stop <= stop:
            yield shard
            index += 1

    def _waves_of(self, number: int) -> range:
        """Return the numbers of the waves of a round."""
        return range(number, number + 1) if self.n_rounds > 1 else range(len(self._waves))

    def _local(self, shard: Shard) -> tuple[int, Shard]:
        """Return the wave of a shard, and the shard as it is numbered there."""
        number = self.wave_of(shard)
        first = self._first_positions[number]
        index = shard.index - self._first_shards[number]
        return number, replace(shard, index=index, start=shard.start - first, stop=shard.stop - first)

    def _global(self, number: int, shard: Shard) -> Shard:
        """Return a shard of a wave as it is numbered in the study."""
        first = self._first_positions[number]
        index = shard.index + self._first_shards[number]
        return replace(shard, index=index, start=shard.start + first, stop=shard.stop + first)

"""The parts of a study, wave by wave of seeds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

from sweep.schedule.cost import RunCost
from sweep.schedule.part import Part
from sweep.schedule.waves import Begin, Wave, block_work, seed_waves


class _Placed(Protocol):
    """A part or the commit of one: anything with a first visiting position."""

    @property
    def start(self) -> int: ...


class Parts:
    """The parts of a study, wave by wave, numbered in visiting order; with several rounds, each round is one wave.

    Costs, cells, kinds and ``part_runs`` are those of :class:`Wave`. ``round_seeds`` are the seeds of a cell in each
    round (:class:`sweep.training.adaptive_rounds.AdaptiveRounds`), ``waves`` those in each wave if the study was
    started with these; by default they are planned. ``operations`` estimates all, if every run takes all its steps.
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
        n_parts, n_runs = (sum(getattr(wave, name) for wave in waves) for name in ("n_parts", "n_runs"))
        return n_parts, n_runs, sum(wave.operations for wave in waves)

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
        """Return the waves of a round."""
        return [self.waves[number]] if self.n_rounds > 1 else self.waves

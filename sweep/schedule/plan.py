"""Cells, runs and parts of a study, computed by arithmetic.

Runs are numbered ``cell * n_seeds + (seed - base)``, cells in file order with the last parameter fastest. The *visiting
order* is another one: wave by wave of seeds. Within a wave, parameters that decide the kernel or the shape of the
weights vary slowest, then the others, then seeds, so runs that can train side by side are adjacent. A part is a
contiguous range of that order (:mod:`sweep.schedule.waves`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sweep.schedule.cost import RunCost, run_cost
from sweep.schedule.waves import Part, Parts
from sweep.study.axes.grid import Cell, CellOrder
from sweep.study.model import Study
from sweep.study.options.option_tables import with_role

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Options that decide the kernel or the shape of the weights.
SHAPE = with_role("kernel")


class Plan:
    """The position of every run of a study, without a list of runs.

    No result depends on ``part_runs``, the runs in a part instead of the planned number, which tests vary. ``waves``
    are the seeds of a cell in each wave, by default planned; ``parts`` is the division of runs into parts.
    """

    def __init__(self, study: Study, part_runs: int | None = None, waves: Sequence[int] | None = None) -> None:
        self.study = study
        self.grid = study.grid
        self.part_runs = part_runs
        self.n_seeds = study.seeds.count
        self.n_cells = study.n_cells
        self.n_runs = study.n_runs
        self._order = CellOrder(self.grid, SHAPE)
        first_cells = self._order.first_cells()
        self.n_shapes = self._order.n_shapes
        costs, kinds = _costs_and_kinds(study, first_cells)
        self.parts = Parts(costs, self._order.shape_cells, study.seeds.rounds, waves, part_runs, kinds)
        self.waves = tuple(wave.n_seeds for wave in self.parts.waves)
        self.n_parts = self.parts.n_parts

    def in_waves(self, waves: Sequence[int]) -> Plan:
        """Return a plan of the same study with other waves."""
        return Plan(self.study, self.part_runs, waves)

    def part(self, index: int) -> Part:
        """Return a part by its number."""
        return self.parts.part(index)

    def first_cell(self, shape: int) -> int:
        """Return the first cell of a shape in visiting order."""
        return int(self._order.cell_at(shape * self._order.shape_cells))

    def position(self, run: Any) -> Any:
        """Return the visiting position of a run; both are integers or arrays."""
        cell, offset = divmod(run, self.n_seeds)
        visited = self._order.place_of(cell)
        if len(self.waves) == 1:
            return visited * self.n_seeds + offset
        import numpy as np

        firsts = [wave.begin.seeds for wave in self.parts.waves]
        number = np.searchsorted(firsts, offset, side="right") - 1
        first = np.take(firsts, number)
        return self.n_cells * first + visited * np.take(self.waves, number) + offset - first

    def pieces(self, part: Part) -> Iterator[Part]:
        """Yield the pieces of a part that train side by side, each of one shape.

        Their weights have at most 16 MiB, except that a piece fills all lanes.
        """
        for piece in self.parts.wave_of(part).pieces(part):
            if part.open is None:
                yield piece
                continue
            places = self._visited(piece) - self._visited(part)[0]
            yield replace(piece, open=part.open[places])

    def cells(self, part: Part) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the open cells of a part in visiting order and the consecutive runs of each, both (cells,)."""
        visited, counts = self._visited(part), self._counts(part)
        if part.open is not None:
            visited, counts = visited[part.open], counts[part.open]
        return self._order.cell_at(visited), counts

    def runs(self, part: Part) -> NDArray[np.int64]:
        """Return the numbers of the runs of a part in visiting order, (runs,)."""
        return self._number(part, self._order.cell_at(self._visited(part)) * self.n_seeds)

    def seeds(self, part: Part) -> NDArray[np.int64]:
        """Return the seeds of the runs of a part in visiting order, (runs,)."""
        return self._number(part, self.study.seeds.base)

    def _visited(self, part: Part) -> NDArray[np.int64]:
        """Return the places in visiting order of all cells of a part, (cells,)."""
        import numpy as np

        wave = self.parts.wave_of(part)
        first, last = ((each - wave.begin.position) // wave.n_seeds for each in (part.start, part.stop - 1))
        return np.arange(first, last + 1)

    def _counts(self, part: Part) -> NDArray[np.int64]:
        """Return the number of consecutive runs of each cell of a part, (cells,)."""
        wave, visited = self.parts.wave_of(part), self._visited(part)
        starts = wave.begin.position + visited * wave.n_seeds
        stops = starts + wave.n_seeds
        starts[0], stops[-1] = part.start, part.stop
        counts: NDArray[np.int64] = stops - starts
        return counts

    def _number(self, part: Part, first: Any) -> NDArray[np.int64]:
        """Return a number for each run of a part, (runs,): ``first`` plus the index of its seed in the study."""
        import numpy as np

        wave = self.parts.wave_of(part)
        shifts = first + wave.begin.seeds - wave.begin.position - self._visited(part) * wave.n_seeds
        if len(shifts) == 1 and part.open is None:
            return np.arange(part.start + shifts[0], part.stop + shifts[0])
        counts = self._counts(part)
        numbers: NDArray[np.int64] = np.arange(part.start, part.stop) + np.repeat(shifts, counts)
        return numbers if part.open is None else numbers[np.repeat(part.open, counts)]


def _costs_and_kinds(study: Study, cells: Iterator[Cell]) -> tuple[list[RunCost], list[int]]:
    """Return the cost and the kind of each shape, from a cell of each; shapes of one kind can train side by side."""
    found: dict[tuple[Any, ...], tuple[int, RunCost]] = {}
    costs, kinds = [], []
    for cell in cells:
        options = tuple(cell[name] for name in SHAPE)
        if options not in found:
            found[options] = len(found), run_cost(study, cell)
        kind, cost = found[options]
        costs.append(cost)
        kinds.append(kind)
    return costs, kinds

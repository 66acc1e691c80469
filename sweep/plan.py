"""Cells, runs and shards of a study, by arithmetic alone.

Runs are numbered ``cell * n_seeds + (seed - base)``, cells in file order with the
last parameter fastest. They are *visited* in another order: parameters that decide
the kernel or the shape of the weights come first, then the others, then seeds, so
that runs which can train side by side lie together. A shard is a contiguous range
of that order with one shape.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, prod
from typing import TYPE_CHECKING, Any, NamedTuple

from sweep.cost import run_cost
from sweep.parameters import Scalar
from sweep.study import Study
from sweep.words import with_role

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Words that runs of one shard share.
SHAPE = with_role("kernel")

# A shard is a part of the work that remains, so that all cores end together, but at most about a quarter of a second of
# one core, and not less than a few milliseconds, since it costs half of one beside its training. It is limited in
# memory too, and a multiple of the networks that train side by side. All this depends on the study alone, so shards do.
_SHARES = 16
_MOST_OPERATIONS, _LEAST_OPERATIONS = 4e10, 8e8
_MOST_BYTES = 2**24
_LANES = 16


@dataclass(frozen=True)
class Shard:
    """The unit of work: visiting positions ``start`` to ``stop``, all of one shape.

    Attributes
    ----------
    cost
        Estimated operations if every run takes all its steps.
    """

    index: int
    start: int
    stop: int
    cost: float

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return self.stop - self.start


class _Group(NamedTuple):
    """Shards of equal size, of one shape."""

    first_shard: int
    start: int
    stop: int
    shard_runs: int
    run_cost: float
    run_steps: int

    @property
    def n_shards(self) -> int:
        return -((self.start - self.stop) // self.shard_runs)


class Plan:
    """Where every run of a study is, without a list of runs.

    Parameters
    ----------
    study
        What to plan.
    shard_runs
        Runs in a shard instead of what is planned. No result depends
        on it; tests vary it.

    Attributes
    ----------
    operations : float
        Estimated operations if every run takes all its steps.
    """

    def __init__(self, study: Study, shard_runs: int | None = None) -> None:
        self.study = study
        self.n_seeds = study.seeds.count
        self.n_cells = study.n_cells
        self.n_runs = study.n_runs
        self._fixed = study.fixed()
        self._names = list(study.parameters)
        self._sizes = [len(values) for values in study.parameters.values()]
        shape = [k for k, name in enumerate(self._names) if name in SHAPE]
        rest = [k for k, name in enumerate(self._names) if name not in SHAPE]
        self._visit = shape + rest
        self._groups = list(self._make_groups(prod(self._sizes[k] for k in shape), shard_runs))
        self._first_shards = [group.first_shard for group in self._groups]
        self.operations = sum((group.stop - group.start) * group.run_cost for group in self._groups)
        self.n_shards = self._groups[-1].first_shard + self._groups[-1].n_shards

    @property
    def in_run_order(self) -> bool:
        """Whether runs are visited in the order of their numbers."""
        return self._visit == sorted(self._visit)

    def values(self, cell: int) -> dict[str, Scalar]:
        """Return the swept parameters of a cell."""
        digits = _digits(cell, self._sizes)
        return {name: self.study.parameters[name][digit] for name, digit in zip(self._names, digits, strict=True)}

    def words(self, cell: int) -> dict[str, Any]:
        """Return every word of a cell, swept or fixed, by bare name."""
        return {**self._fixed, **self.values(cell)}

    def shard(self, index: int) -> Shard:
        """Return a shard by its number."""
        group = self._group(index)
        start = group.start + (index - group.first_shard) * group.shard_runs
        stop = min(start + group.shard_runs, group.stop)
        return Shard(index, start, stop, (stop - start) * group.run_cost)

    def operations_of(self, shard: Shard, net_steps: int) -> float:
        """Return how many operations the runs of a shard took, from their steps."""
        group = self._group(shard.index)
        return group.run_cost * net_steps / max(group.run_steps, 1)

    def shape(self, shard: Shard) -> int:
        """Return the number of the shape that the runs of a shard share."""
        return shard.start // self._shape_runs

    def position(self, run: int) -> int:
        """Return the visiting position of a run."""
        cell, offset = divmod(run, self.n_seeds)
        digits = _digits(cell, self._sizes)
        visited = 0
        for k in self._visit:
            visited = visited * self._sizes[k] + digits[k]
        return visited * self.n_seeds + offset

    def cells(self, shard: Shard) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the cells of a shard in visiting order, and how many of its runs, in a row, are of each."""
        visited = self._visited(shard)
        starts, stops = visited * self.n_seeds, (visited + 1) * self.n_seeds
        starts[0], stops[-1] = shard.start, shard.stop
        return self._cell_visited(visited), stops - starts

    def runs(self, shard: Shard) -> NDArray[np.int64]:
        """Return the number of every run of a shard, in visiting order."""
        return self._number(shard, self.cells(shard)[0] * self.n_seeds)

    def seeds(self, shard: Shard) -> NDArray[np.int64]:
        """Return the seed of every run of a shard, in visiting order."""
        return self._number(shard, self.study.seeds.base)

    def column(self, name: str, cells: NDArray[np.int64]) -> NDArray[Any]:
        """Return the word called ``name``, swept or fixed, in each of ``cells``."""
        import numpy as np

        if name in self._fixed:
            return np.full(len(cells), self._fixed[name])
        k = self._names.index(name)
        stride = prod(self._sizes[k + 1 :])
        return np.asarray(self.study.parameters[name])[cells // stride % self._sizes[k]]

    def n_windows(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many steps an epoch takes in each of ``cells``."""
        n_windows: NDArray[np.int64] = -(-len(self.study.data.inputs) // self.column("batch", cells))
        return n_windows

    def most_steps(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return after how many steps a run is exhausted in each of ``cells``."""
        import numpy as np

        steps = self.column("max_steps", cells)
        if None not in self.study.values_of("max_epochs"):
            steps = np.minimum(steps, self.column("max_epochs", cells) * self.n_windows(cells))
        return steps

    def _group(self, index: int) -> _Group:
        """Return the group that a shard is in."""
        return self._groups[bisect_right(self._first_shards, index) - 1]

    def _visited(self, shard: Shard) -> NDArray[np.int64]:
        """Return the places of the cells of a shard in visiting order."""
        import numpy as np

        return np.arange(shard.start // self.n_seeds, (shard.stop - 1) // self.n_seeds + 1)

    def _number(self, shard: Shard, first: Any) -> NDArray[np.int64]:
        """Give the runs of a shard numbers that go up from ``first`` in each cell, also where others hold its first."""
        import numpy as np

        shifts = first - self._visited(shard) * self.n_seeds
        if len(shifts) == 1:
            return np.arange(shard.start + shifts[0], shard.stop + shifts[0])
        numbers: NDArray[np.int64] = np.arange(shard.start, shard.stop) + np.repeat(shifts, self.cells(shard)[1])
        return numbers

    def _cell_visited(self, visited: Any) -> Any:
        """Return the number of the cell visited in this place, an integer or an array."""
        digits = _digits(visited, [self._sizes[k] for k in self._visit])
        placed = dict(zip(self._visit, digits, strict=True))
        cell = visited - visited
        for k, size in enumerate(self._sizes):
            cell = cell * size + placed[k]
        return cell

    def _make_groups(self, n_shapes: int, shard_runs: int | None) -> Iterator[_Group]:
        """Lay out shards shape by shape."""
        cells_each = self.n_cells // n_shapes
        n_runs = self._shape_runs = cells_each * self.n_seeds
        costs = [run_cost(self.study, self.words(self._cell_visited(k * cells_each))) for k in range(n_shapes)]
        remaining, shard, start = sum(n_runs * cost.operations for cost in costs), 0, 0
        for shape, cost in enumerate(costs):
            while start < (shape + 1) * n_runs:
                n_left = (shape + 1) * n_runs - start
                work = min(max(remaining / _SHARES, _LEAST_OPERATIONS), _MOST_OPERATIONS)
                runs = shard_runs or _share(n_left, min(work / cost.operations, _MOST_BYTES / cost.n_bytes))
                n_equal = max(1, int(remaining / (runs * cost.operations)) - _SHARES)  # until shares become smaller
                stop = start + (n_left if shard_runs else min(n_equal * runs, n_left))
                yield _Group(shard, start, stop, runs, cost.operations, cost.n_steps)
                shard -= (start - stop) // runs
                remaining -= (stop - start) * cost.operations
                start = stop


def _share(n_runs: int, most: float) -> int:
    """Return the runs of a shard where shards of about ``most`` share ``n_runs`` evenly."""
    even = n_runs / ceil(n_runs / max(1, most))
    return ceil(even / _LANES) * _LANES


def _digits(number: Any, sizes: list[int]) -> list[Any]:
    """Write a number or an array of numbers in mixed radix, the last digit fastest."""
    digits = []
    for size in reversed(sizes):
        number, digit = divmod(number, size)
        digits.append(digit)
    return digits[::-1]

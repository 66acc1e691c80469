"""Cells, runs and shards of a study, by arithmetic alone.

Runs are numbered ``cell * n_seeds + (seed - base)``, cells in file order with the
last parameter fastest. They are *visited* in another order: parameters that decide
the kernel or the shape of the weights come first, then the others, then seeds, so
that runs which can train side by side lie together. A shard is a contiguous range
of that order with one shape.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from math import ceil, prod
from typing import TYPE_CHECKING, Any

from sweep.parameters import Scalar
from sweep.study import Study

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Parameters that runs of one shard share.
SHAPE = ("hidden", "activation", "output", "bias", "loss", "criterion", "optimizer")

# A shard is at most so much work, a quarter of a second of one core or less, and so
# many bytes of weights. Small studies are cut finer, for many cores to share, but not
# below some 20 milliseconds, since a shard costs half of one beside its training.
# All this depends on the study alone, so shards do.
_MOST_OPERATIONS = 4e10
_LEAST_OPERATIONS = 1.6e9
_SHARDS_WANTED = 16
_SHARD_BYTES = 2**25
_SHARD_RUNS = 2**17
# The last ones shrink, each to a part of what remains, so that all cores end together:
# to a quarter, or where there are many shards to less, for there may be as many cores.
_TAIL_SHARES = (4, 32)
_SHARDS_PER_SHARE = 8
_TAIL_CUTS = 32
_LEAST_TAIL_OPERATIONS = 2e8
_LANES = 192  # larger shards hold a multiple of so many runs: two or three batches leave no lane empty
_TAIL_LANES = 64  # and the last ones of so many: two batches do
_FUNCTION_OPERATIONS = 100  # of one exp, tanh or sigmoid, in the time that products and sums would take


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


@dataclass(frozen=True)
class _Group:
    """All runs of one shape."""

    first_shard: int
    start: int
    stop: int
    shard_runs: int
    run_cost: float

    @property
    def n_shards(self) -> int:
        return -((self.start - self.stop) // self.shard_runs)


def _taper(group: _Group) -> list[_Group]:
    """Cut the last shards of a group finer and finer."""
    fewest, most = _TAIL_SHARES
    n_shares = min(max(group.n_shards // _SHARDS_PER_SHARE, fewest), most)
    least = max(_LEAST_TAIL_OPERATIONS / group.run_cost, group.shard_runs / _TAIL_CUTS, 1)
    n_whole = max(group.n_shards - n_shares, 0)
    start = group.start + n_whole * group.shard_runs
    groups = [replace(group, stop=start)] if n_whole else []
    while start < group.stop:
        runs = ceil(max((group.stop - start) / n_shares, least) / _TAIL_LANES) * _TAIL_LANES
        stop = min(start + min(runs, group.shard_runs), group.stop)
        groups.append(_Group(group.first_shard + n_whole, start, stop, stop - start, group.run_cost))
        start, n_whole = stop, n_whole + 1
    return groups


class Plan:
    """Where every run of a study is, without a list of runs.

    Parameters
    ----------
    study
        What to plan.
    shard_runs
        Runs in a shard instead of what is planned. No result depends
        on it; tests vary it.
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
        self._groups = self._make_groups(prod(self._sizes[k] for k in shape), shard_runs)
        self._first_shards = [group.first_shard for group in self._groups]
        self.n_shards = self._groups[-1].first_shard + self._groups[-1].n_shards

    @property
    def in_run_order(self) -> bool:
        """Whether runs are visited in the order of their numbers."""
        return self._visit == sorted(self._visit)

    def values(self, cell: int) -> dict[str, Scalar]:
        """Return the swept parameters of a cell."""
        digits = _digits(cell, self._sizes)
        return {name: self.study.parameters[name][digit] for name, digit in zip(self._names, digits, strict=True)}

    def settings(self, cell: int) -> dict[str, Scalar]:
        """Return every scalar of a cell, swept or fixed, by bare name."""
        return {**self._fixed, **self.values(cell)}

    def shard(self, index: int) -> Shard:
        """Return a shard by its number."""
        group = self._groups[bisect_right(self._first_shards, index) - 1]
        start = group.start + (index - group.first_shard) * group.shard_runs
        stop = min(start + group.shard_runs, group.stop)
        return Shard(index, start, stop, (stop - start) * group.run_cost)

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
        """Return the scalar called ``name``, swept or fixed, in each of ``cells``."""
        import numpy as np

        if name in self._fixed:
            return np.full(len(cells), self._fixed[name])
        k = self._names.index(name)
        stride = prod(self._sizes[k + 1 :])
        return np.asarray(self.study.parameters[name])[cells // stride % self._sizes[k]]

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

    def _make_groups(self, n_shapes: int, shard_runs: int | None) -> list[_Group]:
        """Lay out shards shape by shape."""
        groups: list[_Group] = []
        cells_each = self.n_cells // n_shapes
        n_runs = self._shape_runs = cells_each * self.n_seeds
        costs = [self._run_cost(self.settings(self._cell_visited(k * cells_each))) for k in range(n_shapes)]
        total = sum(n_runs * operations for operations, _ in costs)
        work = min(_MOST_OPERATIONS, max(_LEAST_OPERATIONS, total / _SHARDS_WANTED))
        first_shard = 0
        for shape, (run_cost, n_bytes) in enumerate(costs):
            most = min(_SHARD_RUNS, _SHARD_BYTES // n_bytes, int(work / run_cost))
            even = ceil(n_runs / ceil(n_runs / max(1, most)))
            even = ceil(even / _LANES) * _LANES if even > _LANES else even
            start = shape * n_runs
            group = _Group(first_shard, start, start + n_runs, shard_runs or even, run_cost)
            groups.append(group)
            first_shard += group.n_shards
        return groups if shard_runs else groups[:-1] + _taper(groups[-1])

    def _run_cost(self, settings: dict[str, Scalar]) -> tuple[int, int]:
        """Return the operations of a run that takes all its steps, and the bytes of its weights.

        A step takes, for each pattern and hidden unit, about 4 operations an input
        and 6 an output (a product and a sum forward, one or two of each backward).
        """
        patterns = self.study.data
        n_patterns, n_inputs, n_outputs = len(patterns.inputs), len(patterns.inputs[0]), len(patterns.targets[0])
        hidden = int(settings["hidden"])
        smooth = _FUNCTION_OPERATIONS * (settings["activation"] in ("tanh", "sigmoid"))
        operations = n_patterns * hidden * (4 * n_inputs + 6 * n_outputs + 4 + smooth)
        steps = 1 + int(max(self.study.parameters.get("max_steps", (self._fixed.get("max_steps", 0),))))
        return operations * steps, 8 * (hidden * (n_inputs + n_outputs + 1) + n_outputs)


def _digits(number: Any, sizes: list[int]) -> list[Any]:
    """Write a number or an array of numbers in mixed radix, the last digit fastest."""
    digits = []
    for size in reversed(sizes):
        number, digit = divmod(number, size)
        digits.append(digit)
    return digits[::-1]

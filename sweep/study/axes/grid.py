"""The cells of a study, computed by arithmetic, since a study may have more cells than a list can hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from kernels.shapes import Skip
from kernels.vocabulary import RULES_WITHOUT_PATIENCE
from sweep.study.reading.value_forms import Scalar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


# Options that vary together, with equally many values each: their k-th values form the k-th point.
Axis = Mapping[str, tuple[Scalar, ...]]


def hidden_sizes(hidden: Scalar, layers: int) -> tuple[int, ...]:
    """Return the hidden units of each layer; a text such as 8-4 sets the layers, a number is the size of each.

    Without hidden units that is one layer of 0 units.
    """
    sizes = tuple(map(int, str(hidden).split("-")))
    return sizes if len(sizes) > 1 or sizes == (0,) else sizes * layers


def skip_of(skip: bool, shortcuts: str) -> Skip:
    """Return whether inputs join outputs, or ``"all"``, from two options of a study."""
    return "all" if skip and shortcuts == "all" else skip


class Cell(dict[str, Any]):
    """A configuration: the value of every option, swept or fixed, by name."""

    @property
    def hidden(self) -> tuple[int, ...]:
        """Hidden units of each layer."""
        return hidden_sizes(self["hidden"], self["layers"])

    @property
    def skip(self) -> Skip:
        """Whether inputs join outputs, or ``"all"`` if each layer receives the outputs of all earlier ones."""
        return skip_of(self["skip"], self["shortcuts"])

    @property
    def has_units(self) -> bool:
        """Whether there are hidden units."""
        return self.hidden != (0,)


class Grid:
    """All combinations of the points of some axes; cells are numbered in their order, the last axis fastest.

    The options of one axis vary together. Other swept options have an axis each, in file order; ``fixed`` has the value
    of every other option, ``parameters`` the distinct values of each option that varies, in the order of the points of
    its axis.
    """

    def __init__(self, axes: Sequence[Axis], fixed: Mapping[str, Any], n_patterns: int, n_seeds: int) -> None:
        self.axes = list(axes)
        self.sizes = [len(next(iter(axis.values()))) for axis in axes]
        self.parameters = values_of_axes(axes)
        self._parts: dict[tuple[str, ...], tuple[list[int], int]] = {}
        self.fixed = fixed
        self.n_cells = prod(self.sizes)
        self.n_seeds = n_seeds
        self.n_runs = self.n_cells * n_seeds
        self._n_patterns = n_patterns

    @property
    def has_patience(self) -> bool:
        """Whether runs can end on a plateau: whether patience is set, or another stopping rule."""
        rules = self.parameters.get("stopping_rule") or [self.fixed.get("stopping_rule", "patience")]
        has_rule = not set(rules).isdisjoint(RULES_WITHOUT_PATIENCE)
        return has_rule or "patience" in self.parameters or self.fixed.get("patience") is not None

    def values(self, cell: int) -> dict[str, Scalar]:
        """Return the values of the swept parameters in a cell."""
        digits = mixed_digits(cell, self.sizes)
        places = zip(self.axes, digits, strict=True)
        return {name: values[digit] for axis, digit in places for name, values in axis.items()}

    def cell(self, number: int) -> Cell:
        """Return a cell by its number."""
        return Cell({**self.fixed, **self.values(number)})

    def column(self, name: str, cells: NDArray[np.int64]) -> NDArray[Any]:
        """Return the value of an option, swept or fixed, in some cells, both (cells,)."""
        import numpy as np

        if name in self.fixed:
            return np.full(len(cells), self.fixed[name])
        return np.asarray(self.parameters[name])[self.place(name, cells)]

    def place(self, name: str, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the index, from 0, of the value of a swept parameter in some cells, both (cells,)."""
        return self.number([name], cells)

    def number(self, names: Collection[str], cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of each cell's combination of values of some options, as in :func:`combinations`."""
        import numpy as np

        number = cells - cells
        for k, axis in enumerate(self.axes):
            if axis.keys().isdisjoint(names):
                continue
            point = cells // prod(self.sizes[k + 1 :]) % self.sizes[k]
            if len(axis) > 1:
                indices, size = self._part(axis, names)
                number = number * size + np.array(indices)[point]
            else:
                number = number * self.sizes[k] + point
        return number

    def n_combinations(self, names: Collection[str]) -> int:
        """Return the number of distinct combinations of values of some options in the cells."""
        return n_combinations(self.axes, names)

    def _part(self, axis: Axis, names: Collection[str]) -> tuple[list[int], int]:
        """Return, for each point of an axis, the index of its values of some options, and the number of such values."""
        involved = tuple(name for name in axis if name in names)
        if involved not in self._parts:
            indices = indices_of(axis, involved)
            self._parts[involved] = indices, max(indices) + 1
        return self._parts[involved]

    def n_cells_at(self, values: Mapping[str, Iterable[Scalar]]) -> int:
        """Return the number of cells with these values of some swept parameters."""
        allowed = {name: set(entries) for name, entries in values.items()}
        return prod(
            sum(
                all(value in allowed[name] for name, value in point.items() if name in allowed)
                for point in points(axis)
            )
            for axis in self.axes
        )

    def cells_at(self, values: Mapping[str, Iterable[Scalar]]) -> NDArray[np.int64]:
        """Return the numbers of the cells with these values of some swept parameters, in order."""
        import numpy as np

        allowed = {name: set(entries) for name, entries in values.items()}
        cells = np.zeros(1, np.int64)
        for axis, size in zip(self.axes, self.sizes, strict=True):
            chosen = np.ones(size, bool)
            for name in axis.keys() & allowed.keys():
                chosen &= np.array([value in allowed[name] for value in axis[name]])
            cells = (cells[:, None] * size + np.flatnonzero(chosen)).ravel()
        return cells

    def n_windows(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the steps of an epoch in some cells, (cells,)."""
        n_windows: NDArray[np.int64] = -(-self._n_patterns // self.column("batch", cells))
        return n_windows

    def most_steps(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the limit of steps of a run in some cells, (cells,); runs that reach it are right-censored."""
        import numpy as np

        steps = self.column("max_steps", cells)
        if None not in self.parameters.get("max_epochs", (self.fixed.get("max_epochs"),)):
            steps = np.minimum(steps, self.column("max_epochs", cells) * self.n_windows(cells))
        return steps


class CellOrder:
    """An order of cells in which some options vary slowest, so that cells of one shape, their values, adjoin."""

    def __init__(self, grid: Grid, names: Collection[str]) -> None:
        slow = [k for k, axis in enumerate(grid.axes) if not axis.keys().isdisjoint(names)]
        fast = [k for k, axis in enumerate(grid.axes) if axis.keys().isdisjoint(names)]
        self._grid = grid
        self._visit = slow + fast
        self._orders = {k: _points_by(grid.axes[k], names) for k in slow if len(grid.axes[k]) > 1}
        self._places = {k: sorted(range(len(order)), key=order.__getitem__) for k, order in self._orders.items()}
        self.n_shapes = prod(grid.sizes[k] for k in slow)
        self.shape_cells = grid.n_cells // self.n_shapes

    def first_cells(self) -> Iterator[Cell]:
        """Yield the first cell of each shape."""
        for shape in range(self.n_shapes):
            yield self._grid.cell(self.cell_at(shape * self.shape_cells))

    def cell_at(self, place: Any) -> Any:
        """Return the number of the cell at a place of the order; both are integers or arrays."""
        digits = mixed_digits(place, [self._grid.sizes[k] for k in self._visit])
        placed = dict(zip(self._visit, digits, strict=True))
        cell = place - place
        for k, size in enumerate(self._grid.sizes):
            cell = cell * size + (_take(self._orders[k], placed[k]) if k in self._orders else placed[k])
        return cell

    def place_of(self, cell: Any) -> Any:
        """Return the place of a cell in the order; both are integers or arrays."""
        digits = mixed_digits(cell, self._grid.sizes)
        place = cell - cell
        for k in self._visit:
            digit = _take(self._places[k], digits[k]) if k in self._places else digits[k]
            place = place * self._grid.sizes[k] + digit
        return place


def _points_by(axis: Axis, names: Collection[str]) -> list[int]:
    """Return the points of an axis in an order in which those with the same values of some options are neighbors."""
    shapes = indices_of(axis, [name for name in axis if name in names])
    return sorted(range(len(shapes)), key=lambda point: shapes[point])


def _take(entries: list[int], index: Any) -> Any:
    """Return entries of a list, by an integer or an array of integers."""
    if isinstance(index, int):
        return entries[index]
    import numpy as np

    return np.take(entries, index)


def points(axis: Axis) -> Iterator[dict[str, Scalar]]:
    """Yield the points of an axis: the value of each of its options."""
    for values in zip(*axis.values(), strict=True):
        yield dict(zip(axis, values, strict=True))


def indices_of(axis: Axis, names: Sequence[str]) -> list[int]:
    """Return, for each point of an axis, the index of its values of some options among the distinct ones."""
    found: dict[tuple[Scalar, ...], int] = {}
    return [found.setdefault(values, len(found)) for values in zip(*(axis[name] for name in names), strict=True)]


def combinations(axes: Iterable[Axis], names: Sequence[str]) -> Iterator[tuple[Scalar, ...]]:
    """Yield the distinct combinations of values of some swept options in the cells, the last axis fastest."""
    parts = [[name for name in axis if name in names] for axis in axes]
    order = [name for part in parts for name in part]
    place = [order.index(name) for name in names]
    distinct = [
        dict.fromkeys(zip(*(axis[name] for name in part), strict=True))
        for axis, part in zip(axes, parts, strict=True)
        if part
    ]
    for chosen in product(*distinct):
        values = [value for values in chosen for value in values]
        yield tuple(values[k] for k in place)


def n_combinations(axes: Iterable[Axis], names: Iterable[str]) -> int:
    """Return the number of :func:`combinations`, without listing them."""
    names = set(names)
    return prod(
        len(set(zip(*(axis[name] for name in axis if name in names), strict=True)))
        for axis in axes
        if not names.isdisjoint(axis)
    )


def values_of_axes(axes: Iterable[Axis]) -> dict[str, tuple[Scalar, ...]]:
    """Return the distinct values of each option of some axes, in the order of the points."""
    return {
        name: values if len(axis) == 1 else tuple(dict.fromkeys(values))
        for axis in axes
        for name, values in axis.items()
    }


def mixed_digits(number: Any, sizes: list[int]) -> list[Any]:
    """Return the digits of a number, or of an array of numbers, in mixed radix, the last digit fastest."""
    digits = []
    for size in reversed(sizes):
        number, digit = divmod(number, size)
        digits.append(digit)
    return digits[::-1]


# Answers pool over their values and never name one as the best.
REPLICATES = ("split_seed", "validation_seed", "fold", "noise_seed")


def replicate_axes(axes: Sequence[Axis], named: Collection[str] = ()) -> list[int]:
    """Return the axes with several points on which only replicates vary, without those of named options."""
    return [
        k
        for k, axis in enumerate(axes)
        if len(next(iter(axis.values()))) > 1
        and not any(name in named for name in axis)
        and all(name in REPLICATES for name, values in axis.items() if len(set(values)) > 1)
    ]

"""The cells of a study, by arithmetic alone: a study may have more of them than any list can hold."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from sweep.study.parameters import Scalar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Grid:
    """Every combination of the values of the swept parameters.

    Cells are numbered in file order of the parameters, the last one fastest.

    Parameters
    ----------
    parameters
        The values of each swept parameter, in file order.
    fixed
        The value of every other word.
    n_patterns
        Patterns of an epoch.
    n_seeds
        Runs of each cell.

    Attributes
    ----------
    sizes : dict
        The number of values of each parameter.
    n_cells, n_seeds, n_runs : int
    """

    def __init__(
        self, parameters: Mapping[str, tuple[Scalar, ...]], fixed: Mapping[str, Any], n_patterns: int, n_seeds: int
    ) -> None:
        self.parameters = parameters
        self.fixed = fixed
        self.sizes = {name: len(values) for name, values in parameters.items()}
        self.n_cells = prod(self.sizes.values())
        self.n_seeds = n_seeds
        self.n_runs = self.n_cells * n_seeds
        self._n_patterns = n_patterns

    def values(self, cell: int) -> dict[str, Scalar]:
        """Return the swept parameters of a cell."""
        digits = mixed_digits(cell, list(self.sizes.values()))
        return {name: values[digit] for (name, values), digit in zip(self.parameters.items(), digits, strict=True)}

    def words(self, cell: int) -> dict[str, Any]:
        """Return every word of a cell, swept or fixed, by name."""
        return {**self.fixed, **self.values(cell)}

    def column(self, name: str, cells: NDArray[np.int64]) -> NDArray[Any]:
        """Return the word called ``name``, swept or fixed, in each of ``cells``."""
        import numpy as np

        if name in self.fixed:
            return np.full(len(cells), self.fixed[name])
        return np.asarray(self.parameters[name])[self.place(name, cells)]

    def place(self, name: str, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which of the values of a swept parameter each of ``cells`` has, from 0 on."""
        names = list(self.sizes)
        faster = prod(self.sizes[other] for other in names[names.index(name) + 1 :])
        places: NDArray[np.int64] = cells // faster % self.sizes[name]
        return places

    def n_windows(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many steps an epoch takes in each of ``cells``."""
        n_windows: NDArray[np.int64] = -(-self._n_patterns // self.column("batch", cells))
        return n_windows

    def most_steps(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return after how many steps a run is exhausted in each of ``cells``."""
        import numpy as np

        steps = self.column("max_steps", cells)
        if None not in self.parameters.get("max_epochs", (self.fixed.get("max_epochs"),)):
            steps = np.minimum(steps, self.column("max_epochs", cells) * self.n_windows(cells))
        return steps


def mixed_digits(number: Any, sizes: list[int]) -> list[Any]:
    """Write a number or an array of numbers in mixed radix, the last digit fastest."""
    digits = []
    for size in reversed(sizes):
        number, digit = divmod(number, size)
        digits.append(digit)
    return digits[::-1]

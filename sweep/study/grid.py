"""The cells of a study, by arithmetic alone: a study may have more of them than any list can hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from sweep.study.parameters import Scalar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


# Words that vary together, with equally many values each: the k-th values belong together.
Axis = Mapping[str, tuple[Scalar, ...]]


@dataclass(frozen=True)
class Cell(Mapping[str, Any]):
    """A configuration: the value of every word, swept or fixed, by name. Words that code asks for have types."""

    words: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        """Return the value of a word."""
        return self.words[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names of all words."""
        return iter(self.words)

    def __len__(self) -> int:
        """Return how many words there are."""
        return len(self.words)

    def with_words(self, **words: Any) -> Cell:
        """Return a cell in which some words have other values."""
        return Cell({**self.words, **words})

    @property
    def hidden(self) -> int:
        """Hidden units."""
        return int(self.words["hidden"])

    @property
    def batch(self) -> int:
        """Patterns of a step."""
        return int(self.words["batch"])

    @property
    def loss(self) -> str:
        """The loss, as the study names it."""
        return str(self.words["loss"])

    @property
    def optimizer(self) -> str:
        """The optimizer."""
        return str(self.words["optimizer"])

    @property
    def gain(self) -> float:
        """What multiplies the sums of hidden units."""
        return float(self.words["gain"])


class Grid:
    """Every combination of the values of some axes.

    Cells are numbered in the order of the axes, the last one fastest.

    Parameters
    ----------
    axes
        Words that vary, those of one axis together: in a grid of parameters each has an axis of its own, in file order.
    fixed
        The value of every other word.
    n_patterns
        Patterns of an epoch.
    n_seeds
        Runs of each cell.

    Attributes
    ----------
    axes : list
    sizes : list of int
        The number of values of each axis.
    parameters : dict
        The values of each word that varies, along its axis.
    n_cells, n_seeds, n_runs : int
    """

    def __init__(self, axes: Sequence[Axis], fixed: Mapping[str, Any], n_patterns: int, n_seeds: int) -> None:
        self.axes = list(axes)
        self.sizes = [len(next(iter(axis.values()))) for axis in axes]
        self.parameters = {name: values for axis in axes for name, values in axis.items()}
        self.fixed = fixed
        self.n_cells = prod(self.sizes)
        self.n_seeds = n_seeds
        self.n_runs = self.n_cells * n_seeds
        self._n_patterns = n_patterns

    def values(self, cell: int) -> dict[str, Scalar]:
        """Return the swept parameters of a cell."""
        digits = mixed_digits(cell, self.sizes)
        places = zip(self.axes, digits, strict=True)
        return {name: values[digit] for axis, digit in places for name, values in axis.items()}

    def cell(self, number: int) -> Cell:
        """Return a cell by its number."""
        return Cell({**self.fixed, **self.values(number)})

    def column(self, name: str, cells: NDArray[np.int64]) -> NDArray[Any]:
        """Return the word called ``name``, swept or fixed, in each of ``cells``."""
        import numpy as np

        if name in self.fixed:
            return np.full(len(cells), self.fixed[name])
        return np.asarray(self.parameters[name])[self.place(name, cells)]

    def place(self, name: str, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which of the values of a swept parameter each of ``cells`` has, from 0 on."""
        axis = next(k for k, each in enumerate(self.axes) if name in each)
        places: NDArray[np.int64] = cells // prod(self.sizes[axis + 1 :]) % self.sizes[axis]
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

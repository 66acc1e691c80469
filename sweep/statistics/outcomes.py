"""A measure of each seed in each cell, for comparisons on common seeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sweep.statistics.intervals import Array


def clusterings(values: Array, replicates: int) -> list[Array]:
    """Return runs, (n, replicates * seeds), with seeds as columns, with replicates as columns, and as they are.

    The first have ``replicates`` adjacent rows for each row of ``values``, the second as many as there are seeds.
    """
    n_seeds = values.shape[1] // replicates
    of_replicates = values.reshape(len(values), replicates, n_seeds).swapaxes(1, 2)
    return [values.reshape(-1, n_seeds), of_replicates.reshape(-1, replicates), values]


class Measured(NamedTuple):
    """A measure of runs, by cell and seed, as ``result.measures.of`` returns it.

    The measure of convergence is the number of steps that runs need to converge.

    Attributes
    ----------
    values : ndarray
        (cells, seeds) of float64: values of the measure in its unit, or steps to converge, infinite where the run did
        not. A value that is not a number is the worst one: -inf where more is better, else +inf. NaN where the run is
        missing, as in a partial result.
    replicates : int
        How many replicates, such as splits of the data, the columns hold: the seeds of one after those of another.
    ends : ndarray or None
        Of convergence, (cells, seeds) of integers: steps of all runs, converged or not.
    """

    values: Array
    replicates: int = 1
    ends: Array | None = None

    @classmethod
    def of_ends(cls, steps: Array, converged: Array, replicates: int = 1) -> Measured:
        """Return the steps to converge of runs, (cells, seeds), from their last steps; -1 where one is missing."""
        values = np.where(steps < 0, np.nan, np.where(converged, steps, np.inf))
        return cls(values, replicates, steps)

    @property
    def present(self) -> Array:
        """Which runs are present, (cells, seeds) of bool."""
        return ~np.isnan(self.values)

    @property
    def converged(self) -> Array:
        """Which runs converged, (cells, seeds) of bool, if it is the measure of convergence."""
        return np.isfinite(self.values)

    @property
    def steps(self) -> Array:
        """The steps of all runs, if it is the measure of convergence; any number where a run is missing."""
        assert self.ends is not None
        return self.ends

    def rearranged(self, rearrange: Callable[[Array], Array], replicates: int = 1) -> Measured:
        """Return the runs in other places."""
        return Measured(rearrange(self.values), replicates, None if self.ends is None else rearrange(self.ends))

    def at(self, cells: Array, seeds: slice = slice(None)) -> Measured:
        """Return the measure of some cells, by number, for a range of seeds. Runs of cell -1 are missing."""
        found = self.rearranged(lambda values: values[cells, seeds], self.replicates)
        return found._replace(values=np.where((cells >= 0)[:, None], found.values, np.nan))

    def only(self, runs: Array) -> Measured:
        """Return the measure without all but some runs, (cells, seeds) of bool."""
        return self._replace(values=np.where(runs, self.values, np.nan))

    def in_order(self, places: Array) -> Measured:
        """Return the measure with the seeds of each cell in another order, (cells, seeds)."""
        return self.rearranged(lambda values: np.take_along_axis(values, places, axis=1))

    def clusterings(self) -> list[Measured]:
        """Return the runs clustered by seed, by replicate, and as single runs."""
        values = clusterings(self.values, self.replicates)
        ends = [None] * len(values) if self.ends is None else clusterings(self.ends, self.replicates)
        return [Measured(each, ends=own) for each, own in zip(values, ends, strict=True)]

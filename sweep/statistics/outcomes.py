"""The end of each seed in each cell, for comparisons on common seeds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sweep.statistics.intervals import Array

_NEVER = np.int64(2**62)


def clusterings(values: Array, replicates: int) -> list[Array]:
    """Return runs, (n, replicates * seeds), with seeds as columns, with replicates as columns, and as they are.

    The first have ``replicates`` adjacent rows for each row of ``values``, the second as many as there are seeds.
    """
    n_seeds = values.shape[1] // replicates
    of_replicates = values.reshape(len(values), replicates, n_seeds).swapaxes(1, 2)
    return [values.reshape(-1, n_seeds), of_replicates.reshape(-1, replicates), values]


class Outcomes(NamedTuple):
    """Ends of runs, by cell and seed."""

    steps: Array  # (n_cells, n_seeds) of int32: steps of the run; -1 where the run is missing, as in a partial result
    converged: Array  # (n_cells, n_seeds) of bool: whether the run converged
    # How many replicates, such as splits of the data, the columns hold: the seeds of one after those of another
    replicates: int = 1

    @property
    def present(self) -> Array:
        """Which runs are present."""
        return np.asarray(self.steps >= 0)

    def steps_to_converge(self) -> Array:
        """Return the steps of converged runs, and a number above all steps for the others."""
        return np.where(self.converged, self.steps, _NEVER)

    def at(self, cells: Array, seeds: slice = slice(None)) -> Outcomes:
        """Return the outcomes of some cells for a range of seeds. Runs of cell -1 are missing."""
        there = (cells >= 0)[:, None]
        steps, converged = self.steps[cells, seeds], self.converged[cells, seeds]
        if there.all():
            return Outcomes(steps, converged, self.replicates)
        return Outcomes(np.where(there, steps, -1), there & converged, self.replicates)

    def in_order(self, places: Array) -> Outcomes:
        """Return the outcomes with the seeds of each cell in another order, (n_cells, n_seeds)."""
        steps, converged = (np.take_along_axis(each, places, axis=1) for each in (self.steps, self.converged))
        return Outcomes(steps, converged)

    def clusterings(self) -> list[Outcomes]:
        """Return the runs clustered by seed, by replicate, and as single runs; see :func:`clusterings`."""
        steps, converged = (clusterings(each, self.replicates) for each in (self.steps, self.converged))
        return [Outcomes(*each) for each in zip(steps, converged, strict=True)]


class Measured(NamedTuple):
    """A measure of runs, by cell and seed."""

    # (n_cells, n_seeds) of float64: values of :func:`~sweep.analysis.study_measures.as_measured`; NaN where the run
    # is missing
    values: Array
    replicates: int = 1  # as in :class:`Outcomes`

    @property
    def present(self) -> Array:
        """Which runs are present."""
        return ~np.isnan(self.values)

    def at(self, cells: Array, seeds: slice = slice(None)) -> Measured:
        """Return the measure of some cells for a range of seeds. Runs of cell -1 are missing."""
        return Measured(np.where((cells >= 0)[:, None], self.values[cells, seeds], np.nan), self.replicates)

    def in_order(self, places: Array) -> Measured:
        """Return the measure with the seeds of each cell in another order, (n_cells, n_seeds)."""
        return Measured(np.take_along_axis(self.values, places, axis=1))

    def clusterings(self) -> list[Measured]:
        """Return the runs clustered by seed, by replicate, and as single runs; see :func:`clusterings`."""
        return [Measured(each) for each in clusterings(self.values, self.replicates)]

"""The end of each seed in each cell, for comparisons on common seeds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sweep.statistics.intervals import Array

_NEVER = np.int64(2**62)


class Outcomes(NamedTuple):
    """Ends of runs, by cell and seed.

    Attributes
    ----------
    steps : (n_cells, n_seeds) of int32
        Steps of the run; -1 where the run is missing, as in a partial result.
    converged : (n_cells, n_seeds) of bool
        Whether the run converged.
    """

    steps: Array
    converged: Array

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
        if there.all():
            return Outcomes(self.steps[cells, seeds], self.converged[cells, seeds])
        return Outcomes(np.where(there, self.steps[cells, seeds], -1), there & self.converged[cells, seeds])

    def in_order(self, places: Array) -> Outcomes:
        """Return the outcomes with the seeds of each cell in another order, (n_cells, n_seeds)."""
        return Outcomes(*(np.take_along_axis(each, places, axis=1) for each in self))


class Measured(NamedTuple):
    """A measure of runs, by cell and seed.

    Attributes
    ----------
    values : (n_cells, n_seeds) of float64
        Values of :func:`~sweep.analysis.study_measures.as_measured`; NaN where the run is missing.
    """

    values: Array

    @property
    def present(self) -> Array:
        """Which runs are present."""
        return ~np.isnan(self.values)

    def at(self, cells: Array, seeds: slice = slice(None)) -> Measured:
        """Return the measure of some cells for a range of seeds. Runs of cell -1 are missing."""
        return Measured(np.where((cells >= 0)[:, None], self.values[cells, seeds], np.nan))

    def in_order(self, places: Array) -> Measured:
        """Return the measure with the seeds of each cell in another order, (n_cells, n_seeds)."""
        return Measured(np.take_along_axis(self.values, places, axis=1))

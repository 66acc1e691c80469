"""How every seed ended in every cell: what comparisons on common seeds are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from sweep.digest import status_codes
from sweep.plan import Plan
from sweep.schema import STATUSES
from sweep.statistics.intervals import Array

# Columns of the runs table that are read.
COLUMNS = ["run", "status", "steps"]

_CONVERGED = STATUSES.index("converged")
_NEVER = np.int64(2**62)


class Outcomes(NamedTuple):
    """Ends of runs, by cell and seed.

    Attributes
    ----------
    steps : (n_cells, n_seeds) of int32
        Steps taken; -1 where the run is not there, as in a partial result.
    converged : (n_cells, n_seeds) of bool
    """

    steps: Array
    converged: Array

    @property
    def present(self) -> Array:
        """Which runs are there."""
        return np.asarray(self.steps >= 0)

    def steps_to_converge(self) -> Array:
        """Return the steps of runs that converged, for others a number beyond all steps."""
        return np.where(self.converged, self.steps, _NEVER)

    def at(self, cells: Array, seeds: slice = slice(None)) -> Outcomes:
        """Return the outcomes of some cells, for a range of seeds."""
        return Outcomes(self.steps[cells, seeds], self.converged[cells, seeds])


def outcomes_from_tables(tables: Iterable[pa.Table], plan: Plan) -> Outcomes:
    """Read outcomes from tables of runs, of any rows in any order."""
    steps = np.full(plan.n_runs, -1, np.int32)
    converged = np.zeros(plan.n_runs, np.bool_)
    for table in tables:
        runs = table["run"].to_numpy()
        steps[runs] = table["steps"].to_numpy()
        converged[runs] = status_codes(table["status"]) == _CONVERGED
    shape = plan.n_cells, plan.n_seeds
    return Outcomes(steps.reshape(shape), converged.reshape(shape))

"""Results with invented runs, to test statistics without training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sweep import Result, Study
from sweep.analysis.cells import measured_statistics
from sweep.analysis.study_measures import most_correct
from sweep.analysis.tally import tally_runs
from sweep.schedule.plan import Plan
from sweep.statistics.intervals import Array
from sweep.statistics.outcomes import Measured
from sweep.store.bits import own_bits
from sweep.store.memory import MemoryParts
from tests.oracle import STATUSES

CONVERGED, EXHAUSTED = STATUSES.index("converged"), STATUSES.index("exhausted")


def result_of(study: Study, outcomes: Measured, keep: str = "runs") -> Result:
    """Return a result of these runs; runs that did not converge are exhausted.

    It is partial if some runs are missing.
    """
    present = outcomes.present
    cell, _ = np.nonzero(present)
    status = np.where(outcomes.converged, CONVERGED, EXHAUSTED)[present].astype(np.int8)
    tally = tally_runs(cell, status, outcomes.steps[present])
    facts = {"complete": False, "n_runs": int(present.sum()), "digest": None}
    result = Result(study, facts, MemoryParts(Plan(study), keep, own_bits()))
    result._counts._tallies.add(tally)
    result.__dict__.update(outcomes=outcomes)
    result.cells  # noqa: B018 (made while the result counts as partial, from the tally)
    result.complete = bool(present.all())
    return result


def invented(study: Study, rates: Sequence[float] | None = None, shared: float = 0.5) -> Result:
    """Return runs that converge with these rates by cell, or with any rates."""
    random = np.random.default_rng(3)
    chances = random.random(study.n_cells) if rates is None else np.array(rates)
    limit = int(study.grid.most_steps(np.arange(study.n_cells)).max())
    return result_of(study, outcomes_of(random, chances, study.seeds.count, shared, limit))


def outcomes_of(random: np.random.Generator, rates: Array, n_seeds: int, shared: float, limit: int = 100) -> Measured:
    """Return runs that converge with these rates by cell, within half the limit of steps.

    With the chance ``shared`` a seed draws one number for all cells, so that cells share their luck.
    """
    shape = len(rates), n_seeds
    own = random.random(n_seeds) < shared
    luck, pace = (np.where(own, random.random(n_seeds), random.random(shape)) for _ in range(2))
    converged = luck < rates[:, None]
    return Measured.of_ends(
        np.where(converged, 1 + (pace * limit / 2).astype(np.int32), limit).astype(np.int32), converged
    )


def measured_result(study: Study, measure: str, values: Array) -> Result:
    """Return a result with these measures, by cell and seed; there is no criterion, and NaN is a missing run."""
    present = ~np.isnan(values)
    runs = Measured.of_ends(np.where(present, 100, -1).astype(np.int32), np.zeros(values.shape, np.bool_))
    result = result_of(study, runs)
    cell, _ = np.nonzero(present)
    most = most_correct(study, measure)
    told = measured_statistics(measure, cell, values[present], correct=most)
    cells = result.cells.assign(**told.reindex(result.cells["cell"]).set_axis(result.cells.index))
    result.__dict__.update(cells=cells, numbered_cells=cells)
    result.measures.known[measure] = Measured(values)
    result.measures.known_cells[measure] = told
    return result

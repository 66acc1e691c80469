"""The runs of a result pooled over replicates (splits of the data, draws of noise), as of a study that sweeps none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from sweep.analysis.cells import columns_of, summarize
from sweep.analysis.losses import columns_in_cells
from sweep.analysis.study_measures import most_correct
from sweep.analysis.tally import merge
from sweep.results.estimate import ENDS, estimate, pairs_seeds
from sweep.results.evaluated_runs import OtherCells
from sweep.results.queries import Queries
from sweep.results.run_measures import RunMeasures
from sweep.statistics.intervals import Array
from sweep.statistics.of_cells import OF_CONVERGENCE, of_measure
from sweep.statistics.outcomes import Measured
from sweep.statistics.runs import Runs
from sweep.study.axes.grid import REPLICATES, replicate_axes, values_of_axes
from sweep.study.content import StudyContent

if TYPE_CHECKING:
    from sweep.study.model import Study


class _Folding:
    """Where the runs of cells go: the seeds of a configuration are those of its replicates, one after another."""

    def __init__(self, study: Study, pooled: list[int]) -> None:
        self._sizes = study.grid.sizes
        self._order = [k for k in range(len(self._sizes)) if k not in pooled] + pooled
        self.n_replicates = prod(self._sizes[k] for k in pooled)
        self.n_seeds = study.grid.n_seeds

    def fold(self, values: Array) -> Array:
        """Return (n_cells, n) values as (n_configurations, replicates * n)."""
        n = values.shape[1]
        ordered = values.reshape(*self._sizes, n).transpose(*self._order, len(self._sizes))
        return ordered.reshape(-1, self.n_replicates * n)

    def places(self) -> Array:
        """Return the numbers of the configuration and of the replicate of each cell, (2, cells)."""
        cells = self.fold(np.arange(prod(self._sizes))[:, None])
        found = np.empty((2, cells.size), np.int64)
        found[:, cells.ravel()] = np.divmod(np.arange(cells.size), self.n_replicates)
        return found


class ReplicatedStudy(StudyContent):
    """A study as if the replicates of some axes were seeds."""

    def __init__(self, study: Study, pooled: list[int]) -> None:
        vars(self).update({name: getattr(study, name) for name in StudyContent.__annotations__})
        self._study = study
        self.axes = [axis for k, axis in enumerate(study.axes) if k not in pooled]
        self.parameters = values_of_axes(self.axes)
        n = prod(study.grid.sizes[k] for k in pooled)
        self.seeds = study.seeds.model_copy(update={"count": n * study.seeds.count})

    def values_of(self, name: str) -> tuple[Any, ...]:
        """Return the values of an option in the cells."""
        return self._study.values_of(name)


class _Measures(RunMeasures):
    """Measures of the runs, by configuration, replicate and seed."""

    def __init__(self, study: Study, runs: Queries, folding: _Folding, replicates: int) -> None:
        super().__init__(study, runs.stored, runs.measures.independent_of)
        self._runs, self._folding, self._replicates = runs, folding, replicates

    def of(self, measure: str) -> Measured:
        """Return a measure of every seed of every replicate in every configuration."""
        if measure not in self.known:
            self.known[measure] = self._runs.measures.of(measure).rearranged(self._folding.fold, self._replicates)
        return self.known[measure]

    def _by_cell(self, measure: str, numbers: Array) -> pd.DataFrame:
        """Return the statistics of a measure of configurations with these numbers."""
        runs = Runs.of_measured(self.of(measure).at(numbers), numbers, correct=most_correct(self._study, measure))
        return columns_of(of_measure(measure), runs)


class ReplicatedRuns(OtherCells, Queries):
    """The runs of a result pooled over replicates that are not named; cells are configurations without them.

    Intervals count seeds and replicates as random effects (:mod:`sweep.statistics.two_way`). With one seed, replicates
    take the place of seeds.

    Attributes
    ----------
    study : Study
        The study as if its replicates were seeds.
    complete : bool
        Whether the result has all runs.
    """

    def __init__(self, runs: Queries, named: Collection[str] = ()) -> None:
        pooled = replicate_axes(runs.study.axes, named)
        study = cast("Study", ReplicatedStudy(runs.study, pooled))
        self._runs, self._folding = runs, _Folding(runs.study, pooled)
        self.n_pooled = self._folding.n_replicates
        self.replicates = self.n_pooled if self._folding.n_seeds > 1 else 1
        self.pooled_over = " & ".join(name for name in runs.study.parameters if name not in study.parameters)
        measures = _Measures(study, runs, self._folding, self.replicates)
        super().__init__(study, {**runs.facts, "complete": runs.complete}, runs.stored, measures)

    @cached_property
    def numbered_tally(self) -> pd.DataFrame:
        """Counts of runs by configuration, status and steps."""
        tally = self._runs.numbered_tally
        return merge([tally.assign(cell=self.places_of(tally["cell"].to_numpy())[0])])

    def places_of(self, cells: Array) -> tuple[Array, Array]:
        """Return the configurations and replicates of runs of some cells of the study."""
        configuration, replicate = self._folding.places()[:, cells]
        return configuration, replicate

    @cached_property
    def outcomes(self) -> Measured:
        """When each seed of each replicate converged, if it did."""
        return self._runs.outcomes.rearranged(self._folding.fold, self.replicates)

    def _make_cells(self) -> pd.DataFrame:
        counted = summarize(self.numbered_tally, self.study.grid)
        columns = estimate(self, {ENDS: [*OF_CONVERGENCE.values()]}, counted, counted["cell"].to_numpy())
        cells = counted.assign(**columns.reset_index(drop=True))
        for measure in columns_in_cells(self._runs.study):
            cells = self.measures.in_cells(measure, cells)
        return cells

    def __repr__(self) -> str:
        """Return the study and the number of replicates."""
        return f"<{self._folding.n_replicates} replicates of {self.study.name!r}>"


class PoolsReplicates(Queries):
    """Runs whose queries pool over replicates that they do not name."""

    @property
    def over_replicates(self) -> Queries:
        """The runs pooled over swept ``split_seed``, ``validation_seed``, ``fold`` and ``noise_seed``.

        Their values are replicates like seeds: configurations are cells without them. They have no numbers, only values
        of options. Intervals and tests treat seeds and replicates as random effects. These are the runs themselves if
        the study sweeps none of them, or if rows of runs were not kept.
        """
        return self.naming(())

    def naming(self, names: Sequence[str]) -> Queries:
        """Return the runs pooled over the replicates that are not named."""
        named = tuple(name for name in REPLICATES if name in names)
        if named not in self._pooled:
            pools = replicate_axes(self.study.axes, named) and pairs_seeds(self)
            self._pooled[named] = ReplicatedRuns(self, named) if pools else self
        return self._pooled[named]

    @cached_property
    def _pooled(self) -> dict[tuple[str, ...], Queries]:
        """The pooled runs by named replicates."""
        return {}

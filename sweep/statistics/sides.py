"""The two sides of a comparison. Runs are paired by stratum and seed, and added up by group of strata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from sweep.statistics.intervals import Array
from sweep.statistics.outcomes import Outcomes
from sweep.statistics.paired_steps import Estimated, SeedSteps, expected_steps, saved_steps


class Groups:
    """Strata that share the values of some parameters.

    Attributes
    ----------
    values : DataFrame
        These values, a row for each group, in the order in which they first occur.
    """

    def __init__(self, strata: pd.DataFrame, by: Sequence[str]) -> None:
        group = strata.groupby(list(by), sort=False).ngroup().to_numpy() if by else np.zeros(len(strata), np.int64)
        self._order = np.argsort(group, kind="stable")
        _, self._starts = np.unique(group[self._order], return_index=True)
        self.values = strata.iloc[self._order[self._starts]][list(by)].reset_index(drop=True)

    def add(self, values: Array) -> Array:
        """Sum values by stratum (and seed) within groups. ``reduceat`` takes several times as long."""
        if len(self._starts) == len(values):
            return np.asarray(values[self._order], np.int64)
        strata = np.split(self._order, self._starts[1:])
        return np.stack([values[own].sum(axis=0, dtype=np.int64) for own in strata])

    def largest(self, values: Array) -> Array:
        """Return the largest value among the strata of each group."""
        return np.maximum.reduceat(values[self._order], self._starts)

    def smallest(self, values: Array) -> Array:
        """Return the smallest value among the strata of each group."""
        return np.minimum.reduceat(values[self._order], self._starts)


class Pairs(NamedTuple):
    """The pairs of runs.

    Attributes
    ----------
    strata : (n_paired,)
        Strata that have pairs; in a partial result some have none.
    both : (n_paired, n_seeds)
        Whether both runs are present.
    groups
        The groups of these strata.
    """

    strata: Array
    both: Array
    groups: Groups


class Side:
    """The runs of one side.

    Parameters
    ----------
    outcomes : (n_strata, n_seeds)
        Outcomes of the runs.
    most_steps : (n_strata,)
        The limit of steps of a run.
    """

    def __init__(self, outcomes: Outcomes, most_steps: Array) -> None:
        self.outcomes = outcomes
        self.most_steps = most_steps
        self._found: dict[bytes, Estimated] = {}
        self._needed: Array | None = None

    def steps_to_converge(self, pairs: Pairs) -> Array:
        """Return the steps in paired strata, and a number above all steps for runs that do not converge."""
        if self._needed is None:
            self._needed = self.outcomes.steps_to_converge()
        return self._needed if len(pairs.strata) == len(self._needed) else self._needed[pairs.strata]

    def expected_steps(self, pairs: Pairs) -> Estimated:
        """Return the expected running time of paired runs (steps of all runs per success), by group."""
        return self._estimated(pairs, None)

    def saved_steps(self, pairs: Pairs, limits: Array) -> Estimated:
        """Return the mean steps that paired runs save of the given limits of their strata, by group."""
        return self._estimated(pairs, limits)

    def _estimated(self, pairs: Pairs, limits: Array | None) -> Estimated:
        """Return either statistic; a statistic of all runs is cached, since it is the same for every other side."""
        if len(pairs.strata) < len(self.most_steps) or not pairs.both.all():
            return self._estimate(pairs, limits)
        key = b"" if limits is None else limits.tobytes()
        if key not in self._found:
            self._found[key] = self._estimate(pairs, limits)
        return self._found[key]

    def _estimate(self, pairs: Pairs, limits: Array | None) -> Estimated:
        steps, converged = self.outcomes.at(pairs.strata)
        converged = converged & pairs.both
        if limits is not None:
            steps = limits[:, None] - steps
            converged &= steps >= 0
        n_converged, add = converged.sum(axis=1), pairs.groups.add
        runs = SeedSteps(
            add(pairs.both),
            add(converged),
            add(np.where(converged, steps, 0)),
            add(np.where(pairs.both & ~converged, steps, 0)),
            add((n_converged == 0) | (n_converged == pairs.both.sum(axis=1))),
            pairs.groups.largest(self.most_steps[pairs.strata] if limits is None else limits),
        )
        return expected_steps(runs) if limits is None else saved_steps(runs)

"""The two sides of a comparison. Runs are paired by stratum and seed, and summed by group of strata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from sweep.statistics.clusters import Clusters
from sweep.statistics.estimates import ExpectedSteps, RestrictedMean
from sweep.statistics.intervals import Array
from sweep.statistics.outcomes import Measured
from sweep.statistics.runs import independent_runs


class Groups:
    """Strata that share the values of some parameters; groups are in the order in which they first occur."""

    def __init__(self, strata: pd.DataFrame, by: Sequence[str]) -> None:
        group = strata.groupby(list(by), sort=False).ngroup().to_numpy() if by else np.zeros(len(strata), np.int64)
        self._order = np.argsort(group, kind="stable")
        _, self._starts = np.unique(group[self._order], return_index=True)
        self.strata = np.split(self._order, self._starts)[1:]  # those of each group; none without strata
        self.values = strata.iloc[self._order[self._starts]][list(by)].reset_index(drop=True)

    def add(self, values: Array) -> Array:
        """Sum values of strata (and seeds) by group. ``reduceat`` takes several times as long."""
        if len(self._starts) == len(values):
            return np.asarray(values[self._order], _type_of_sums(values))
        return np.stack([values[own].sum(axis=0, dtype=_type_of_sums(values)) for own in self.strata])

    def largest(self, values: Array) -> Array:
        """Return the largest value among the strata of each group."""
        return np.maximum.reduceat(values[self._order], self._starts)

    def in_all(self, values: Array) -> Array:
        """Return truth values of strata and seeds that hold in all strata of the group, (n_strata, n_seeds)."""
        found = np.empty_like(values)
        for own in self.strata:
            found[own] = values[own].all(axis=0)
        return found

    def smallest(self, values: Array) -> Array:
        """Return the smallest value among the strata of each group."""
        return np.minimum.reduceat(values[self._order], self._starts)


def _type_of_sums(values: Array) -> type:
    """Return the type in which values add up: integers and truth values exactly."""
    return np.float64 if values.dtype.kind == "f" else np.int64


class Pairs(NamedTuple):
    """The pairs of runs."""

    strata: Array  # (n_paired,): strata with pairs; partial results have some without
    both: Array  # (n_paired, n_seeds): whether both runs are trained
    groups: Groups  # the groups of these strata
    n: Array  # (n_groups, n_seeds): numbers of pairs
    are_crossed: bool  # whether runs share seeds and replicates
    of_replicates: bool  # whether columns are these replicates, and not seeds

    def marked(self, values: Array) -> Array:
        """Count pairs whose values, (n_paired, n_seeds), are true, by group and seed."""
        return self.groups.add(values & self.both)


class Side:
    """A measure of the runs of one side, (n_strata, n_seeds).

    ``most_steps``, (n_strata,), are the step limits of a run if the measure is that of convergence.
    """

    def __init__(self, runs: Measured, most_steps: Array) -> None:
        self.runs = runs
        self.most_steps = most_steps
        self._expected: ExpectedSteps | None = None

    def clusterings(self) -> list[Side]:
        """Return the runs clustered by seed, by replicate, and as single runs."""
        found = self.runs.clusterings()
        n = len(self.runs.values)
        return [Side(each, np.repeat(self.most_steps, len(each.values) // n)) for each in found]

    def only(self, runs: Array) -> Side:
        """Return the side without all but some runs, (n_strata, n_seeds) of bool."""
        return Side(self.runs.only(runs), self.most_steps)

    def values(self, pairs: Pairs) -> Array:
        """Return the values of runs in paired strata."""
        values = self.runs.values
        return values if len(pairs.strata) == len(values) else values[pairs.strata]

    def expected_steps(self, pairs: Pairs) -> ExpectedSteps:
        """Return the expected running time (ERT) of paired runs by group."""
        if len(pairs.strata) < len(self.most_steps) or not pairs.both.all():
            return ExpectedSteps(self._clusters(pairs, None)[0])
        if self._expected is None:  # the same whatever the other side
            self._expected = ExpectedSteps(self._clusters(pairs, None)[0])
        return self._expected

    def restricted_mean(self, pairs: Pairs, limits: Array) -> RestrictedMean:
        """Return the restricted mean steps of paired runs up to the limits of their strata, by group."""
        return RestrictedMean(*self._clusters(pairs, limits))

    def _clusters(self, pairs: Pairs, limits: Array | None) -> tuple[Clusters, Array]:
        """Return the paired runs by group and seed, and the sums of their limits.

        With limits, only runs that converge by their limit count as converged, with the steps that they save of it.
        """
        found = self.runs.at(pairs.strata)
        steps, converged = found.steps, found.converged
        converged = converged & pairs.both
        add = pairs.groups.add
        most = self.most_steps[pairs.strata] if limits is None else limits
        if limits is not None:
            steps = limits[:, None] - steps
            converged &= steps >= 0
        n_converged = converged.sum(axis=1)
        unanimous = add((n_converged == 0) | (n_converged == pairs.both.sum(axis=1)))
        runs = add(pairs.both)
        n_of_seeds = add(converged)
        clusters = Clusters.of_seeds(
            runs,
            n_of_seeds,
            add(np.where(converged, steps, 0)),
            add(np.where(pairs.both & ~converged, steps, 0)),
            pairs.groups.largest(most),
            independent_runs(n_of_seeds, runs, unanimous),
        )
        return clusters, add(pairs.both * most[:, None]).ravel()


def on_shared_seeds(first: Side, second: Side, strata: pd.DataFrame, by: Sequence[str]) -> tuple[Side, Side]:
    """Return the pairs of runs with the seeds that all strata of a group have, so that strata weigh alike.

    Strata without any pair do not count. Groups are the combinations of the values of ``by``.
    """
    both = first.runs.present & second.runs.present
    paired = np.flatnonzero(both.any(axis=1))
    both[paired] = Groups(strata.iloc[paired], by).in_all(both[paired])
    return first.only(both), second.only(both)

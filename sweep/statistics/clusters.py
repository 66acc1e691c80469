"""Runs in independent clusters: the runs of a cell one by one, or of several cells the seeds with all their runs."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from sweep.statistics.intervals import Array


class Clusters:
    """Counts and steps of runs by cluster. The clusters of a group are adjacent, and independent of each other.

    Parameters
    ----------
    starts : (n_groups,)
        The first cluster of each group.
    n_alike : (n_clusters,) or None
        How many clusters of these numbers there are; by default one each.
    runs, converged : (n_clusters,)
        Number of runs, and of those that converged.
    of_converged, of_others : (n_clusters,)
        Sum of steps of the runs that converged, and of the others.
    most : (n_groups,)
        The limit of steps of a run.
    n_independent : (n_groups,) or None
        The number of independent runs of which the convergence rate would have the same variance; by default the
        number of runs.
    """

    def __init__(
        self,
        starts: Array,
        runs: Array,
        converged: Array,
        of_converged: Array,
        of_others: Array,
        most: Array,
        n_alike: Array | None = None,
        n_independent: Array | None = None,
    ) -> None:
        self._starts, self._n_alike = starts, n_alike
        self._sizes = np.diff(np.append(starts, len(runs)))
        self.runs, self.converged, self.of_converged, self.of_others = runs, converged, of_converged, of_others
        self.most = most
        self.n_independent = self.add(runs).astype(np.float64) if n_independent is None else n_independent

    @classmethod
    def of_seeds(
        cls,
        runs: Array,
        converged: Array,
        of_converged: Array,
        of_others: Array | None = None,
        most: Array | int = 0,
        n_independent: Array | None = None,
    ) -> Clusters:
        """Return seeds as clusters, from arrays of (n_groups, n_seeds)."""
        n_groups, n_seeds = runs.shape
        n, n_converged = (np.asarray(each, np.int64).ravel() for each in (runs, converged))
        others = np.zeros_like(n) if of_others is None else of_others.ravel()
        starts, limits = np.arange(n_groups) * n_seeds, np.broadcast_to(most, n_groups)
        return cls(starts, n, n_converged, of_converged.ravel(), others, limits, n_independent=n_independent)

    @classmethod
    def of_runs(cls, starts: Array, values: Array, n_alike: Array) -> Clusters:
        """Return runs that all count as converged, with these values in place of steps; each is its own cluster."""
        once = np.ones(len(values), np.int64)
        return cls(starts, once, once, values, np.zeros(len(values)), np.zeros(len(starts)), n_alike)

    @cached_property
    def n_clusters(self) -> Array:
        """Number of clusters that have runs, (n_groups,)."""
        return self.add(self.runs > 0)

    @cached_property
    def rate(self) -> Array:
        """Share of runs that converged, (n_groups,)."""
        return self.add(self.converged) / self.add(self.runs)

    def add(self, values: Array) -> Array:
        """Add up values of clusters by group."""
        values = values if self._n_alike is None else values * self._n_alike
        return np.add.reduceat(values, self._starts, dtype=np.int64 if values.dtype == np.bool_ else None)

    def rest(self, values: Array, ratio: Array, counts: Array, scale: Array) -> Array:
        """Return what is left of values of clusters after a group's ratio times counts, times a group's scale."""
        return np.asarray((values - np.repeat(ratio, self._sizes) * counts) * np.repeat(scale, self._sizes))

    def correlation(self, one: Array, other: Array) -> Array:
        """Return the correlation of two influences over the clusters of a group; 0 where either does not vary.

        Of few clusters it is mostly chance, of two always 1 or -1. So it is taken to be smaller, and 0 of six or fewer.
        """
        spread = np.sqrt(self.add(one**2)) * np.sqrt(self.add(other**2))
        found = np.divide(self.add(one * other), spread, out=np.zeros(len(spread)), where=spread > 0)
        return np.asarray(found * np.maximum(1 - 6 / np.maximum(self.n_clusters, 1), 0.0))

"""Independent clusters of runs: single runs of one cell, or seeds with all their runs in several cells."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from sweep.statistics.intervals import Array


class Clusters:
    """Counts and steps of runs by cluster. The clusters of a group are adjacent and independent."""

    # Whether runs share seeds and replicates, and these clusters are those of one of both
    are_crossed = False

    def __init__(
        self,
        starts: Array,  # (n_groups,): the first cluster of each group
        runs: Array,  # (n_clusters,): numbers of runs
        converged: Array,  # (n_clusters,): and of those that converged
        of_converged: Array,  # (n_clusters,): sums of steps of converged runs
        of_others: Array,  # (n_clusters,): and of all others
        most: Array,  # (n_groups,): the step limit of a run
        n_alike: Array | None = None,  # (n_clusters,): how many clusters have these numbers; by default one each
        # (n_groups,): the number of independent runs whose convergence rate would have the same variance; by default
        # the number of runs
        n_independent: Array | None = None,
    ) -> None:
        self._starts = starts
        self._n_alike = n_alike
        self._sizes = np.diff(np.append(starts, len(runs)))
        self.runs = runs
        self.converged = converged
        self.of_converged = of_converged
        self.of_others = of_others
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
        starts = np.arange(n_groups) * n_seeds
        limits = np.broadcast_to(most, n_groups)
        return cls(starts, n, n_converged, of_converged.ravel(), others, limits, n_independent=n_independent)

    @cached_property
    def n_clusters(self) -> Array:
        """Number of clusters that have runs, (n_groups,)."""
        return self.add(self.runs > 0)

    @cached_property
    def rate(self) -> Array:
        """Share of runs that converged, (n_groups,)."""
        return self.add(self.converged) / self.add(self.runs)

    def add(self, values: Array) -> Array:
        """Sum values of clusters by group."""
        values = values if self._n_alike is None else values * self._n_alike
        return np.add.reduceat(values, self._starts, dtype=np.int64 if values.dtype == np.bool_ else None)

    def rest(self, values: Array, ratio: Array, counts: Array, scale: Array) -> Array:
        """Return (values - ratio of the group * counts) * scale of the group, by cluster."""
        return np.asarray((values - np.repeat(ratio, self._sizes) * counts) * np.repeat(scale, self._sizes))

    def correlation(self, one: Array, other: Array) -> Array:
        """Return the correlation of two influences over the clusters of a group; 0 where either does not vary.

        With few clusters it is mostly noise (with two always 1 or -1), so it is shrunk, to 0 with six or fewer.
        """
        spread = np.sqrt(self.add(one**2)) * np.sqrt(self.add(other**2))
        found = np.divide(self.add(one * other), spread, out=np.zeros(len(spread)), where=spread > 0)
        return np.asarray(found * np.maximum(1 - 6 / np.maximum(self.n_clusters, 1), 0.0))

"""Runs by group, from which every statistic of cells is estimated.

A group is a cell, or several cells that share the values of some parameters. Its runs are independent if they are of
one cell. Runs of one seed in several cells are not: they start with the same weights. So the *clusters* of such a group
are its seeds, with all of their runs.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sweep.statistics.clusters import Clusters
from sweep.statistics.ends import Ends, half_of
from sweep.statistics.intervals import Array, Z, student_quantile

if TYPE_CHECKING:
    import pandas as pd

    from sweep.statistics.outcomes import Measured

# Runs whose seeds have unequal weights have intervals if their weight is that of so many seeds, or of half of all.
_LEAST_SEEDS = 50


class Correct(NamedTuple):
    """How many outputs of a run are correct over all patterns; of shares of patterns, which share is right."""

    most: int = 0  # at most; 0 for measures that count no outputs
    guessed: float = 0.0  # of a network that has learned nothing, such as one with constant outputs


NOT_COUNTED = Correct()


class Runs:
    """Runs by group. A row stands for ``n`` runs of a cell that ended alike; rows are sorted by group.

    All arrays are (rows,), of integers, except ``converged`` of bool and ``values`` of float.
    """

    def __init__(
        self,
        group: Array,  # number of the group of each row
        cell: Array,  # number of its cell
        n: Array | None = None,  # number of runs; by default one each
        # Index of the seed of the run. None if seeds are not known; groups of several cells then have no intervals.
        seed: Array | None = None,
        *,
        status: Array | None = None,  # how the runs ended, by code
        converged: Array | None = None,
        steps: Array | None = None,  # updates of a run
        most_steps: Array | None = None,  # the limit of them
        values: Array | None = None,  # a measure, as of :func:`~sweep.analysis.study_measures.as_measured`
        correct: Correct = NOT_COUNTED,
        rows: pd.DataFrame | None = None,  # the rows of the runs, for statistics that are functions of them
        replicate: Array | None = None,  # number of the replicate of each, beside its seed, for these statistics
    ) -> None:
        order = None if (np.diff(group) >= 0).all() else np.argsort(group, kind="stable")

        def sorted_(rows: Array | None) -> Array:
            if rows is None:
                return np.empty(0)
            return rows if order is None else rows[order]

        group = sorted_(group).astype(np.int64)
        self.cell = sorted_(cell).astype(np.int64)
        self._starts = np.flatnonzero(np.diff(group, prepend=group[0] - 1)) if len(group) else np.empty(0, np.int64)
        self.numbers = group[self._starts]  # of the groups, ascending
        # Index in ``numbers`` of each row's group
        self.group = np.repeat(np.arange(len(self.numbers)), np.diff(self._starts, append=len(group)))
        self.n = np.ones(len(group), np.int64) if n is None else sorted_(n)
        self.seed = None if seed is None else sorted_(seed)
        self.status = sorted_(status)
        self.converged = sorted_(converged)
        self.steps = sorted_(steps)
        self.most_steps = sorted_(most_steps)
        self.values = sorted_(values)
        self.correct = correct
        self.rows = rows if rows is None or order is None else rows.take(order)
        self.replicate = sorted_(replicate)
        self._ordered: Ordered | None = None
        # If runs share replicates besides seeds: the same rows clustered by seed, by replicate, and as single runs
        self.clusterings: list[Runs] = []
        self.are_crossed = False  # whether this is one of these

    @classmethod
    def of_tally(cls, tally: pd.DataFrame, group: Array, most_steps: Array) -> Runs:
        """Return the runs of a tally; ``group`` and ``most_steps`` are by its rows."""
        return cls(
            group,
            tally["cell"].to_numpy(),
            tally["n"].to_numpy(np.int64),
            status=tally["status"].cat.codes.to_numpy(),
            converged=(tally["status"] == "converged").to_numpy(),
            steps=tally["steps"].to_numpy(np.int64),
            most_steps=most_steps,
        )

    @classmethod
    def of_measured(
        cls, measured: Measured, group: Array, most_steps: Array | None = None, correct: Correct = NOT_COUNTED
    ) -> Runs:
        """Return a measure of the runs of cells whose seeds are known; ``group`` and ``most_steps`` are by cell.

        Where runs share replicates, so do their clusterings.
        """
        cell, seed = np.nonzero(measured.present)
        known: dict[str, Any] = {"values": measured.values[cell, seed], "correct": correct}
        if measured.ends is not None:
            known |= {"converged": measured.converged[cell, seed], "steps": measured.ends[cell, seed].astype(np.int64)}
        if most_steps is not None:
            known["most_steps"] = most_steps[cell]

        def runs_of(seed: Array) -> Runs:
            return cls(group[cell], cell, seed=seed, **known)

        runs = runs_of(seed)
        if measured.replicates > 1:
            replicate, of_replicate = np.divmod(seed, measured.values.shape[1] // measured.replicates)
            runs.clusterings = [runs_of(each) for each in (of_replicate, replicate, seed)]
            for each in runs.clusterings:
                each.are_crossed = True
        return runs

    @classmethod
    def of_rows(cls, rows: pd.DataFrame, group: Array, replicate: Array | None = None) -> Runs:
        """Return the runs in rows with columns ``cell`` and ``seed``; ``group`` and ``replicate`` are by row."""
        seed = np.unique(rows["seed"].to_numpy(), return_inverse=True)[1]
        return cls(group, rows["cell"].to_numpy(), seed=seed, rows=rows, replicate=replicate)

    def add(self, values: Array) -> Array:
        """Add up values of runs by group, (n_groups,); a value of a row counts as often as the row stands for runs."""
        weighted = values * self.n
        return np.add.reduceat(weighted, self._starts) if len(self._starts) else weighted

    @cached_property
    def n_runs(self) -> Array:
        """Number of runs, (n_groups,)."""
        return self.add(np.ones(len(self.n), np.int64))

    @cached_property
    def steps_to_converge(self) -> Array:
        """Steps of the runs that converged, infinity for the others, (rows,)."""
        return np.where(self.converged, self.steps, np.inf)

    def ordered(self, values: Array) -> Ordered:
        """Return values of runs in order; the last ones are kept, for statistics of one array."""
        if self._ordered is None or self._ordered.values is not values:
            self._ordered = Ordered(self, values)
        return self._ordered

    @cached_property
    def ends(self) -> Ends:
        """The runs that ended alike, in two halves: by a hash of how they ended, or by their seeds."""
        if self.seed is None:
            order = self.ordered(self.steps).order
            n = self.n[order]
            steps = self.steps[order]
            first = half_of(n, self.status[order], steps)
            return Ends(self.group[order], steps, self.converged[order], n, first)
        width = int(self.steps.max(initial=0)) + 1
        codes, place = np.unique((self.group * width + self.steps) * 2 + self.converged, return_inverse=True)
        group, steps = np.divmod(codes // 2, width)
        n, first = (np.bincount(place, each, len(codes)).astype(np.int64) for each in (self.n, self.n * self.in_first))
        return Ends(group, steps, codes % 2 == 1, n, first)

    @property
    def in_first(self) -> Array:
        """Whether the seed of a run is in the first half, (rows,)."""
        assert self.seed is not None
        return np.asarray(self.seed % 2 == 0)

    @cached_property
    def limit(self) -> Array:
        """The largest limit of steps, (n_groups,)."""
        return np.maximum.reduceat(self.most_steps, self._starts) if len(self._starts) else np.empty(0, np.int64)

    @cached_property
    def _cells(self) -> tuple[Array, Array, Array]:
        """The index of each row's cell among the pairs of a group and a cell, and by pair its group and runs."""
        width = int(self.cell.max(initial=0)) + 1
        codes = self.group * width + self.cell
        rises = np.diff(codes, prepend=-1)
        if (rises >= 0).all():  # rows in the order of cells need no sorting
            pairs, place = codes[rises > 0], np.cumsum(rises > 0) - 1
        else:
            pairs, place = np.unique(codes, return_inverse=True)
        return place, pairs // width, np.bincount(place, self.n, len(pairs))

    @cached_property
    def n_cells(self) -> Array:
        """Number of cells that have runs, (n_groups,)."""
        return np.bincount(self._cells[1], minlength=len(self.numbers))

    @cached_property
    def even(self) -> Array:
        """Whether all cells of a group have as many runs, (n_groups,).

        Where they have not, as in a partial result, each cell counts equally, and only rates have intervals.
        """
        _, group, n_runs = self._cells
        starts = np.searchsorted(group, np.arange(len(self.numbers)))
        if not len(starts):
            return np.ones(0, np.bool_)
        return np.asarray(np.minimum.reduceat(n_runs, starts) == np.maximum.reduceat(n_runs, starts))

    @cached_property
    def weights(self) -> Array | None:
        """Weight of each row by which all cells of a group count equally, (rows,); None if each run counts once."""
        if self.even.all():
            return None
        place, _, n_runs = self._cells
        return self.n / n_runs[place]

    def mean(self, values: Array) -> Array:
        """Return the mean of values of runs by group; of the means of cells where these count equally."""
        if self.even.all():
            return self.add(values) / np.maximum(self.n_runs, 1)
        place, group, n_runs = self._cells
        of_cells = np.bincount(place, values * self.n, len(n_runs)) / n_runs  # exactly 1 where all are
        return np.bincount(group, of_cells, len(self.numbers)) / self.n_cells

    @cached_property
    def has_intervals(self) -> Array:
        """Whether estimates have an interval, (n_groups,): of one cell, or of several with seeds and as many runs."""
        return (self.n_cells <= 1) | (self.even & (self.seed is not None))

    @cached_property
    def are_independent(self) -> Array:
        """Whether the runs of a group are independent and count alike, (n_groups,), so that counts tell all.

        No seed has two of them, cells have as many, and there are no replicates.
        """
        if self.clusterings:
            return np.zeros(len(self.numbers), np.bool_)
        if self.seed is None:
            return self.n_cells <= 1
        return np.asarray(self.even & (self._runs_of_seeds.max(axis=1, initial=0) <= 1))

    @cached_property
    def n_seeds(self) -> int:
        """Number of seeds, if these are known."""
        return 0 if self.seed is None else int(self.seed.max(initial=-1)) + 1

    @cached_property
    def _place(self) -> Array:
        """The index of each row's group and seed."""
        assert self.seed is not None
        return np.asarray(self.group * self.n_seeds + self.seed)

    @cached_property
    def _runs_of_seeds(self) -> Array:
        """Number of runs by group and seed, (n_groups, n_seeds)."""
        return self.of_seeds(np.ones(len(self.n), np.int64))

    def of_seeds(self, values: Array) -> Array:
        """Add up values of rows by group and seed, (n_groups, n_seeds)."""
        shape = len(self.numbers), self.n_seeds
        place = self._place
        size = shape[0] * shape[1]
        if values.dtype.kind == "f":
            return np.bincount(place, values, size).reshape(shape)
        if np.abs(values).max(initial=0) * max(int(self.n_cells.max(initial=1)), 1) < 2**53:  # exact as floats
            return np.bincount(place, values, size).astype(np.int64).reshape(shape)
        sums = np.zeros(size, np.int64)
        np.add.at(sums, place, values)
        return sums.reshape(shape)

    def clusters(self, counted: Array, of_counted: Array, of_others: Array | None = None) -> Clusters:
        """Return runs, or seeds with their runs, as clusters.

        Runs that are ``counted`` count as converged; ``of_counted`` and ``of_others`` are steps or another quantity of
        these and of the others. All are (rows,).
        """
        of_counted = np.where(counted, of_counted, 0)
        of_others = np.zeros_like(of_counted) if of_others is None else np.where(counted, 0, of_others)
        most = self.limit if len(self.most_steps) else np.zeros(len(self.numbers))
        once = np.ones(len(self.n), np.int64)
        if self.seed is None:
            return Clusters(self._starts, once, counted, of_counted, of_others, most, self.n)
        n_counted, sums, others = map(self.of_seeds, (counted.astype(np.int64), of_counted, of_others))
        clusters = Clusters.of_seeds(self._runs_of_seeds, n_counted, sums, others, most, self.independent(counted))
        clusters.are_crossed = self.are_crossed
        return clusters

    def by_cluster(self, values: Array) -> Array:
        """Add up values of rows by cluster of :meth:`clusters`, (n_clusters,)."""
        return values if self.seed is None else self.of_seeds(values).ravel()

    def independent(self, marked: Array) -> Array:
        """Return the effective number of independent runs for the share of marked runs, (n_groups,).

        It is the number of runs where these are independent and count alike, and missing for one seed with several
        runs. Else it is that of the mean of the cells' shares, whose variance is that between seeds of the weighted
        distances of their runs from the shares of their cells. It is missing where a few seeds have most of the weight:
        fewer than 50, and fewer than half of all. Where runs share seeds and replicates, variances are combined as in
        :mod:`sweep.statistics.two_way`.
        """
        if self.clusterings:
            return crossed_runs(*(each.independent(marked) for each in self.clusterings))
        if self.seed is None:
            return np.where(self.n_cells <= 1, self.n_runs, np.nan)
        if self.are_independent.all():
            return self.n_runs.astype(np.float64)
        place, group, n_runs = self._cells
        n_marked = np.bincount(place, marked, len(n_runs))
        alike = (n_marked == 0) | (n_marked == n_runs)
        runs = self._runs_of_seeds
        of_seeds = self.of_seeds(marked.astype(np.int64))
        weights = 1 / n_runs / self.n_cells[group]
        rest = self.of_seeds((marked - (n_marked / n_runs)[place]) * weights[place])
        squares = (rest**2).sum(axis=1) + np.bincount(group, alike * weights**2, len(self.numbers)) / 2
        unlike = np.minimum((of_seeds > 0).sum(axis=1), (of_seeds < runs).sum(axis=1))
        of_weights = self.of_seeds(weights[place])
        n_seeds = of_weights.sum(axis=1) ** 2 / (of_weights**2).sum(axis=1)  # of equal weights (Kish)
        n = _effective(self.mean(marked), squares, np.minimum(unlike, n_seeds), n_seeds)
        n[(n_seeds < _LEAST_SEEDS) & (n_seeds < (runs > 0).sum(axis=1) / 2)] = np.nan
        return np.where(self.are_independent, self.n_runs, n)


def crossed_runs(by_seed: Array, by_replicate: Array, by_run: Array) -> Array:
    """Return the effective number of independent runs, from those with three kinds of clusters."""
    of_seeds, of_replicates, of_runs = 1 / by_seed, 1 / by_replicate, 1 / by_run
    least = np.maximum(of_seeds, of_replicates)
    return np.asarray(1 / np.maximum(of_seeds + of_replicates - of_runs, least))


class Ordered:
    """Values of runs, (rows,), in ascending order by group, and their quantiles; infinite where there is none."""

    def __init__(self, runs: Runs, values: Array) -> None:
        self._runs = runs
        self.values = values
        self.order = np.lexsort((values, runs.group))  # of rows by group and then by values
        self._sorted = values[self.order]
        self._so_far = np.cumsum(runs.n[self.order])
        self._before = np.append(0, np.cumsum(runs.n_runs))[:-1]

    def at(self, ranks: Array, lowest: float = -np.inf) -> Array:
        """Return the value at a rank of each group from 1; ``lowest`` below, and infinity beyond the last run."""
        n_runs = self._runs.n_runs
        found = self._sorted[np.searchsorted(self._so_far, self._before + np.clip(ranks, 1, n_runs))]
        return np.where(ranks < 1, lowest, np.where(ranks > n_runs, np.inf, found))

    def quantile(self, share: tuple[int, int]) -> Array:
        """Return the quantile of a share, (n_groups,): the value of run ceil(share n), or by weights of cells."""
        part, whole = share
        if self._runs.weights is None:
            return self.at(-(-self._runs.n_runs * part // whole))
        reached = np.cumsum(self._runs.weights[self.order])
        before = np.append(0, np.cumsum(self._runs.n_cells))[:-1]
        places = np.searchsorted(reached, before + part / whole * self._runs.n_cells - 1e-9)
        return np.asarray(self._sorted[np.minimum(places, len(self._sorted) - 1)])


def independent_runs(successes: Array, runs: Array, unanimous: Array) -> Array:
    """Return the effective number of independent runs behind shares of runs that are clustered by seed, (n_shares,).

    It is the number of independent runs of which a share would have the same variance. It is missing for one seed with
    several runs, and the number of runs where each seed has one. ``successes`` and ``runs``, (n_shares, n_seeds), count
    the successful runs of each seed and all its runs; ``unanimous``, (n_shares,), counts cells in which no run or every
    run is a success.

    The variance of a share is that of a ratio of two sums over seeds. Student's quantile of the seeds exceeds the
    normal one, which reduces the number further. Cells whose runs all end alike show no variance although they have
    some, so each adds the variance of half a run that differs. The correlation within seeds is seen only in seeds that
    have a run unlike the majority. Without such seeds full correlation is assumed, that is, n is the number of seeds;
    the more such seeds there are, the less weight the assumption has.
    """
    n_runs = runs.sum(axis=1)
    n_seeds = (runs > 0).sum(axis=1)
    rate = successes.sum(axis=1) / n_runs
    products = (np.einsum("gs,gs->g", *pair) for pair in ((successes, successes), (successes, runs), (runs, runs)))
    of_successes, of_both, of_runs = products
    squares = np.maximum(of_successes - 2 * rate * of_both + rate**2 * of_runs, 0.0) + unanimous / 2
    unlike = np.minimum((successes > 0).sum(axis=1), (successes < runs).sum(axis=1))
    n = _effective(rate, squares / n_runs**2, unlike, n_seeds)
    return np.asarray(np.where(runs.max(axis=1) > 1, n, n_runs))


def _effective(rate: Array, squares: Array, unlike: Array, n_seeds: Array) -> Array:
    """Return the effective number of independent runs, from the squares of the influence of seeds on a rate."""
    seen = squares * n_seeds / np.maximum(n_seeds - 1, 1) * (student_quantile(n_seeds) / Z) ** 2
    weight = unlike**2.0
    spread = rate * (1 - rate)
    variance = (weight * seen + spread / n_seeds) / (weight + 1)
    n = np.divide(spread, variance, out=n_seeds.astype(np.float64), where=spread > 0)
    return np.where(n_seeds > 1, n, np.nan)

"""Comparison of two results, paired by cell and seed (common random numbers)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from sweep.analysis.compare import ComparedBy, check_margin, compare_sides, with_holm
from sweep.errors import SweepError, not_swept
from sweep.results.answers import check_has_criterion, column_of, default_statistic
from sweep.results.queries import compared_by
from sweep.results.result import Result
from sweep.results.sentences import SHARED_SEEDS, pooled_text
from sweep.statistics.intervals import Array
from sweep.statistics.of_cells import measure_of
from sweep.statistics.sides import Side
from sweep.study.axes.grid import REPLICATES, replicate_axes
from sweep.study.options.explicit_weights import element_of
from sweep.study.options.option_tables import OPTIONS
from sweep.system.formatting import count_text, list_text

# Columns for the cell numbers of both results; no parameter has these names.
_CELLS = ("cell of the first", "cell of the second")


class Pairing:
    """Two results, paired by cell and seed; SweepError if they have no cell or no seed in common.

    Runs of one seed have the same initial weights, so the comparison uses common random numbers. Two cells are paired
    if they have the same values of all parameters that either study sweeps. A parameter that a study fixes has its
    fixed value there. Values of replicates, such as ``split_seed``, are pooled like seeds.
    """

    def __init__(self, first: Result, second: Result) -> None:
        self._results = first, second
        self._adaptive = first.adaptive or second.adaptive
        self._names = names = list(dict.fromkeys([*first.study.parameters, *second.study.parameters]))
        one, other = (_cells_of(result, names, column) for result, column in zip(self._results, _CELLS, strict=True))
        if (
            "hidden" in names and one["hidden"].dtype != other["hidden"].dtype
        ):  # texts where a result has several layers
            one, other = one.astype({"hidden": "str"}), other.astype({"hidden": "str"})
        for name in names:  # NaN where only the other result has it
            if is_numeric_dtype(one[name]) and is_numeric_dtype(other[name]) and one[name].dtype != other[name].dtype:
                one, other = one.astype({name: "float64"}), other.astype({name: "float64"})
        self._cells = one.merge(other, on=names, how="inner") if names else one.merge(other, how="cross")
        if not len(self._cells):
            raise SweepError(f"the two results have no cell in common: no combination of {', '.join(names)} is in both")
        seeds = first.study.seeds, second.study.seeds
        self._seeds = range(max(each.base for each in seeds), min(each.base + each.count for each in seeds))
        if not self._seeds:
            raise SweepError("the two results have no seed in common, so their runs cannot be paired")

    def split(self, by: Sequence[str] | None) -> tuple[list[str], str | None]:
        """Return the parameters among names, all by default, and the measure to compare; None for rates."""
        by = [name for name in self._names if name not in self.replicates()] if by is None else list(by)
        others = [name for name in by if name not in OPTIONS and name not in self._names]
        if len(others) > 1:
            raise SweepError(f"by: must be parameters and at most one statistic, got {list_text(others)}")
        measure = measure_of(column_of(others[0], compared_by()) if others else self._default())
        if measure is None:
            for result in self._results:
                check_has_criterion(result.study)
        parameters = [name for name in by if name not in others]
        for name in parameters:
            if name not in self._names:
                raise SweepError(not_swept(name, self._names, "these studies"))
        return parameters, measure

    def _default(self) -> str:
        """Return the statistic of the answers of both results; that of training if these differ."""
        found = {default_statistic(result) for result in self._results}
        if len(found) == 1:
            return found.pop()
        return "convergence_rate" if any(each.study.has_criterion for each in self._results) else "final_loss_q50"

    def replicates(self, named: Sequence[str] = ()) -> list[str]:
        """Return the options with several values in both results that are pooled like seeds, but for named ones."""
        axes = [result.study.axes for result in self._results]
        pooled = [[axis for k, axis in enumerate(each) if k in replicate_axes(each, named)] for each in axes]
        return [
            name
            for name in REPLICATES
            if name in self._names
            and self._cells[name].nunique() > 1
            and all(any(name in axis for axis in each) for each in pooled)
        ]

    def compare(self, by: Sequence[str] | None = None, *, margin: float | None = None) -> pd.DataFrame:
        """Compare the pairs, with a row for each combination of the values of ``by``, by default all but replicates.

        ``by`` may also name the measure to compare: ``"rate"``, ``"final_loss"``, ``"max_error"``, ``"n_correct"``,
        ``"test_loss"``, ``"test_accuracy"`` or a measure that both record. By default it is that of the answers of both
        results, and if these differ the rate, or the final loss if neither study has a criterion. With a margin, the
        largest negligible difference of rates, such as 0.05, rates are also tested for equivalence.

        The columns are ``first`` and ``second``, the names of the studies, and those of
        :func:`sweep.analysis.compare.compare_sides` and :func:`sweep.analysis.compare.with_holm`. SweepError is raised
        if there is no criterion, a name is unknown, the margin is not between 0 and 1, or no pair is trained yet;
        StoreError if rows of runs were not kept.
        """
        parameters, measure = self.split(by)
        check_margin(margin, measure)
        first, second = self._results
        places = self._places(self.replicates(parameters))
        strata = self._cells.iloc[places.max(axis=1)]
        # Cells of each side; -1 where there is none
        numbers = (np.where(places < 0, -1, self._cells[column].to_numpy()[places]) for column in _CELLS)
        one, other = (self._side(*each, measure) for each in zip(self._results, numbers, strict=True))
        compared = ComparedBy.of_study(first.study, measure, margin, on_shared_seeds=self._adaptive)
        table = compare_sides(one, other, strata, parameters, compared)
        if table.empty:
            raise SweepError(
                "the two results have no trained cell and seed in common yet, so their runs cannot be paired"
            )
        labels = _label(first, second), _label(second, first)
        if labels[0] == labels[1]:
            labels = first.place or "first", second.place or "second"
        table.insert(0, "first", labels[0])
        table.insert(1, "second", labels[1])
        return with_holm(table)

    def pooled(self, by: Sequence[str]) -> str:
        """Return a sentence on what pairs are pooled over, and how cells weigh; empty if there is nothing to say."""
        parameters = self.split(by)[0]
        replicates = self.replicates(parameters)
        others = set(self._names) - {*parameters, *replicates}
        sentences = [pooled_text(" & ".join(replicates))] if replicates else []
        if self._adaptive and others and len(self._cells) > 1:
            sentences.append(f"pairs are pooled {SHARED_SEEDS}")
        return "; ".join(sentences)

    def left_out(self) -> str:
        """Return a sentence with the numbers of cells and seeds that cannot be paired; empty if all can."""
        parts = []
        for label, result, column in zip(("first", "second"), self._results, _CELLS, strict=True):
            study = result.study
            of_all = (
                (study.n_cells - self._cells[column].nunique(), study.n_cells, "cell"),
                (study.seeds.count - len(self._seeds), study.seeds.count, "seed"),
            )
            lacking = [f"{count:,} of {count_text(of, what)}" for count, of, what in of_all if count]
            if lacking:
                parts.append(f"{' and '.join(lacking)} of the {label} result")
        return f"not compared, because the other result lacks them: {'; '.join(parts)}" if parts else ""

    def _places(self, replicates: list[str]) -> Array:
        """Return the rows of the paired cells, (strata, replicates); -1 where there is none."""
        rows = np.arange(len(self._cells))
        if not replicates:
            return rows[:, None]
        others = [name for name in self._names if name not in replicates]
        stratum, replicate = (
            self._cells.groupby(names, sort=False, dropna=False).ngroup().to_numpy() if names else np.zeros_like(rows)
            for names in (others, replicates)
        )
        places = np.full((stratum.max() + 1, replicate.max() + 1), -1)
        places[stratum, replicate] = rows
        return places

    def _n_replicates(self, cells: Array) -> int:
        """Return how many replicates share seeds: with one seed, replicates take its place."""
        return int(cells.shape[1]) if len(self._seeds) > 1 else 1

    def _side(self, result: Result, cells: Array, measure: str | None) -> Side:
        """Return a measure of the runs of a result in cells of (strata, replicates)."""
        base = result.study.seeds.base
        found = result.runs_by(measure).at(cells.ravel(), slice(self._seeds.start - base, self._seeds.stop - base))
        runs = found.rearranged(lambda values: values.reshape(len(cells), -1), self._n_replicates(cells))
        return Side(runs, result.study.grid.most_steps(cells.max(axis=1)))


def _cells_of(result: Result, names: Sequence[str], numbers: str) -> pd.DataFrame:
    """Return the numbers of all cells, in a column ``numbers``, and values of some parameters, swept or fixed."""
    grid = result.study.grid
    cells = np.arange(grid.n_cells)
    known = [
        name for name in names if name in result.study.tables.options
    ]  # settings of a custom component may be in one result only
    columns = {name: result.study.column(name, cells) for name in names}
    for name, column in columns.items():
        if name in known and name not in result.study.parameters and element_of(name):
            continue  # a drawn weight has no fixed value to pair by
        if name in known and None in result.study.values_of(name):
            other = OPTIONS[name].stands_for
            columns[name] = grid.column(other, cells) if other else np.full(len(column), np.inf)
    return pd.DataFrame({numbers: cells, **columns})


def _label(result: Result, other: Result) -> str:
    """Return a label of a result: the name of its study, and the options that both studies fix to different values."""
    fixed, others = result.study.fixed(), other.study.fixed()
    differing = [
        f"{name} {fixed[name]}" for name in OPTIONS if name in fixed and name in others and fixed[name] != others[name]
    ]
    return " ".join([result.study.name, *differing])

"""Comparison of two results, cell by cell and seed by seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sweep.answers import check_judged
from sweep.errors import SweepError, unknown
from sweep.plan import Plan
from sweep.result import Result
from sweep.statistics.compare import compare_outcomes, with_holm
from sweep.wording import count_text
from sweep.words import WORDS

# What words mean that are left out: another word; all others no limit.
_SAYS = {"output_scale": "scale", "bias_scale": "scale", "output_learning_rate": "learning_rate"}


def compare_results(first: Result, second: Result, by: Sequence[str] | None = None) -> pd.DataFrame:
    """Compare two results in the cells and seeds that both have.

    Parameters
    ----------
    first, second
        A cell of the one is compared with the cell of the other that has the same values of all parameters that are
        swept in either; a parameter that one of them fixes has that value there.
    by
        Parameters for each combination of whose values there is a row; by default all.

    Returns
    -------
    DataFrame
        ``first`` and ``second``, the names of the studies, and the columns of
        :func:`sweep.statistics.compare.compare_outcomes`.

    Raises
    ------
    SweepError
        If they have no cell or no seed in common, convergence is not judged, or a name is unknown.
    StoreError
        If runs were not kept.
    """
    for result in (first, second):
        check_judged(result.study)
    names = _swept_in_either(first, second)
    by = names if by is None else list(by)
    for name in by:
        if name not in names:
            raise SweepError(unknown("parameter", name, names) if names else "nothing is swept in these studies")
    pairs = _pair_cells(first, second, names)
    if not len(pairs):
        raise SweepError(f"the two results have no cell in common: no values of {', '.join(names)} are in both")
    seeds = _common_seeds(first, second)
    if not seeds:
        raise SweepError("the two results have no seed in common, so their runs cannot be paired")
    outcomes = [
        result.outcomes.at(pairs[column].to_numpy(), slice(seeds.start - base, seeds.stop - base))
        for result, base, column in zip(
            (first, second), (first.study.seeds.base, second.study.seeds.base), ("cell_x", "cell_y"), strict=True
        )
    ]
    table = compare_outcomes(outcomes[0], outcomes[1], pairs, by)
    if table.empty:
        raise SweepError("no seed is trained in a cell of both results yet, so their runs cannot be paired")
    labels = _label(first, second), _label(second, first)
    if labels[0] == labels[1]:
        labels = first.place or "first", second.place or "second"
    table.insert(0, "first", labels[0])
    table.insert(1, "second", labels[1])
    return with_holm(table)


def unpaired(first: Result, second: Result) -> str:
    """Say how many cells and seeds of two results have no partner in the other; nothing if all have one."""
    pairs, seeds = _pair_cells(first, second, _swept_in_either(first, second)), _common_seeds(first, second)
    parts = []
    for label, result, column in (("first", first, "cell_x"), ("second", second, "cell_y")):
        study = result.study
        n_cells, n_seeds = study.n_cells - pairs[column].nunique(), study.seeds.count - len(seeds)
        lacking = [
            f"{count:,} of {count_text(of, what)}"
            for count, of, what in ((n_cells, study.n_cells, "cell"), (n_seeds, study.seeds.count, "seed"))
            if count
        ]
        if lacking:
            parts.append(f"{' and '.join(lacking)} of the {label} result")
    return f"not compared, since the other has none like them: {'; '.join(parts)}" if parts else ""


def _swept_in_either(first: Result, second: Result) -> list[str]:
    """Return the parameters that are swept in one of two results."""
    return list(dict.fromkeys([*first.study.parameters, *second.study.parameters]))


def _pair_cells(first: Result, second: Result, names: list[str]) -> pd.DataFrame:
    """Return the cells, ``cell_x`` and ``cell_y``, that have the same values of these parameters."""
    one, other = _cells_of(first, names), _cells_of(second, names)
    return one.merge(other, on=names, how="inner") if names else one.merge(other, how="cross")


def _common_seeds(first: Result, second: Result) -> range:
    """Return the seeds that both results have."""
    seeds = first.study.seeds, second.study.seeds
    return range(max(each.base for each in seeds), min(each.base + each.count for each in seeds))


def _cells_of(result: Result, names: Sequence[str]) -> pd.DataFrame:
    """Return the number and these parameters of every cell, swept or fixed."""
    plan = Plan(result.study)
    cells = np.arange(plan.n_cells)
    columns = {name: plan.column(name, cells) for name in names}
    for name, column in columns.items():
        if None in result.study.values_of(name):
            columns[name] = plan.column(_SAYS[name], cells) if name in _SAYS else np.full(len(column), np.inf)
    return pd.DataFrame({"cell": cells, **columns})


def _label(result: Result, other: Result) -> str:
    """Name a result: by its study, and by what it fixes to another value than the other does."""
    own, others = result.study.fixed(), other.study.fixed()
    differing = [
        f"{name} {own[name]}" for name in WORDS if name in own and name in others and own[name] != others[name]
    ]
    return " ".join([result.study.name, *differing])

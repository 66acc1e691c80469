"""Measures of runs (losses, errors, correct outputs) at each value of a parameter, compared on common seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sweep.statistics.cells import cells_of
from sweep.statistics.compare import cells_by_value, each_two
from sweep.statistics.intervals import Array, student_quantile
from sweep.statistics.measures import counts_outputs, is_signed
from sweep.statistics.outcomes import Measured
from sweep.statistics.paired import holm, sign_flip_test
from sweep.study.grid import Grid


def compare_measured(measured: Measured, grid: Grid, vary: str, by: Sequence[str], measure: str) -> pd.DataFrame:
    """Compare the values of a parameter pairwise by a measure.

    Parameters
    ----------
    measured
        The measure of all cells.
    grid
        The grid of the study.
    vary
        The swept parameter whose values are compared.
    by
        Other swept parameters. Each combination of their values has a row; pairs are pooled over the remaining
        parameters.
    measure
        Name of the measure.

    Returns
    -------
    DataFrame
        For each two values, ``first`` and ``second``, and each combination: the columns of :func:`compare_pairs`, with
        ``p_value_holm``, adjusted for the number of rows.
    """
    cells = cells_by_value(grid, vary)
    strata = cells_of(grid, cells.max(axis=0))

    def compare(first: int, second: int) -> pd.DataFrame:
        return compare_pairs(measured.at(cells[first]), measured.at(cells[second]), strata, by, measure)

    return adjusted(each_two(grid.parameters[vary], cells, compare))


def adjusted(table: pd.DataFrame) -> pd.DataFrame:
    """Insert p-values that are adjusted for the number of rows (Holm), behind the unadjusted ones."""
    table.insert(list(table).index("p_value") + 1, "p_value_holm", holm(table["p_value"].to_numpy()))
    return table


def compare_pairs(
    first: Measured, second: Measured, strata: pd.DataFrame, by: Sequence[str], measure: str
) -> pd.DataFrame:
    """Compare a measure of runs pairwise, on common seeds.

    Parameters
    ----------
    first, second : (n_strata, n_seeds)
        The two sides. Runs of the same stratum and seed are paired.
    strata
        Parameters of the pairs, a row for each stratum.
    by
        Parameters that define the rows of the result: one row for each combination of their values.
    measure
        Name of the measure.

    Returns
    -------
    DataFrame
        By these parameters: the numbers of seeds and of pairs. For losses and errors ``first_median`` and
        ``second_median``, and ``ratio``, the geometric mean of the first side over that of the second, in pairs in
        which both are finite, with its 95 % interval; of measures that may be negative the mean ``difference`` of these
        pairs. For correct outputs ``first_mean``, ``second_mean`` and their ``difference`` with its interval. Then
        ``first_lower`` and ``second_lower``, the shares of pairs in which that side is lower, and their ``p_value``.

    Notes
    -----
    Infinite values count as larger than all finite ones. p-values are those of the exact sign-flip test of seeds
    (:func:`~sweep.statistics.paired.sign_flip_test`), which is the sign test where each seed has one pair. The
    intervals are Student's over seeds: of sums of logarithms, or of differences. The ratio is missing where a value is
    0, differences where no pair is finite, and the interval for a single seed.
    """
    number = strata.groupby(list(by), sort=False).ngroup().to_numpy() if by else np.zeros(len(strata), np.int64)
    rows = []
    for group in range(int(number.max()) + 1):
        own = np.flatnonzero(number == group)
        one, other = first.at(own), second.at(own)
        both = one.present & other.present
        if both.any():
            told = strata.iloc[own[:1]][list(by)].to_dict("records")[0]
            rows.append(told | _compared(one.values, other.values, both, measure))
    return pd.DataFrame(rows)


def _compared(one: Array, other: Array, both: Array, measure: str) -> dict[str, float]:
    """Return the comparison of one group of pairs; ``both`` marks pairs whose two runs are present."""
    lower, higher = ((one < other) & both).sum(axis=0), ((one > other) & both).sum(axis=0)
    n_pairs = int(both.sum())
    row: dict[str, float] = {"n_seeds": int(both.any(axis=0).sum()), "n_pairs": n_pairs}
    if counts_outputs(measure):
        row |= {"first_mean": float(one[both].mean()), "second_mean": float(other[both].mean())}
    else:
        row |= {"first_median": _median(one[both]), "second_median": _median(other[both])}
    subtracts = counts_outputs(measure) or is_signed(measure)
    effect, found = ("difference", _difference(one, other, both)) if subtracts else ("ratio", _ratio(one, other, both))
    row |= dict(zip((effect, f"{effect}_low", f"{effect}_high"), found, strict=True))
    return row | {
        "first_lower": int(lower.sum()) / n_pairs,
        "second_lower": int(higher.sum()) / n_pairs,
        "p_value": float(sign_flip_test((lower - higher)[None])[0]),
    }


def _median(values: Array) -> float:
    """Return the median, which is the value of run ceil(n / 2) in ascending order, as in cells."""
    return float(np.partition(values, (len(values) - 1) // 2)[(len(values) - 1) // 2])


def _difference(one: Array, other: Array, both: Array) -> tuple[float, float, float]:
    """Return the mean difference with its interval, over pairs in which both values are finite."""
    finite = both & np.isfinite(one) & np.isfinite(other)
    if not finite.any():
        return np.nan, np.nan, np.nan
    largest = max(float(np.abs(one[finite]).max()), float(np.abs(other[finite]).max()), 1.0)
    differences = np.zeros(one.shape)
    differences[finite] = one[finite] / largest - other[finite] / largest  # whose squares do not overflow
    mean, low, high = (largest * each for each in _seed_mean(differences, finite))
    return mean, low, high


def _ratio(one: Array, other: Array, both: Array) -> tuple[float, float, float]:
    """Return the ratio of geometric means with its interval, over pairs in which both values are finite."""
    finite = both & np.isfinite(one) & np.isfinite(other)
    if not finite.any() or (one[finite] == 0).any() or (other[finite] == 0).any():
        return np.nan, np.nan, np.nan
    logarithms = np.zeros(one.shape)
    logarithms[finite] = np.log(one[finite]) - np.log(other[finite])
    with np.errstate(over="ignore"):
        ratio, low, high = (float(np.exp(each)) for each in _seed_mean(logarithms, finite))
    return ratio, low, high


def _seed_mean(differences: Array, counted: Array) -> tuple[float, float, float]:
    """Return the mean of counted differences (0 elsewhere) with its interval: a ratio of two sums over seeds."""
    sums, counts = differences.sum(axis=0), counted.sum(axis=0)
    n = int((counts > 0).sum())
    mean = sums.sum() / counts.sum()
    error = np.sqrt(((sums - mean * counts) ** 2).sum() * n / max(n - 1, 1)) / counts.sum()
    spread = float(student_quantile(np.array(n)) * error)
    return float(mean), float(mean) - spread, float(mean) + spread

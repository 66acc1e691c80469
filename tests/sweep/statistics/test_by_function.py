"""Statistics that are functions of rows: BCa intervals equal those of plain NumPy, and how often they cover."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sweep.errors import SweepError
from sweep.statistics.by_function import N_RESAMPLES, ByFunction
from sweep.statistics.runs import Runs

Array = np.ndarray[Any, Any]


def rows_of(values: Array, cell: int = 0) -> pd.DataFrame:
    """Return a row for each value, one seed each."""
    return pd.DataFrame({"cell": cell, "seed": np.arange(len(values)), "x": values})


def estimate(rows: pd.DataFrame, function: Any, group: Array | None = None) -> ByFunction:
    """Return the estimate of a function for the rows of each cell, or of other groups."""
    return ByFunction(Runs.of_rows(rows, rows["cell"].to_numpy() if group is None else group), function, "f")


def bca(values: Array, function: Any) -> tuple[float, float]:
    """Return the ends of the BCa interval according to Efron (1987), number by number."""
    normal, n = NormalDist(), len(values)
    drawn = np.random.default_rng(0).integers(0, n, (N_RESAMPLES, n))
    resampled = np.sort([function(values[places]) for places in drawn])
    value = function(values)
    below = (np.sum(resampled < value) + np.sum(resampled <= value)) / (2 * N_RESAMPLES)
    bias = normal.inv_cdf(below)
    without = np.array([function(np.delete(values, k)) for k in range(n)])
    away = without.mean() - without
    acceleration = (away**3).sum() / (6 * (away**2).sum() ** 1.5)
    ends = []
    for share in (0.025, 0.975):
        z = bias + normal.inv_cdf(share)
        ends.append(np.quantile(resampled, normal.cdf(bias + z / (1 - acceleration * z))))
    return ends[0], ends[1]


@pytest.mark.parametrize("function", [np.mean, np.std], ids=["mean", "std"])
def test_bca_of_seeds(function: Any) -> None:
    """With one run a seed the interval is that of resampled runs."""
    values = np.random.default_rng(3).exponential(size=25)
    found = estimate(rows_of(values), lambda rows: function(rows["x"].to_numpy()))
    low, high = found.ends()
    assert found.value == [function(values)]
    assert (low[0], high[0]) == pytest.approx(bca(values, function), rel=1e-9)


def test_calls_do_not_grow_with_the_seeds() -> None:
    """More than a thousand seeds are resampled in sets; the interval of a ratio is that of the delta method."""
    random, calls = np.random.default_rng(5), []
    rows = rows_of(random.exponential(size=3500)).assign(y=random.random(3500) < 0.4)

    def ratio(own: pd.DataFrame) -> float:
        calls.append(len(own))
        return float(own["x"].sum() / own["y"].sum())

    found = estimate(rows, ratio)
    (low,), (high,) = found.ends()
    assert len(calls) <= 1 + N_RESAMPLES + 1001
    error = np.std(rows["x"] - found.value[0] * rows["y"]) / rows["y"].mean() / math.sqrt(3500)
    assert (high - low) / (2 * 1.96) == pytest.approx(error, rel=0.1)
    assert (low + high) / 2 == pytest.approx(found.value[0], abs=0.3 * error)


def test_seeds_are_resampled_with_all_their_runs() -> None:
    """Two equal runs of each seed give the interval of one: they are no independent runs."""
    values = np.random.default_rng(4).normal(size=20)
    rows = pd.concat([rows_of(values, 0), rows_of(values, 1)], ignore_index=True)
    both = estimate(rows, lambda rows: rows["x"].mean(), np.zeros(40, np.int64))
    one = estimate(rows_of(values), lambda rows: rows["x"].mean())
    assert np.allclose(both.ends(), one.ends())
    uneven = estimate(rows.iloc[:-3], lambda rows: rows["x"].mean(), np.zeros(37, np.int64))
    assert np.isnan([*uneven.value, *np.ravel(uneven.ends())]).all()


def test_degenerate_resamples() -> None:
    """Where BCa is undefined the interval is that of percentiles; with one seed or NaN in a resample there is none."""
    constant = estimate(rows_of(np.ones(9)), lambda rows: rows["x"].mean())
    assert np.ravel(constant.ends()).tolist() == [1.0, 1.0]
    for rows in (rows_of(np.ones(1)), rows_of(np.array([1.0, *[np.nan] * 8]))):
        assert np.isnan(estimate(rows, lambda rows: rows["x"].mean()).ends()).all()
    infinite = estimate(rows_of(np.array([1.0, 2.0, 3.0, math.inf])), lambda rows: rows["x"].max())
    assert infinite.ends()[1] == math.inf


def test_given_ends() -> None:
    """A function that returns the ends of its interval is not resampled."""
    calls = []

    def given(rows: pd.DataFrame) -> tuple[float, float, float]:
        calls.append(len(rows))
        return 2.0, 1.0, 4.0

    found = estimate(rows_of(np.ones(9)), given)
    assert (found.value, *found.ends()) == ([2.0], [1.0], [4.0])
    assert calls == [9]
    with pytest.raises(ValueError, match="95 % intervals only"):
        found.ends(0.01)


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (lambda rows: rows["y"].mean(), "statistic 'f': KeyError: 'y'"),
        (lambda rows: "many", "must return a number, or a number and the ends of its interval, got 'many'"),
        (lambda rows: (1.0, 2.0), "must return a number, or a number and the ends"),
        (lambda rows: (1.0, 2.0, 0.0), "the low end of its interval is above the high end"),
    ],
)
def test_faults_of_functions(function: Any, fault: str) -> None:
    """A function that fails or returns something else is refused in a sentence."""
    with pytest.raises(SweepError, match=fault):
        estimate(rows_of(np.ones(3)), function)


def test_functions_may_change_their_rows() -> None:
    """A function gets a copy of the rows, so columns that it sets change no interval."""

    def changing(rows: pd.DataFrame) -> float:
        rows["seed"] = 0
        return float(rows["x"].mean())

    rows = rows_of(np.arange(9.0))
    expected = estimate(rows, lambda rows: rows["x"].mean()).ends()
    assert np.array_equal(estimate(rows, changing).ends(), expected)


def covered(n: int, rates: list[float]) -> dict[float, float]:
    """Return the exact probability that the interval of a share of n runs covers each rate."""
    ends = []
    for k in range(n + 1):
        low, high = estimate(
            rows_of(np.repeat([1.0, 0.0], [k, n - k])), lambda rows: rows["x"].to_numpy().mean()
        ).ends()
        ends.append((low[0], high[0]))
    found = {}
    for rate in rates:
        chance = [math.exp(_log_binomial(n, k, rate)) for k in range(n + 1)]
        found[rate] = sum(p for p, (low, high) in zip(chance, ends, strict=True) if low <= rate <= high)
    return found


def _log_binomial(n: int, k: int, rate: float) -> float:
    choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return choose + k * math.log(rate) + (n - k) * math.log1p(-rate)


@pytest.mark.soak
@pytest.mark.parametrize("n", [10, 30, 100, 300])
def test_coverage_of_shares(n: int) -> None:
    """Shares are the worst case: where no seed is unlike the others, no resample is."""
    for rate, coverage in covered(n, [0.01, 0.1, 0.5, 0.9, 0.99, 0.999]).items():
        n_unlike = round(n * min(rate, 1 - rate), 6)
        if n_unlike >= 3:
            assert 0.92 < coverage < 0.99, (n, rate, coverage)
        elif n_unlike >= 1:
            assert 0.6 < coverage < 0.7, (n, rate, coverage)


@pytest.mark.soak
@pytest.mark.parametrize(("n_splits", "n_seeds"), [(5, 20), (20, 5)])
@pytest.mark.parametrize("spreads", [(1.0, 0.3, 1.0), (0.3, 1.0, 0.3)])
def test_coverage_over_splits(n_splits: int, n_seeds: int, spreads: tuple[float, ...]) -> None:
    """Intervals of means over seeds and splits cover at least 93 %."""
    random, n = np.random.default_rng(n_splits), 100
    shapes = (n, n_splits, 1), (n, 1, n_seeds), (n, n_splits, n_seeds)
    values = sum(spread * random.normal(size=shape) for spread, shape in zip(spreads, shapes, strict=True)).ravel()
    places = np.indices((n, n_splits, n_seeds)).reshape(3, -1)
    rows = pd.DataFrame({"cell": places[0], "seed": places[2], "x": values})
    runs = Runs.of_rows(rows, places[0], places[1])
    low, high = ByFunction(runs, lambda own: own["x"].to_numpy().mean(), "f").ends()
    covered = ((low <= 0) & (high >= 0)).mean()
    assert covered >= 0.93 - 3 * math.sqrt(0.93 * 0.07 / n)

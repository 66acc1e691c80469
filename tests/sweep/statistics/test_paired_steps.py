"""Ratios and differences of steps on common seeds, against resampling and in edge cases."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sweep import Result, SweepError
from sweep.results.comparison import Pairing
from sweep.statistics.intervals import Array
from sweep.statistics.outcomes import Measured
from sweep.system.formatting import steps_ratio_text
from tests.sweep.invented import outcomes_of, result_of
from tests.sweep.support import make_study

LIMIT = 5000


def result_with(steps: Array, converged: Array, **options: Any) -> Result:
    """Return a result with these runs by cell; by default the cells are two learning rates."""
    study = make_study(
        **{"count": steps.shape[1], "hidden": 2, "learning_rate": [0.1, 0.2], "max_steps": LIMIT, **options}
    )
    return result_of(study, Measured.of_ends(steps.astype(np.int32), converged))


def row_of(steps: Array, converged: Array) -> dict[Any, Any]:
    """Return the comparison of two cells."""
    (row,) = result_with(steps, converged).compare("learning_rate").to_dict("records")
    return row


def bootstrapped(first: Array, second: Array, statistic: Any) -> tuple[float, float]:
    """Return a percentile bootstrap interval over seeds, the first axis of both arrays."""
    places = np.arange(len(first))
    found = stats.bootstrap(
        (places,), lambda chosen: statistic(first[chosen], second[chosen]), vectorized=False, n_resamples=2000,
        method="percentile", random_state=np.random.default_rng(1),
    )  # fmt: skip
    return found.confidence_interval.low, found.confidence_interval.high


@pytest.mark.slow
@pytest.mark.parametrize("n_strata", [1, 3])
def test_intervals_are_those_of_resampled_seeds(n_strata: int) -> None:
    """If many seeds converge and many do not, intervals agree with a bootstrap of seeds, except for its noise."""
    rates = np.concatenate([np.full(n_strata, 0.7), np.full(n_strata, 0.4)])
    outcomes = outcomes_of(np.random.default_rng(4), rates, 1000, 0.6, LIMIT)
    hidden = list(range(2, 2 + n_strata))
    study = make_study(count=1000, learning_rate=[0.1, 0.2], hidden=hidden, max_steps=LIMIT)
    cells = np.arange(2 * n_strata).reshape(2, n_strata)
    if next(iter(study.parameters)) == "hidden":
        outcomes = outcomes.at(cells.T.ravel())
        cells = np.arange(2 * n_strata).reshape(n_strata, 2).T
    (row,) = result_of(study, outcomes).compare("learning_rate", []).to_dict("records")
    sides = [np.stack([outcomes.steps[own].T, outcomes.converged[own].T], axis=2) for own in cells]

    def ratio(one: Array, other: Array) -> float:
        expected = [side[..., 0].sum() / side[..., 1].sum() for side in (one, other)]
        return float(expected[0] / expected[1])

    def difference(one: Array, other: Array) -> float:
        means = [np.where(side[..., 1], side[..., 0], LIMIT).mean() for side in (one, other)]
        return float(means[0] - means[1])

    for name, statistic in (("expected_steps_ratio", ratio), ("restricted_mean_difference", difference)):
        assert row[name] == pytest.approx(statistic(*sides))
        low, high = bootstrapped(sides[0], sides[1], statistic)
        for end, value in (("low", low), ("high", high)):
            assert row[f"{name}_{end}"] == pytest.approx(value, abs=0.08 * (high - low)), (name, end)


@st.composite
def two_cells(draw: st.DrawFn) -> tuple[Array, Array]:
    """Draw the ends of runs of two cells."""
    n = draw(st.integers(1, 12))
    shape = 2, n
    steps = np.array(draw(st.lists(st.integers(0, LIMIT), min_size=2 * n, max_size=2 * n))).reshape(shape)
    converged = np.array(draw(st.lists(st.booleans(), min_size=2 * n, max_size=2 * n))).reshape(shape)
    return steps, converged


@pytest.mark.slow
@given(two_cells())
def test_swapped_sides(runs: tuple[Array, Array]) -> None:
    """Swapping the sides inverts ratios and negates differences. Estimates lie in their intervals."""
    steps, converged = runs
    row, turned = row_of(steps, converged), row_of(steps[::-1], converged[::-1])
    with np.errstate(divide="ignore"):
        for end, other in (("", ""), ("_low", "_high"), ("_high", "_low")):
            ratios = [each[f"expected_steps_ratio{name}"] for each, name in ((row, end), (turned, other))]
            assert ratios[0] == pytest.approx(np.float64(1) / ratios[1], rel=1e-6, nan_ok=True)
            differences = [each[f"restricted_mean_difference{name}"] for each, name in ((row, end), (turned, other))]
            assert differences[0] == pytest.approx(-differences[1], rel=1e-6, abs=1e-6, nan_ok=True)
    for name in ("expected_steps_ratio", "restricted_mean_difference"):
        value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
        assert np.isnan(low) == np.isnan(high)
        assert np.isnan(low) or low - 1e-6 * abs(low) - 1e-6 <= value <= high + 1e-6 * abs(high) + 1e-6
    assert abs(row["restricted_mean_difference"]) <= LIMIT


def test_sides_without_successes() -> None:
    """If a side never converges there is no ratio, and the text names the side. A tie is no win."""
    steps, never = np.full((2, 30), 700), np.zeros((2, 30), bool)
    some = never.copy()
    some[0, :10] = True
    for converged, ratio, text in (
        (never, np.nan, "neither converges"),
        (some, 0.0, "two never converges"),
        (some[::-1], np.inf, "one never converges"),
    ):
        row = row_of(steps, converged)
        assert row["expected_steps_ratio"] == pytest.approx(ratio, nan_ok=True)
        low, high = (row[f"expected_steps_ratio_{end}"] for end in ("low", "high"))
        assert np.isnan([low, high]).all() if np.isnan(ratio) else low <= ratio <= high
        assert np.isnan(ratio) or 0 < (high if ratio == 0 else low) < np.inf  # what the other side's failures tell
        assert steps_ratio_text(row, ("one", "two")) == text
        assert row["restricted_mean_difference_low"] <= row["restricted_mean_difference"]
    tie = row_of(steps, never)
    assert (tie["first_faster"], tie["second_faster"], tie["p_steps"]) == (0.0, 0.0, 1.0)
    at_start = row_of(np.zeros((2, 5)), np.ones((2, 5), bool))  # no steps for each success
    assert steps_ratio_text(at_start, ("one", "two")) == "-"


def test_one_seed() -> None:
    """One seed gives no interval of the ratio, and with several runs none of the mean."""
    row = row_of(np.array([[100], [200]]), np.ones((2, 1), bool))
    assert row["expected_steps_ratio"] == 0.5
    assert np.isnan(row["expected_steps_ratio_low"])
    assert row["restricted_mean_difference_low"] < -1000 < 1000 < row["restricted_mean_difference_high"]
    study = make_study(count=1, learning_rate=[0.1, 0.2], hidden=[2, 3], max_steps=LIMIT)
    pooled = result_of(study, Measured.of_ends(np.full((4, 1), 100, np.int32), np.ones((4, 1), bool)))
    ends = [
        f"{name}_{end}" for name in ("expected_steps_ratio", "restricted_mean_difference") for end in ("low", "high")
    ]
    assert pooled.compare("learning_rate", [])[ends].isna().all(axis=None)


def test_limits_in_common() -> None:
    """Restricted means end at the smaller limit of each pair. The limit is missing if pairs have several."""
    steps = np.array([[50, 100, 100], [60, 400, 500]])
    converged = np.array([[True, False, True], [True, True, False]])
    varied = result_with(steps, converged, learning_rate=0.1, max_steps=[100, 500])
    (row,) = varied.compare("max_steps").to_dict("records")
    assert row["steps_limit"] == 100
    assert row["restricted_mean_difference"] == pytest.approx((50 + 100 + 100) / 3 - (60 + 100 + 100) / 3)
    assert row["expected_steps_ratio"] == pytest.approx((250 / 2) / (960 / 2))
    both = make_study(count=3, hidden=2, learning_rate=[0.1, 0.2], max_steps=[100, 500])
    four = result_of(
        both, Measured.of_ends(np.vstack([steps, steps]).astype(np.int32), np.vstack([converged, converged]))
    )
    assert four.compare("learning_rate", [])["steps_limit"].isna().all()
    assert four.compare("learning_rate")["steps_limit"].tolist() == [100, 500]


def test_pairs_of_a_partial_result() -> None:
    """Runs without a partner do not count."""
    outcomes = outcomes_of(np.random.default_rng(1), np.array([0.7, 0.5]), 40, 0.5, LIMIT)
    study = make_study(count=40, hidden=2, learning_rate=[0.1, 0.2], max_steps=LIMIT)
    seeds = np.arange(40)
    partial = result_of(study, outcomes.only(np.stack([seeds >= 10, seeds < 30]))).compare("learning_rate")
    whole = result_with(outcomes.steps[:, 10:30], outcomes.converged[:, 10:30]).compare("learning_rate")
    pd.testing.assert_frame_equal(partial, whole)
    four = outcomes_of(np.random.default_rng(2), np.array([0.7, 0.5, 0.6, 0.4]), 40, 0.5, LIMIT)
    there = np.arange(4)[:, None] > 0  # so that the other cell of this width has no partner
    study = make_study(count=40, hidden=[2, 3], learning_rate=[0.1, 0.2], max_steps=LIMIT)
    missing = result_of(study, four.only(there)).compare("learning_rate", [])
    alone = result_with(four.steps[2:], four.converged[2:]).compare("learning_rate", [])
    pd.testing.assert_frame_equal(missing, alone)


def test_equivalence_within_a_margin() -> None:
    """A single comparison is equivalent if its 90 % interval lies within the margin."""
    many = outcomes_of(np.random.default_rng(1), np.array([0.5, 0.5]), 2000, 0.95, LIMIT)
    few = many.at(np.arange(2), slice(0, 20))
    for outcomes, margin, expected in ((many, 0.05, True), (many, 0.001, False), (few, 0.05, False)):
        result = result_with(outcomes.steps, outcomes.converged)
        row = result.compare("learning_rate", margin=margin).iloc[0]
        assert row["equivalent"] == expected
        assert "equivalent" not in result.compare("learning_rate")
        assert row["p_value"] > 0.05  # no difference is found in any of them
    row = result_with(many.steps, many.converged).compare("learning_rate").iloc[0]
    half = (row["difference_high"] - row["difference_low"]) / 2 * stats.norm.ppf(0.95) / stats.norm.ppf(0.975)
    farther = abs(row["difference"]) + half
    result = result_with(many.steps, many.converged)
    compared = [result.compare("learning_rate", margin=farther * by)["equivalent"].item() for by in (0.97, 1.03)]
    assert compared == [False, True]


@pytest.mark.slow
def test_equivalence_is_adjusted_for_the_number_of_rows() -> None:
    """A comparison that is equivalent alone need not be among many (Holm)."""
    outcomes = outcomes_of(np.random.default_rng(1), np.full(6, 0.5), 2000, 0.95, LIMIT)
    rates = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    table = result_with(outcomes.steps, outcomes.converged, learning_rate=rates).compare("learning_rate", margin=0.0095)
    alone = [
        result_with(outcomes.steps[[i, j]], outcomes.converged[[i, j]]).compare("learning_rate", margin=0.0095)
        for i, j in combinations(range(6), 2)
    ]
    assert len(table) == 15
    assert table["equivalent"].sum() < sum(each["equivalent"].item() for each in alone)


@pytest.mark.parametrize("margin", [0, 1, -0.1, 5, "a", float("nan")])
def test_invalid_margins(margin: Any) -> None:
    """A margin must be a difference of rates."""
    result = result_with(np.ones((2, 3)), np.ones((2, 3), bool))
    with pytest.raises(SweepError, match="margin: must be a difference of rates above 0 and below 1, got "):
        result.compare("learning_rate", margin=margin)
    with pytest.raises(SweepError, match="margin"):
        Pairing(result, result).compare([], margin=margin)

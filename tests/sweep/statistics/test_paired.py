"""Comparisons on common seeds: tests and intervals against their definitions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import sweep
from sweep import Result, StoreError, SweepError
from sweep.analysis.compare import ComparedBy, compare_sides
from sweep.statistics.intervals import wilson_interval
from sweep.statistics.outcomes import Measured
from sweep.statistics.paired import Advantage, MeanOfClusters, holm, p_value_within, sign_flip_test
from sweep.statistics.sides import Side
from sweep.statistics.two_way import TwoWay
from tests.sweep.statistics.rates import rate_intervals
from tests.sweep.support import make_study


@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), max_size=8))
def test_holm_by_its_definition(p_values: list[float]) -> None:
    """The j-th smallest of m p-values is multiplied by m - j + 1, in ascending order; missing ones stay missing."""
    known = sorted(p for p in p_values if p == p)
    raised, largest = {}, 0.0
    for k, p in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - k)))
        raised[k] = largest
    for p, got in zip(p_values, holm(np.array(p_values)), strict=True):
        if p != p:
            assert np.isnan(got)
        else:
            assert got in [raised[k] for k, other in enumerate(known) if other == p]


def test_interval_of_bonett_and_price() -> None:
    """With one pair per seed, the interval follows from the counts of the four classes."""
    both, first, second, neither = 50, 12, 3, 35
    balance = np.repeat([0, 1, -1, 0], [both, first, second, neither])[None]
    low, high = Advantage(balance, np.ones_like(balance)).ends()
    n = both + first + second + neither
    p, q = (first + 1) / (n + 2), (second + 1) / (n + 2)
    spread = 1.959963984540054 * np.sqrt((p + q - (p - q) ** 2) / (n + 2))
    assert (low[0], high[0]) == pytest.approx((p - q - spread, p - q + spread), abs=1e-12)


def test_interval_of_several_pairs() -> None:
    """It is Student's over seeds with one more seed for the other side; it is missing for one seed."""
    random = np.random.default_rng(1)
    for n in (2, 5, 500):
        balance = random.integers(-3, 8, (1, n))
        low, high = Advantage(balance, np.full((1, n), 10)).ends()
        shares = balance[0] / 10
        mean, within, wide = shares.mean(), ((shares - shares.mean()) ** 2).sum(), stats.t.ppf(0.975, n - 1)
        for end, sign in ((low[0], -1), (high[0], 1)):
            expected = mean + sign * wide * np.sqrt((within + (sign - mean) ** 2) / n / (n - 1))
            assert end == pytest.approx(np.clip(expected, -1, 1))
    alone = Advantage(np.array([[3]]), np.array([[10]]))
    assert np.isnan(alone.ends()).all()
    assert np.isnan(p_value_within(alone, 0.5)).all()


def test_interval_of_a_mean_over_clusters() -> None:
    """It is Student's; further equal values in each cluster do not change it, and one cluster has none."""
    values = np.random.default_rng(4).normal(size=(1, 9))
    expected = stats.ttest_1samp(values[0], 0).confidence_interval()
    for count in (1, 3):
        ends = MeanOfClusters(count * values, np.full((1, 9), count)).ends()
        np.testing.assert_allclose(np.concatenate(ends), expected)
    assert np.isnan(MeanOfClusters(values[:, :1], np.ones((1, 1), np.int64)).ends()).all()


def test_intervals_of_shared_seeds_and_splits_have_the_unit_of_values() -> None:
    """The interval of values in another unit is that interval in this unit."""
    values = np.random.default_rng(4).normal(size=(1, 12))

    def ends(unit: float) -> Any:
        means = [
            MeanOfClusters(unit * values.reshape(1, n, -1).sum(axis=2), np.full((1, n), 12 // n)) for n in (3, 4, 12)
        ]
        return np.array(TwoWay(means).ends())

    np.testing.assert_allclose(ends(1e-3), 1e-3 * ends(1))


def test_intervals_and_tests_agree() -> None:
    """If p < 0.05 the interval excludes 0. With several pairs per seed, p is at least the exact p-value."""
    random = np.random.default_rng(3)
    balance = random.integers(-4, 6, (200, 12))
    advantage = Advantage(balance, np.full((200, 12), 9))
    (low, high), p_values = advantage.ends(), advantage.p_values()
    assert (((low > 0) | (high < 0))[p_values < 0.05]).all()
    assert 0 < (p_values < 0.05).sum() < 200
    assert (p_values >= sign_flip_test(balance) * (1 - 1e-9)).all()


def compared(first: Measured, second: Measured, strata: pd.DataFrame) -> pd.DataFrame:
    """Compare final losses, by all parameters of the strata."""
    sides = (Side(each, np.full(len(strata), 100)) for each in (first, second))
    return compare_sides(*sides, strata, list(strata), ComparedBy("final_loss"))


@pytest.mark.parametrize("n", [2, 6, 13, 40])
def test_an_interval_excludes_0_just_where_the_test_rejects(n: int) -> None:
    """Of all splits of n single pairs, those with an exact p-value up to 0.05 have an interval without 0, no others.

    Their intervals are those of Bonett and Price.
    """
    splits = [(k, m) for k in range(n + 1) for m in range(n + 1 - k)]
    balance = np.array([np.repeat([1.0, -1.0, 0.0], [k, m, n - k - m]) for k, m in splits])
    strata = pd.DataFrame({"split": np.arange(len(splits))})
    found = compared(Measured(-balance), Measured(0 * balance), strata)
    p_values = np.array([stats.binomtest(k, k + m).pvalue if k + m else 1.0 for k, m in splits])
    np.testing.assert_allclose(found["p_value"], p_values)
    low, high = (found[f"advantage_{end}"].to_numpy() for end in ("low", "high"))
    excludes = (low > 0) | (high < 0)
    np.testing.assert_array_equal(excludes, p_values <= 0.05)
    ends = Advantage(balance.astype(np.int64), np.ones(balance.shape, np.int64)).ends()
    own = excludes | ((ends[0] <= 0) & (ends[1] >= 0))
    np.testing.assert_array_equal(np.stack([low, high])[:, own], np.stack(ends)[:, own])
    assert (~own).any() == (n > 2)
    assert ((low <= ends[0]) & (ends[1] <= high)).all()


@pytest.mark.parametrize(("n_pairs", "replicates", "ahead"), [(2, 1, 0.25), (9, 1, 0.15), (3, 8, 0.5)])
def test_intervals_of_several_pairs_exclude_0_just_where_the_test_rejects(
    n_pairs: int, replicates: int, ahead: float
) -> None:
    """Seeds with several pairs do so too, and runs that share splits besides seeds."""
    random = np.random.default_rng(5)
    sides = random.normal(size=(2, 60 * n_pairs, 96)) + np.array([0.0, ahead])[:, None, None]
    first, second = (Measured(side, replicates) for side in sides)
    strata = pd.DataFrame({"study": np.repeat(np.arange(60), n_pairs)})
    found = compared(first, second, strata)
    excludes = (found["advantage_low"] > 0) | (found["advantage_high"] < 0)
    np.testing.assert_array_equal(excludes, found["p_value"] <= 0.05)
    assert 0 < excludes.sum() < 60


def test_ten_seeds_that_agree_are_no_proof() -> None:
    """Ten seeds that agree show no difference, since one seed in ten could outweigh all of them."""
    balance = np.ones((1, 10), np.int64)
    assert sign_flip_test(balance * 9)[0] < 0.01
    assert Advantage(balance, np.full((1, 10), 9)).p_values()[0] > 0.05


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 40), st.sampled_from([0.05, 0.1, 0.3]))
def test_equivalence_is_two_tests(first: int, second: int, neither: int, margin: float) -> None:
    """At twice the p-value as its level, the interval ends at the margin."""
    balance = np.repeat([1, -1, 0], [first, second, neither])[None]
    advantage = Advantage(balance, np.ones_like(balance))
    p_value = p_value_within(advantage, margin)
    for level, within in ((p_value * 1.001, True), (p_value * 0.999, False)):
        if level < 0.499:
            low, high = advantage.ends(2 * level)
            assert bool(-margin < low[0] and high[0] < margin) == within


def test_rates_over_cells_count_seeds_once() -> None:
    """Runs of a seed that always agree count as one. One seed gives no interval, one cell Wilson's."""
    alike = Measured.of_ends(np.ones((40, 5), np.int32), np.zeros((40, 5), np.bool_))
    assert rate_intervals(alike, np.zeros(40, np.int64))[1][0] == wilson_interval(np.array([0]), np.array([5]))[1][0]
    single = Measured.of_ends(np.ones((40, 1), np.int32), np.arange(40)[:, None] < 20)
    assert np.isnan(rate_intervals(single, np.zeros(40, np.int64))).all()
    np.testing.assert_array_equal(
        rate_intervals(single, np.arange(40)), wilson_interval(single.converged.sum(axis=1), np.ones(40))
    )


SWEPT: dict[str, Any] = {"hidden": [2, 3], "learning_rate": [0.05, 0.2, 0.8], "distribution": ["normal", "uniform"]}


@pytest.fixture(scope="module")
def result() -> Result:
    """Train three parameters."""
    return sweep.run(make_study(count=20, max_steps=200, threshold=0.4, **SWEPT))


def flip_by_definition(balance: list[int]) -> float:
    """Return the probability of so large a sum with random signs, by adding seeds one by one."""
    chances = {0: Fraction(1)}
    for b in balance:
        following: dict[int, Fraction] = {}
        for total, chance in chances.items():
            for signed in (total + b, total - b):
                following[signed] = following.get(signed, Fraction(0)) + chance / 2
        chances = following
    return float(sum(chance for total, chance in chances.items() if abs(total) >= abs(sum(balance))))


def pairs_by_definition(runs: pd.DataFrame, vary: str, first: Any, second: Any, by: dict[str, Any]) -> dict[str, Any]:
    """Compare two values from the rows, run by run."""
    others = [name for name in SWEPT if name != vary]
    runs = runs[(runs[list(by)] == pd.Series(by)).all(axis=1)] if by else runs
    sides = [runs[runs[vary] == value].set_index([*others, "seed"]) for value in (first, second)]
    balance: dict[int, int] = {}
    pace: dict[int, int] = {}
    faster = slower = 0
    for key, one in sides[0].iterrows():
        two = sides[1].loc[key]
        ends = [row["steps"] if row["status"] == "converged" else 10**9 for row in (one, two)]
        seed = key[-1]
        converged = [int(row["status"] == "converged") for row in (one, two)]
        balance[seed] = balance.get(seed, 0) + converged[0] - converged[1]
        pace[seed] = pace.get(seed, 0) + (ends[0] < ends[1]) - (ends[0] > ends[1])
        faster, slower = faster + (ends[0] < ends[1]), slower + (ends[0] > ends[1])
    rates = [(side["status"] == "converged").mean() for side in sides]
    failures = [side["status"] != "converged" for side in sides]
    means = [side["steps"].mask(failed, 200).mean() for side, failed in zip(sides, failures, strict=True)]
    with np.errstate(all="ignore"):
        expected = [
            side["steps"].sum() / np.float64((~failed).sum()) for side, failed in zip(sides, failures, strict=True)
        ]
        ratio = expected[0] / expected[1]
    p_values = [flip_by_definition(list(each.values())) for each in (balance, pace)]
    n = len(sides[0])
    return {
        "n_pairs": n, "n_seeds": 20, "first_rate": rates[0], "second_rate": rates[1],
        "difference": rates[0] - rates[1], "p_value": p_values[0],
        "first_faster": faster / n, "second_faster": slower / n, "p_steps": p_values[1],
        "expected_steps_ratio": ratio, "restricted_mean_difference": means[0] - means[1],
        "steps_limit": 200,
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("by", [None, [], ["hidden"], ["learning_rate", "hidden"]])
@pytest.mark.parametrize("vary", list(SWEPT))
def test_comparison_by_its_definition(result: Result, vary: str, by: list[str] | None) -> None:
    """Comparisons of all pairs of values equal those from the rows, for each combination of other parameters."""
    by = [name for name in by or [] if name != vary] if by is not None else None
    compared = result.compare(vary, by)
    shown = [name for name in SWEPT if name != vary] if by is None else by
    n_values = len(SWEPT[vary])
    assert len(compared) == n_values * (n_values - 1) // 2 * np.prod([len(SWEPT[name]) for name in shown])
    runs = result.runs()
    for row in compared.to_dict("records"):
        expected = pairs_by_definition(runs, vary, row["first"], row["second"], {name: row[name] for name in shown})
        for name, value in expected.items():
            if name not in ("p_value", "p_steps") or row["n_pairs"] == row["n_seeds"]:
                assert row[name] == pytest.approx(value, abs=1e-12, nan_ok=True), name
            else:
                assert row[name] >= value * (1 - 1e-9), name  # or the level of the interval that ends at 0
        assert row["difference_low"] <= row["difference"] <= row["difference_high"]
    family = np.concatenate([compared["p_value"], compared["p_steps"]])
    np.testing.assert_array_equal(np.concatenate([compared["p_value_holm"], compared["p_steps_holm"]]), holm(family))


def test_comparisons_take_two_values_and_rows() -> None:
    """A parameter with one value cannot be compared, nor can counts without rows."""
    single = sweep.run(make_study(count=2, hidden=[2], learning_rate=[0.1, 0.2]))
    with pytest.raises(SweepError, match=r"hidden has 1 value; .* 2 to 20 values"):
        single.compare("hidden")
    counts = sweep.run(make_study(count=2, hidden=[2, 3]), keep="cells")
    with pytest.raises(StoreError, match="keep='runs'"):
        counts.compare("hidden")
    assert counts.best()[["p_value", "may_be_best"]].isna().all(axis=None)

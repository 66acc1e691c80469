"""Sign tests and sign-flip tests against exact enumeration."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from sweep.statistics.paired import sign_flip_test, sign_test


@pytest.mark.parametrize(("wins", "losses"), [*product(range(7), repeat=2), (30, 12), (0, 200), (480, 520)])
def test_sign_test_by_enumeration(wins: int, losses: int) -> None:
    """The p-value is the exact probability of so uneven a split, as in McNemar's exact test."""
    n = wins + losses
    ways = sum(comb(n, k) for k in range(n + 1) if abs(2 * k - n) >= abs(wins - losses))
    exact = float(Fraction(ways, 2**n))
    assert sign_test(np.array([wins]), np.array([losses]))[0] == pytest.approx(exact, abs=1e-12)
    if n:
        assert exact == pytest.approx(stats.binomtest(wins, n, 0.5).pvalue, abs=1e-12)


@given(st.lists(st.lists(st.integers(-4, 4), min_size=1, max_size=7), min_size=1, max_size=3))
def test_sign_flip_test_by_enumeration(rows: list[list[int]]) -> None:
    """Every choice of signs is tried; with one pair a seed it is McNemar's test."""
    width = max(map(len, rows))
    balance = np.array([row + [0] * (width - len(row)) for row in rows])
    for row, p_value in zip(rows, sign_flip_test(balance), strict=True):
        sums = [
            abs(sum(sign * b for sign, b in zip(signs, row, strict=True)))
            for signs in product((1, -1), repeat=len(row))
        ]
        expected = sum(each >= abs(sum(row)) for each in sums) / len(sums)
        assert p_value == pytest.approx(expected, rel=1e-11)


def test_sign_flip_test_of_many_seeds() -> None:
    """The error is below 1e-13, however improbable the sum: by integers, for 150 seeds."""
    random = np.random.default_rng(5)
    for n_against in (0, 5, 40, 50, 60, 70, 74):
        balance = random.integers(1, 9, 150)
        balance[:n_against] *= -1
        ways = {0: 1}
        for size in np.abs(balance).tolist():
            ways = {s: ways.get(s - size, 0) + ways.get(s + size, 0) for w in ways for s in (w - size, w + size)}
        at_least = sum(n for total, n in ways.items() if abs(total) >= abs(balance.sum()))
        assert sign_flip_test(balance[None])[0] == pytest.approx(at_least / 2**150, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("size", [6249, 6250, 25_000, 10**9])
def test_sign_flip_test_of_few_seeds_with_many_pairs(size: int) -> None:
    """All choices of signs count, whatever the sum: of four seeds that agree two in sixteen are as far out."""
    assert sign_flip_test(np.full((1, 4), size))[0] == 0.125
    assert sign_flip_test(np.array([[size, size, size, 1 - size]]))[0] == 0.25


def share_of_signs(balance: NDArray[np.int64]) -> float:
    """Return the share of choices of signs whose sum is as far from 0, from the sums of two halves."""
    halves = []
    for half in (balance[::2], balance[1::2]):
        sums = np.zeros(1, np.int64)
        for size in half:
            sums = np.concatenate([sums - size, sums + size])
        halves.append(np.sort(sums))
    one, other = halves
    n_beyond = int((len(other) - np.searchsorted(other, abs(balance.sum()) - one)).sum())
    return float(2 * n_beyond / 2 ** len(balance))


def test_sign_flip_test_of_many_pairs() -> None:
    """Rounded balances have nearly the p-value of exact ones."""
    random = np.random.default_rng(4)
    for n_seeds in (31, 34, 36):
        for shift in (-0.1, 0.0, 0.3, 0.6):
            balance = (random.normal(shift, 1, n_seeds) * 10**5).astype(np.int64)
            assert sign_flip_test(balance[None])[0] == pytest.approx(share_of_signs(balance), rel=0.01)
    for n_seeds, shift in ((1000, 0.5), (3000, 0.1), (3000, 0.4)):
        few = random.normal(shift, 5, n_seeds).round().astype(np.int64)
        exact = sign_flip_test(few[None])[0]  # adds up to less than 20,000
        assert sign_flip_test(1000 * few[None])[0] == pytest.approx(exact, rel=0.01)

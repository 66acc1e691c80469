"""Steps of fewer than all patterns, and the order of patterns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.oracle.components import REDUCTIONS
from tests.oracle.support import draw_networks, train
from tests.oracle.windows import integers, mix, permutation

FIVE = np.array([[0.5, -1.0], [-0.7, 0.3], [1.2, 0.9], [-0.4, -1.1], [0.0, 0.8]]), np.arange(10.0).reshape(5, 2) / 9


def test_integers_are_those_of_splitmix64() -> None:
    """The first numbers from the state 1234567, as published."""
    stream = integers(1234567)
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [next(stream) for _ in expected] == expected
    assert mix(0) == 0


def test_permutations_stay_as_they_are() -> None:
    """Some orders are recorded, since results depend on them; also with the largest seed and epoch."""
    pairs = [(0, 0), (0, 1), (1, 0), (2**32 - 1, 2**32 - 1)]
    expected = [(2, 0, 1, 3), (3, 0, 1, 2), (0, 2, 1, 3), (1, 0, 3, 2)]
    assert [permutation(4, seed, epoch) for seed, epoch in pairs] == expected
    assert permutation(1, 3, 5) == (0,)


def test_permutations_are_permutations() -> None:
    """Every pattern occurs once, and other seeds and epochs give other orders."""
    orders = [permutation(16, seed, epoch) for seed in range(20) for epoch in range(20)]
    assert all(sorted(order) == list(range(16)) for order in orders)
    assert len(set(orders)) == len(orders)
    assert permutation(16, 3, 4) == permutation.__wrapped__(16, 3, 4)


@pytest.mark.parametrize("sampled", ["seeds", "epochs", "both"])
def test_all_orders_are_about_equally_frequent(sampled: str) -> None:
    """All 24 orders of 4 patterns are tested over seeds and over epochs: chi-square with 23 degrees of freedom."""
    pairs = {
        "seeds": [(seed, 0) for seed in range(4800)],
        "epochs": [(83832, epoch) for epoch in range(4800)],
        "both": [(seed, epoch) for seed in range(80) for epoch in range(60)],
    }[sampled]
    orders = [permutation(4, seed, epoch) for seed, epoch in pairs]
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 24
    chi_square = ((counts - 200) ** 2 / 200).sum()
    assert 9.3 < chi_square < 49.7  # 0.5 % are below, 0.1 % above


def test_following_epochs_are_independent() -> None:
    """The first patterns of two successive epochs are independent: chi-square, 15 degrees of freedom."""
    counts = np.zeros((4, 4))
    for epoch in range(3200):
        counts[permutation(4, 7, epoch)[0], permutation(4, 7, epoch + 1)[0]] += 1
    assert ((counts - 200) ** 2 / 200).sum() < 37.7  # 0.1 % are above


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("order", ["cyclic", "shuffled"])
def test_windows_are_steps_on_some_patterns(order: str, reduction: str) -> None:
    """Three epochs of 2, 2 and 1 patterns equal 9 steps on all patterns of smaller tables, to the last bit."""
    options: dict[str, Any] = {"loss": "squared", "reduction": reduction, "learning_rate": 0.05, "skip": True}
    weights, seeds = draw_networks(4, 16, seed=11), np.array([5, 0, 2**32 - 1, 5])
    result = train(weights, FIVE, batch=2, order=order, seed=seeds, max_epochs=3, **options)
    assert (result.steps.tolist(), result.epochs.tolist()) == ([9] * 4, [3] * 4)
    for run, seed in enumerate(seeds.tolist()):
        expected = weights[run : run + 1]
        for epoch in range(3):
            visits = permutation(5, seed, epoch) if order == "shuffled" else range(5)
            for window in (visits[:2], visits[2:4], visits[4:]):
                patterns = FIVE[0][list(window)], FIVE[1][list(window)]
                expected = train(expected, patterns, max_steps=1, **options).weights
        np.testing.assert_array_equal(result.weights[run], expected[0])


def test_a_step_of_all_patterns_is_in_file_order() -> None:
    """Where a step takes all patterns, a shuffled order changes nothing."""
    weights = draw_networks(6, 12, seed=12)
    plain = train(weights, FIVE, max_steps=20)
    for options in ({"batch": 5}, {"batch": 5, "order": "shuffled", "seed": np.arange(6)}):
        result = train(weights, FIVE, max_steps=20, **options)
        np.testing.assert_array_equal(result.weights, plain.weights)
        np.testing.assert_array_equal(result.final_loss, plain.final_loss)

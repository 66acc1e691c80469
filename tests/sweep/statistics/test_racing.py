"""Races: equal to a plain one, and the best contender is left with at least the given confidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sweep.statistics import racing
from sweep.statistics.racing import Race, mean_interval
from tests.sweep.naive_race import naive_race

ROUNDS = [10, 10, 20, 40, 80]


def raced(values: NDArray[Any], rounds: list[int], confidence: float = 0.95, **options: Any) -> Race:
    """Race all contenders, (contenders, replicates, seeds), round by round."""
    race, start = Race(len(values), len(rounds), confidence, **{"by_wins": False, **options}), 0
    for n in rounds:
        if race.open.any():
            race.add(values[race.open][:, :, start : start + n])
        start += n
    return race


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 5),
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from([None, 0.05, 0.3]),
    st.sampled_from([0.5, 0.8, 0.95]),
)
def test_races_equal_a_plain_one(
    seed: int, n: int, replicates: int, by_wins: bool, margin: float | None, confidence: float
) -> None:
    """Decisions and evidence are those of explicit loops, with ties, infinite values and replicates."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.random((n, replicates, 30)) ** rng.integers(1, 6, (n, 1, 1)), 1)
    if by_wins:
        values[rng.random(values.shape) < 0.1] = -np.inf
    race = raced(values, [5, 10, 15], confidence, by_wins=by_wins, margin=margin)
    plain = naive_race(values.tolist(), [5, 10, 15], confidence, by_wins=by_wins, margin=margin)
    assert race.n_seeds.tolist() == plain.n_seeds
    assert race.left.tolist() == plain.left
    assert race.within_margin == plain.within_margin
    np.testing.assert_allclose(race.evidence, plain.evidence, rtol=1e-12)


@pytest.mark.parametrize("by_wins", [True, False])
def test_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch, by_wins: bool) -> None:
    """Few values at a time give the same bits."""
    values = np.random.default_rng(0).random((7, 2, 160))
    whole = raced(values, ROUNDS, by_wins=by_wins)
    monkeypatch.setattr(racing, "_VALUES_AT_A_TIME", 3)
    assert raced(values, ROUNDS, by_wins=by_wins).evidence.tobytes() == whole.evidence.tobytes()


def test_what_is_clearly_worse_is_dropped_at_once() -> None:
    """Contenders that always lose get the seeds of one round, and the race ends."""
    race = raced(np.repeat([[[0.0]], [[1.0]], [[0.0]]], 160, axis=2), [20, 140])
    assert race.n_seeds.tolist() == [20, 20, 20]
    assert (race.left.tolist(), race.leader, race.open.any()) == ([False, True, False], 1, False)


def test_equal_contenders_end_within_a_margin() -> None:
    """Contenders with equal values are never separated; a margin ends their race."""
    equal = np.repeat([[[0.5]], [[0.5]], [[0.1]]], 160, axis=2)
    assert raced(equal, ROUNDS).n_seeds.tolist() == [160, 160, 40]
    race = raced(equal, ROUNDS, margin=0.1)
    assert race.within_margin
    assert race.left.tolist() == [True, True, False]
    assert race.n_seeds.max() < 160


def test_most_gains_do_not_overflow() -> None:
    """Wealth may exceed all numbers without a warning."""
    values = np.repeat([[[0.0]], [[1.0]]], 3000, axis=2)
    assert raced(values, [3000]).left.tolist() == [False, True]
    assert raced(values[::-1], [3000]).left.tolist() == [True, False]


def best_is_dropped(values: NDArray[Any], best: int, **options: Any) -> bool:
    """Return whether the true best is dropped."""
    return not raced(values[:, None, :], ROUNDS, **options).left[best]


@pytest.mark.slow
@pytest.mark.parametrize("n_contenders", [2, pytest.param(30, marks=pytest.mark.wide)])
@pytest.mark.parametrize("by_wins", [True, False])
def test_the_best_is_left(n_contenders: int, by_wins: bool) -> None:
    """With equal contenders, and looks after every round, the error is at most nominal: the worst case."""
    rng = np.random.default_rng(n_contenders)
    dropped = [
        best_is_dropped((rng.random((n_contenders, 160)) < 0.9).astype(float), 0, confidence=0.8, by_wins=by_wins)
        for _ in range(150)
    ]
    assert np.mean(dropped) <= 0.2


@pytest.mark.parametrize("chance", [0.02, 0.5, 0.97])
def test_intervals_hold_at_every_number_of_seeds(chance: float) -> None:
    """Intervals of all numbers of seeds contain the mean together."""
    values = (np.random.default_rng(3).random((300, 60)) < chance).astype(float)
    ends = [mean_interval(values[:, :n], 0.9) for n in (1, 5, 20, 60)]
    hold = np.all([(low <= chance) & (chance <= high) for low, high in ends], axis=0)
    assert hold.mean() >= 0.9
    assert (np.diff([high - low for low, high in ends], axis=0) <= 1e-9).all()

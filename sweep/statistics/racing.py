"""Racing: which of several contenders may still be the best after each round of seeds.

Each contender that is not the best of all has a bet against it: that its values are below those of the leader, which
for each seed is the contender with the best values of all earlier seeds. From a stake of 1, each seed multiplies the
wealth of the bet by ``1 - f * gain``, where ``gain``, from -1 to 1, is how far the contender is above the leader with
this seed. If the contender is the best, its gain is not negative on average, whichever contender leads, so the wealth
is a nonnegative supermartingale, and it ever reaches ``1 / error`` with a probability of at most ``error`` (Ville's
inequality). A contender is dropped where it does. The stake is divided among several fractions ``f``, since the best
one depends on the gains, and among the rounds at which its parts begin to be bet, since early leaders are poor ones.

So the best contender is left with at least the given confidence, whatever the number of contenders, looks and seeds:
only the bet against the best one could drop it wrongly, so nothing is divided by the number of pairs. Betting:
Waudby-Smith and Ramdas, J. R. Stat. Soc. B 86 (2024) 1; races: Maron and Moore, Artif. Intell. Rev. 11 (1997) 193, and
Birattari et al., GECCO (2002) 11. Betting against the leader of the earlier seeds is ours.

All products and sums are in the order of seeds, so decisions are the same on every machine.
"""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np

from sweep.statistics.intervals import Array

# Fractions of the wealth that are bet. The largest one survives a gain of 1; the smallest suits gains of 1 in 100.
FRACTIONS = (0.9375, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125)

# Most values at a time, which bounds memory.
_VALUES_AT_A_TIME = 2**20

# Steps of the bisection for the end of an interval.
_HALVINGS = 40


class Race:
    """The state of a race after some rounds of seeds, of which there are at most ``n_rounds``.

    The best contender must be among those that are left with the probability ``confidence``. With ``by_wins`` the gain
    with a seed is 1, 0 or -1 for a better, equal or worse value, and not the difference of values. The best contender
    is then one that no other one beats with most of the seeds in which they differ. With a margin, the race also ends
    once no contender can be better than the leader by more than this difference of values. Half of the probability of
    an error is then that of this statement.
    """

    def __init__(
        self, n_contenders: int, n_rounds: int, confidence: float, *, by_wins: bool, margin: float | None = None
    ) -> None:
        self.left = np.ones(n_contenders, np.bool_)  # contenders that may be the best
        self.n_seeds = np.zeros(n_contenders, np.int64)  # their seeds so far
        self.evidence = np.ones(n_contenders)  # the largest wealth of the bet against each
        self.within_margin = False  # whether no contender can be better than the leader by more than the margin
        self.confidence, self.by_wins = confidence, by_wins
        self._error = 1 - confidence if margin is None else (1 - confidence) / 2
        self._margin = margin
        self._wealth = np.ones((n_rounds, len(FRACTIONS), n_contenders))  # by the round in which bets begin
        self._n_rounds = 0  # so far
        self._scores = np.zeros(n_contenders)
        self._kept: Array | None = None  # all values of those that are left, if there is a margin

    @property
    def open(self) -> Array:
        """The contenders that get the seeds of the next round, (contenders,) of bool."""
        return self.left & (np.count_nonzero(self.left) > 1 and not self.within_margin)

    @property
    def leader(self) -> int:
        """The contender with the best values of all those that are left."""
        left = np.flatnonzero(self.left)
        return int(left[self._scores[left].argmax()])

    def add(self, values: Array) -> None:
        """Add a round of seeds, (open contenders, replicates, seeds); high values are better.

        They are from 0 to 1, unless only wins count. Gains are means over replicates.
        """
        own = np.flatnonzero(self.open)
        self._n_rounds += 1
        at_a_time = max(1, _VALUES_AT_A_TIME // values[:, :, :1].size)
        for start in range(0, values.shape[2], at_a_time):
            self._bet(own, values[:, :, start : start + at_a_time])
        self.n_seeds[own] += values.shape[2]
        self.left[own] = self.evidence[own] < 1 / self._error
        if self._margin is not None:
            every = values if self._kept is None else np.concatenate([self._kept, values], axis=2)
            self._kept = every[self.left[own]]
            self.within_margin = self._is_within(self._kept, self._margin)

    def _bet(self, own: Array, values: Array) -> None:
        """Bet against contenders with some seeds."""
        scores = _mean_of_replicates(_ranks(values) if self.by_wins else values)
        sums = np.add.accumulate(np.column_stack([self._scores[own], scores]), axis=1)
        leaders = sums[:, :-1].argmax(axis=0)  # of the seeds before each one
        led = values[leaders, :, np.arange(values.shape[2])].T
        gains = self._gains(values, led)
        total = np.full_like(gains, len(self._wealth) - self._n_rounds)  # stakes of later rounds
        for wealth in self._wealth[: self._n_rounds]:
            paths, wealth[:, own] = _wealth(gains, wealth[:, own])
            total += paths
        self.evidence[own] = np.maximum(self.evidence[own], total.max(axis=1) / len(self._wealth))
        self._scores[own] = sums[:, -1]

    def _gains(self, values: Array, led: Array, margin: float = 0.0) -> Array:
        """Return how far values are above those of the leader, beyond a margin: (contenders, seeds)."""
        if self.by_wins:
            gains = (values > led + margin).astype(np.float64) - (values < led + margin)
        else:
            gains = values - led - margin
        return _mean_of_replicates(gains)

    def _is_within(self, values: Array, margin: float) -> bool:
        """Return whether bets that contenders are above the leader by more than a margin have lost against each."""
        leader = np.count_nonzero(self.left[: self.leader])
        gains = np.delete(self._gains(values, values[leader], margin), leader, axis=0)
        paths, _ = _wealth(gains, np.ones((len(FRACTIONS), len(gains))))
        return bool((paths.max(axis=1) >= (len(self.left) - 1) / self._error).all())


def _wealth(gains: Array, before: Array) -> tuple[Array, Array]:
    """Return the mean wealth after each seed, (contenders, seeds), and that of each fraction after the last one."""
    after = np.empty_like(before)
    total = np.zeros_like(gains)
    with np.errstate(over="ignore", under="ignore"):
        for k, fraction in enumerate(FRACTIONS):
            path = np.multiply.accumulate(np.column_stack([before[k], 1 - fraction * gains]), axis=1)
            after[k] = path[:, -1]
            total += path[:, 1:]
    return total / len(FRACTIONS), after


def _mean_of_replicates(values: Array) -> Array:
    """Return means over the second axis, added in order."""
    return np.asarray(reduce(add, values.swapaxes(0, 1)) / values.shape[1])


def _ranks(values: Array) -> Array:
    """Return mid-ranks along the first axis as shares of its length."""
    ranks = np.empty(values.shape)
    for place in np.ndindex(values.shape[1:]):
        column = values[(slice(None), *place)]
        ordered = np.sort(column)
        ranks[(slice(None), *place)] = np.searchsorted(ordered, column) + np.searchsorted(ordered, column, "right")
    return ranks / (2 * len(values))


def mean_interval(values: Array, confidence: float) -> tuple[Array, Array]:
    """Return the ends of intervals of means, (rows,), that hold together for all numbers of seeds.

    With the probability ``confidence``, an interval contains the mean after every seed, so also after the last one,
    whatever ended the race. Values, (rows, seeds), are from 0 to 1, those of different seeds independent.

    Bets against each mean, from both sides: Waudby-Smith and Ramdas, J. R. Stat. Soc. B 86 (2024) 1, section 4.
    """
    threshold = 2 / (1 - confidence)
    return _lowest_mean(values, threshold), 1 - _lowest_mean(1 - values, threshold)


def _lowest_mean(values: Array, threshold: float) -> Array:
    """Return the mean below which bets that the mean is higher have ever reached a threshold, (rows,)."""
    low, high = np.zeros((2, len(values)))
    high += 1
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        paths, _after = _wealth(1 - values / middle[:, None], np.ones((len(FRACTIONS), len(values))))
        is_refuted = paths.max(axis=1) >= threshold
        low, high = np.where(is_refuted, middle, low), np.where(is_refuted, high, middle)
    return low

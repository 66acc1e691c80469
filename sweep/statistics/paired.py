"""Tests and intervals for pairs of runs that share their seed."""

from __future__ import annotations

import numpy as np

from sweep.statistics.intervals import LEVEL, Array, HasInterval, normal_quantile, p_value_of, student_quantile

# All choices of signs of so many seeds are counted. For more seeds, a transform has at most so many terms.
_MOST_ENUMERATED = 16
_MOST_TERMS = 2**22
# Sums beyond so many root mean squares have a probability below 1e-30 (Hoeffding's inequality).
_REACH = 12
# Where Hoeffding's bound is below this, it is the p-value.
_LEAST_COMPUTED = 1e-12


def sign_test(wins: Array, losses: Array) -> Array:
    """Return the p-value of the two-sided exact sign test of the pairs that favor the first and the second side.

    It is the probability of a split at least as uneven if both sides are equally likely (the exact binomial test). Ties
    do not count. For pairs in which exactly one run converged it is McNemar's exact test: Psychometrika 12 (1947) 153.
    """
    from scipy.special import bdtr

    fewer = np.minimum(wins, losses)
    n = np.add(wins, losses)
    return np.asarray(np.minimum(1.0, 2 * bdtr(np.asarray(fewer, np.float64), n, 0.5)))


def one_sided_sign_test(wins: Array, losses: Array) -> Array:
    """Return the mid-p value of the one-sided sign test, with wins and losses as in :func:`sign_test`.

    It is the probability of more wins if both sides are equally likely, plus half the probability of as many wins: the
    mid-p form of McNemar's test. Its error rate is close to nominal, that of the exact test far below:
    Fagerland, Lydersen and Laake, BMC Med. Res. Methodol. 13 (2013) 91.
    """
    from scipy.special import bdtr

    losses, n = np.asarray(losses, np.float64), np.add(wins, losses)
    below = np.where(losses > 0, bdtr(np.maximum(losses - 1, 0), n, 0.5), 0.0)
    return np.asarray((bdtr(losses, n, 0.5) + below) / 2)


def sign_flip_test(balance: Array) -> Array:
    """Return the p-value of the two-sided randomization test of seeds, (rows,).

    ``balance``, (rows, seeds) of integers, is the number of pairs of each seed that favor the first side minus the
    number that favor the second. The p-value is the probability of a sum at least as far from 0 if the sign of each
    seed's balance is random.

    Fisher's randomization test. Seeds are the units, since pairs of one seed are not independent. If each seed has one
    pair, it equals the exact :func:`sign_test`. All choices of signs of up to 16 seeds are counted. For more seeds the
    probabilities of all sums follow from their characteristic function, the product of cos(b t) over the balances b,
    with an error below 1e-14. Very large balances are first rounded to a coarser unit, which gives the randomization
    test of the rounded balances. If Hoeffding's bound of the p-value (J. Amer. Statist. Assoc. 58 (1963) 13) is below
    1e-12, it is returned.

    ``scipy.stats.permutation_test`` draws signs at random for more than some 13 seeds.
    """
    p_values = sign_test((balance > 0).sum(axis=1), (balance < 0).sum(axis=1))
    for row in np.flatnonzero(np.abs(balance).max(axis=1, initial=0) > 1):
        p_values[row] = _sign_flip(balance[row][balance[row] != 0].astype(np.int64))
    return p_values


def _sign_flip(balance: Array) -> float:
    """Return the p-value of balances other than 0."""
    if len(balance) <= _MOST_ENUMERATED:
        sums = np.zeros(1, np.int64)
        for each in balance:
            sums = np.concatenate([sums - each, sums + each])
        return float(np.mean(np.abs(sums) >= abs(balance.sum())))
    bound = float(2 * np.exp(-(balance.sum() ** 2) / (2 * balance @ balance.astype(np.float64))))
    if bound < _LEAST_COMPUTED:
        return bound
    unit = int(np.gcd.reduce(balance))
    rounded = balance // unit
    while _period(rounded) * len(np.unique(np.abs(rounded))) > _MOST_TERMS:
        unit *= 2
        rounded = np.rint(balance / unit).astype(np.int64)
    least = 2 * 0.5 ** np.count_nonzero(rounded)
    return float(np.clip(_share_beyond(rounded), least, 1.0))


def _share_beyond(balance: Array) -> float:
    """Return the probability of a sum at least as far from 0 if signs are random, from the characteristic function."""
    n = _period(balance)
    angles = 2 * np.pi * np.arange(n // 2 + 1) / n
    transform = np.ones(len(angles))
    for size, count in zip(*np.unique(np.abs(balance), return_counts=True), strict=True):
        transform *= np.cos(size * angles) ** int(count)
    chances = np.fft.irfft(transform, n)
    distance = abs(int(balance.sum()))
    return float(2 * chances[distance : n // 2 + 1].sum()) if distance else 1.0


def _period(balance: Array) -> int:
    """Return the number of sums after which their probabilities may repeat in a transform."""
    from scipy.fft import next_fast_len

    spread = np.sqrt(balance @ balance.astype(np.float64))
    return int(next_fast_len(int(min(2 * np.abs(balance).sum(), 2 * _REACH * spread)) + 1, real=True))


def holm(p_values: Array) -> Array:
    """Return the p-values of one family adjusted by Holm's method; missing ones stay missing and do not count.

    They stay in their order. If all adjusted p-values up to 0.05 are rejected, the probability of any false rejection
    is at most 5 %: Holm, Scand. J. Statist. 6 (1979) 65.
    """
    p_values = np.asarray(p_values, np.float64)
    order = np.argsort(p_values, kind="stable")[: np.count_nonzero(~np.isnan(p_values))]
    adjusted = np.full(len(p_values), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * np.arange(len(order), 0, -1)), 1.0)
    return adjusted


class Advantage:
    """The share of pairs that favor the first side minus the share that favor the second, (groups,).

    It is from -1 to 1. If a pair favors the side that alone converges, it is the difference of both convergence rates.
    ``balance`` is, for each seed, the number of pairs that favor the first side minus the number that favor the
    second, and ``n_pairs`` the number of all its pairs, each (groups, seeds) of integers. With ``of_replicates`` these
    are not seeds but replicates, such as splits of the data.

    If each seed has one pair, the interval is that of Bonett and Price, Brit. J. Math. Statist. Psych. 65 (2012) 479.
    It adds one pair to each class that differs, so 2 to the pairs and to the sum of squares. With 20 pairs it covers at
    least 93 %, that of Agresti and Min 85 %. The p-value is that of the exact sign test (McNemar's). If it is at most
    0.05, the 95 % interval excludes 0, but not the other way round; see :func:`sweep.analysis.compare.beside_test`.

    If seeds have several pairs, which are not independent, the interval is Student's over seeds, and each end allows
    for one more seed whose pairs all favor that side. Without this seed, 35 % of studies of 10 seeds find a difference
    between equal sides if one seed in ten outweighs all others. The p-value is that of the sign-flip test, which is
    exact if no seed favors a side, or the level of the interval that ends at 0 if this is larger, which also holds if
    seeds differ but not on average.

    Replicates are too few for either: five folds would never differ. Their interval is Student's, and their p-value
    the level at which it ends at 0. The more the pairs of a replicate agree, the less they show how much replicates
    vary: if each of three splits favors one side in all its pairs, a quarter of studies of equal sides have all three
    favor the same one. So each end allows for half of one more replicate whose pairs all favor that side, weighted by
    the mean square of the replicates' advantages. Without it, a difference between equal sides is found in 21 % of
    studies of three splits, and in 8 to 11 % of those of five, if splits have large effects; with it in none of those
    of three and 4 % of those of five.
    """

    def __init__(self, balance: Array, n_pairs: Array, *, of_replicates: bool = False) -> None:
        self._of_replicates = of_replicates
        self._balance = balance
        self._n = (n_pairs > 0).sum(axis=1)
        with np.errstate(invalid="ignore"):  # missing where a partial result has no pair
            self._each = n_pairs.sum(axis=1) / self._n
            self.value = balance.sum(axis=1) / n_pairs.sum(axis=1)
        self._squares = (balance.astype(np.float64) ** 2).sum(axis=1) / self._each**2
        self._single = (self._each == 1) & (not of_replicates)

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval; missing for a single seed with several pairs."""
        n = self._n + 2
        center = self.value * self._n / n
        spread = normal_quantile(level) * np.sqrt(np.maximum((self._squares + 2) / n - center**2, 0.0) / n)
        quantile = student_quantile(self._n, level)
        scale = self._n * np.maximum(self._n - 1, 1)
        within = np.maximum(self._squares - self._n * self.value**2, 0.0)
        share = self._squares / self._n / 2 if self._of_replicates else 1.0
        ends = []
        for sign in (-1, 1):
            unseen = (1 - sign * self.value) ** 2 * share
            over_seeds = quantile * np.sqrt((within + unseen) / scale)
            end = np.where(self._single, center + sign * spread, self.value + sign * over_seeds)
            ends.append(np.clip(end, -1.0, 1.0))
        return ends[0], ends[1]

    def p_values(self) -> Array:
        """Return the two-sided p-values of no advantage, (groups,)."""
        exact = np.zeros(len(self.value)) if self._of_replicates else sign_flip_test(self._balance)

        return np.where(self._single, exact, np.maximum(exact, p_value_beside(self)))


def p_value_beside(estimate: HasInterval) -> Array:
    """Return the levels of the intervals that end at 0, (groups,): the two-sided p-values of no difference."""

    def excludes_zero(level: Array) -> Array:
        low, high = estimate.ends(level)
        return (low > 0) | (high < 0)

    return p_value_of(excludes_zero, len(estimate.value))


def p_value_within(estimate: HasInterval, margin: float) -> Array:
    """Return the p-values of a difference of ``margin`` or more, (groups,); missing where the interval is.

    These are two one-sided tests: Schuirmann, J. Pharmacokin. Biopharm. 15 (1987) 657.
    """

    def lies_within(level: Array) -> Array:
        low, high = estimate.ends(level)
        return (-margin < low) & (high < margin)

    one_sided = p_value_of(lies_within, len(estimate.value)) / 2
    return np.where(np.isnan(estimate.ends()[0]), np.nan, one_sided)


class MeanOfClusters:
    """The mean of values, (groups,), with Student's interval over seeds or other clusters.

    ``sums`` are values, summed over each cluster, and ``counts`` the number of its values, each (groups, clusters).
    """

    def __init__(self, sums: Array, counts: Array) -> None:
        whole = counts.sum(axis=1)
        self._n = (counts > 0).sum(axis=1)
        self.value = sums.sum(axis=1) / np.maximum(whole, 1)
        squares = ((sums - self.value[:, None] * counts) ** 2).sum(axis=1) / np.maximum(whole, 1) ** 2
        self._error = np.sqrt(squares * self._n / np.maximum(self._n - 1, 1))

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval; missing for one cluster."""
        half = student_quantile(self._n, level) * self._error
        return self.value - half, self.value + half


class PairedMean(MeanOfClusters):
    """The mean difference of pairs.

    The p-value of no difference is never below that of a sign test in which all clusters favor one side, since few
    differences of shares may all be equal.
    """

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval; infinite at levels that so few clusters cannot reach."""
        far = np.asarray(level) / 2 < 0.5**self._n
        with np.errstate(invalid="ignore"):
            half = np.where(far | (self._n < 2), np.inf, student_quantile(self._n, level) * self._error)
        return self.value - half, self.value + half

"""Tests and intervals for pairs of runs that share their seed."""

from __future__ import annotations

import numpy as np

from sweep.statistics.intervals import Array, Z, student_quantile

# Seeds up to which all choices of signs are counted, and terms up to which a transform is made of those of more seeds.
_MOST_ENUMERATED = 30
_MOST_TERMS = 2**21
# Root mean squares of the sum beyond which its chances are left out: by Hoeffding's inequality below 1e-30.
_REACH = 12


def sign_test(wins: Array, losses: Array) -> Array:
    """Return how probable so uneven a split, or a more uneven one, is where either side is as likely.

    Parameters
    ----------
    wins, losses
        Pairs that speak for the one and for the other; ties do not count.

    Notes
    -----
    The exact binomial test, two-sided. Of pairs where one run converged and the other did not it is McNemar's exact
    test: Psychometrika 12 (1947) 153.
    """
    from scipy.special import bdtr

    fewer, n = np.minimum(wins, losses), np.add(wins, losses)
    return np.asarray(np.minimum(1.0, 2 * bdtr(np.asarray(fewer, np.float64), n, 0.5)))


def one_sided_sign_test(wins: Array, losses: Array) -> Array:
    """Return how probable so many wins or more are where either side is as likely, as many counted by half.

    Parameters
    ----------
    wins, losses
        As of :func:`sign_test`.

    Notes
    -----
    The mid-p form of McNemar's test: the exact one errs far less often than it may, this one about as often; see
    Fagerland, Lydersen and Laake, BMC Med. Res. Methodol. 13 (2013) 91.
    """
    from scipy.special import bdtr

    losses, n = np.asarray(losses, np.float64), np.add(wins, losses)
    below = np.where(losses > 0, bdtr(np.maximum(losses - 1, 0), n, 0.5), 0.0)
    return np.asarray((bdtr(losses, n, 0.5) + below) / 2)


def sign_flip_test(balance: Array) -> Array:
    """Return how probable so large a sum of differences is where each may as well have the other sign.

    Parameters
    ----------
    balance : (rows, seeds) of integers
        How many pairs of a seed speak for the one, less those that speak for the other.

    Returns
    -------
    p_values : (rows,)

    Notes
    -----
    Fisher's randomization test, two-sided, of seeds: pairs of one seed are not independent. Where a seed has one pair
    it is the exact :func:`sign_test`. Of up to 30 seeds that differ, all choices of signs are counted. Of more the
    distribution is found from its characteristic function, the product of cos(b t) over the differences b, tilted so
    that the sum given is its mean: eleven digits of any p-value are right. Where that would take more than two million
    terms, as of seeds of thousands of pairs, it is the saddlepoint approximation of Lugannani and Rice, Adv. Appl.
    Prob. 12 (1980) 475: p-values above 1e-5 are less than 1 % off, unless few seeds outweigh all others.
    """
    simple = np.abs(balance).max(axis=1, initial=0) <= 1
    p_values = sign_test((balance > 0).sum(axis=1), (balance < 0).sum(axis=1))
    for row in np.flatnonzero(~simple):
        p_values[row] = _sign_flip(np.abs(balance[row]), abs(int(balance[row].sum())))
    return p_values


def _sign_flip(sizes: Array, distance: int) -> float:
    """Return the probability that the sum of ``sizes`` with random signs is at least so far from 0.

    With each sign + of probability 1 / (1 + exp(-2 b tilt)) in place of 1/2, sums s come exp(s tilt) times as often, up
    to a factor. So chances that are too small for a transform of sums near 0 are found where they are large.
    """
    from scipy.optimize import brentq

    sizes = sizes[sizes > 0]
    reach = int(sizes.sum())
    if distance == 0:
        return 1.0
    if len(sizes) <= _MOST_ENUMERATED:
        return _share_of_signs(sizes.astype(np.int64), distance)
    if distance == reach:
        return float(2 * 0.5 ** len(sizes))
    values, counts = np.unique(sizes, return_counts=True)
    if _period(values, counts) * len(values) > _MOST_TERMS:
        distance -= int(np.gcd.reduce(values))  # to the middle between this sum and the next one below
        beyond = _beyond_by_saddlepoint
    else:
        beyond = _beyond_by_transform
    if distance <= 0:
        return 1.0
    # Nothing but the largest sum is farther out than one smallest difference with the other sign.
    tilt = brentq(lambda tilt: counts @ (values * np.tanh(values * tilt)) - distance, 0.0, 40.0, xtol=1e-18)
    factor = counts @ (values * tilt + np.log1p(np.exp(-2 * values * tilt)) - np.log(2)) - tilt * distance
    return float(np.clip(2 * beyond(values, counts, distance, tilt, factor), 0.0, 1.0))


def _share_of_signs(sizes: Array, distance: int) -> float:
    """Return the share of all choices of signs with a sum at least so far from 0: sums of two halves are paired."""
    halves = []
    for half in (sizes[::2], sizes[1::2]):
        sums = np.zeros(1, np.int64)
        for size in half:
            sums = np.concatenate([sums - size, sums + size])
        halves.append(sums)
    one, other = halves[0], np.sort(halves[1])
    n_beyond = int((len(other) - np.searchsorted(other, distance - one)).sum())
    return float(2 * n_beyond / 2 ** len(sizes))


def _period(values: Array, counts: Array) -> int:
    """Return after how many sums their chances repeat in a transform."""
    from scipy.fft import next_fast_len

    spread = np.sqrt(counts @ values.astype(np.float64) ** 2)
    return int(next_fast_len(int(min(2 * (counts @ values), 2 * _REACH * spread)) + 1, real=True))


def _beyond_by_transform(values: Array, counts: Array, distance: int, tilt: float, factor: float) -> float:
    """Return the chance of a sum so large or larger, which is exp(factor) times that of the tilted distribution."""
    n = _period(values, counts)
    angles = 2 * np.pi * np.arange(n // 2 + 1) / n
    transform = np.ones(len(angles), np.complex128)
    for value, count in zip(values, counts, strict=True):
        transform *= _power(np.cos(value * angles) + 1j * np.tanh(value * tilt) * np.sin(value * angles), int(count))
    beyond = np.arange(min(int(counts @ values) - distance, n // 2) + 1)
    chances = np.fft.hfft(transform, n)[(distance + beyond) % n] / n
    return float(chances @ np.exp(-tilt * beyond) * np.exp(factor))


def _power(numbers: Array, exponent: int) -> Array:
    """Return complex numbers to a power from 1 on, by squares: NumPy's own way takes several times as long."""
    power = np.ones_like(numbers)
    while exponent > 1:
        if exponent % 2:
            power = power * numbers
        numbers, exponent = numbers * numbers, exponent // 2
    return np.asarray(power * numbers)


def _beyond_by_saddlepoint(values: Array, counts: Array, distance: int, tilt: float, factor: float) -> float:
    """Approximate what :func:`_beyond_by_transform` returns."""
    from scipy.special import ndtr

    distance_in_errors = distance / np.sqrt(counts @ values.astype(np.float64) ** 2)
    if distance_in_errors < 0.1:  # where the terms below cancel
        return float(ndtr(-distance_in_errors))
    root = np.sqrt(-2 * factor)
    error = np.sqrt(counts @ (values / np.cosh(np.minimum(values * tilt, 300.0))) ** 2)
    return float(ndtr(-root) + np.exp(factor) / np.sqrt(2 * np.pi) * (1 / (tilt * error) - 1 / root))


def holm(p_values: Array, n_tests: int | None = None) -> Array:
    """Return p-values adjusted for how many there are; missing ones stay missing and do not count.

    Parameters
    ----------
    p_values
    n_tests
        Of how many tests these may be any; by default of these.

    Notes
    -----
    Whoever takes what is at most 0.05 for different errs in any of them with a chance of at most 5 %: Holm, Scand. J.
    Statist. 6 (1979) 65. Of more tests than are given the factors are those of the smallest p-values, so that it also
    holds where the tests were chosen by what they say.
    """
    p_values = np.asarray(p_values, np.float64)
    order = np.argsort(p_values, kind="stable")[: np.count_nonzero(~np.isnan(p_values))]
    factors = (len(order) if n_tests is None else n_tests) - np.arange(len(order))
    adjusted = np.full(len(p_values), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return adjusted


def difference_interval(
    sums: Array, squares: Array, n_seeds: Array, n_pairs: Array, level: float = 0.95
) -> tuple[Array, Array]:
    """Return the interval of a mean difference between runs of common seeds.

    Parameters
    ----------
    sums, squares
        Of the differences of the seeds and of their squares. The difference of a seed is the mean over its pairs of
        runs, each of which counts 1 where the first run alone converged, -1 where the second alone did, else 0.
    n_seeds
    n_pairs
        Pairs of runs for each seed.
    level
        Of confidence.

    Returns
    -------
    low, high
        Missing where a single seed has several pairs, which says nothing of other seeds.

    Notes
    -----
    For one pair for each seed it is the interval of Bonett and Price, Brit. J. Math. Statist. Psych. 65 (2012) 479: a
    pair more in each of the classes that differ, which adds 2 to the pairs and to the sum of squares. With 20 pairs it
    covers at least 93 %, that of Agresti and Min 85 %. Pairs of one seed are not independent: for several it is
    Student's interval of the means of the seeds, with as much added to the sum of squares as one pair that differs.
    """
    from scipy.special import ndtri

    single = np.asarray(n_pairs) == 1
    n = np.where(single, n_seeds + 2, n_seeds)
    mean = sums / n
    above = (1 + level) / 2
    quantile = np.where(single, Z if level == 0.95 else ndtri(above), student_quantile(n_seeds, above))
    more = np.where(single, 2.0, 1 / n_pairs)
    spread = quantile * np.sqrt(np.maximum((squares + more) / n - mean**2, 0.0) / n)
    return np.maximum(mean - spread, -1.0), np.minimum(mean + spread, 1.0)

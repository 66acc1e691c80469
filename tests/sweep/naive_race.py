"""A race of contenders, seed by seed in plain Python, against which races are tested."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, prod
from typing import NamedTuple

FRACTIONS = [0.9375, *(0.5**k for k in range(1, 8))]

# Of each contender, replicate and seed; high values are better.
Values = Sequence[Sequence[Sequence[float]]]


class Finish(NamedTuple):
    """How a race ends, by contender."""

    n_seeds: list[int]
    left: list[bool]
    evidence: list[float]
    within_margin: bool


def naive_race(
    values: Values, rounds: Sequence[int], confidence: float, *, by_wins: bool, margin: float | None = None
) -> Finish:
    """Return how a race ends."""
    contenders = range(len(values))
    error = (1 - confidence) / (1 if margin is None else 2)
    left, n_seeds, evidence = list(contenders), [0] * len(values), [1.0] * len(values)
    gains: dict[int, list[float]] = {i: [] for i in contenders}
    scores = [0.0] * len(values)
    seed, within = 0, False

    def gain(i: int, leader: int, seed: int, margin: float = 0.0) -> float:
        pairs = [(mine[seed], other[seed] + margin) for mine, other in zip(values[i], values[leader], strict=True)]
        return sum((a > b) - (a < b) if by_wins else a - b for a, b in pairs) / len(pairs)

    def score(i: int, seed: int) -> float:
        if not by_wins:
            return sum(each[seed] for each in values[i]) / len(values[i])
        ranks = 0.0
        for r, mine in enumerate(values[i]):
            others = [values[j][r][seed] for j in left]
            ranks += (sum(x < mine[seed] for x in others) + sum(x <= mine[seed] for x in others)) / (2 * len(left))
        return ranks / len(values[i])

    def wealth(found: list[float]) -> float:
        return sum(prod(1 - each * x for x in found) for each in FRACTIONS) / len(FRACTIONS)

    starts = [sum(rounds[:k]) for k in range(len(rounds))]
    for n in rounds:
        if len(left) == 1 or within:
            break
        for _ in range(n):
            leader = max(left, key=lambda i: scores[i])
            for i in left:
                gains[i].append(gain(i, leader, seed))
                evidence[i] = max(evidence[i], sum(wealth(gains[i][start:]) for start in starts) / len(starts))
                n_seeds[i] += 1
            for i, each in [(i, score(i, seed)) for i in left]:
                scores[i] += each
            seed += 1
        left = [i for i in left if evidence[i] < 1 / error]
        leader = max(left, key=lambda i: scores[i])
        paths = {i: [gain(i, leader, s, margin or 0.0) for s in range(seed)] for i in left if i != leader}
        most = {i: max((wealth(path[: k + 1]) for k in range(seed)), default=-inf) for i, path in paths.items()}
        within = margin is not None and all(each >= (len(values) - 1) / error for each in most.values())
    return Finish(n_seeds, [i in left for i in contenders], evidence, within)

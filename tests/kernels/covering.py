"""Cases that cover every pair of components, selected without randomness."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

Choice: TypeAlias = tuple[str, Any]  # a dimension, and a value of it
Pair: TypeAlias = frozenset[Choice]


def pairs_of(case: Mapping[str, Any]) -> Iterable[Pair]:
    """List the pairs of values in a case, or in a part of one."""
    return map(frozenset, itertools.combinations(case.items(), 2))


def cover_pairs(
    dimensions: Mapping[str, Sequence[Any]],
    fits: Callable[[Choice, Choice], bool],
    costs: Mapping[Choice, int] | None = None,
) -> list[dict[str, Any]]:
    """Find few cases that contain every two values of two dimensions that fit together.

    Each case starts with a pair that is not covered yet; the other dimensions, the one with most values first, take the
    value that covers most new pairs, and among equals the one that was taken least often. A value of cost n, by default
    1, counts as taken n times. Only pairs of values can exclude each other; each dimension must have a value that fits
    all others.
    """
    order = sorted(dimensions, key=lambda name: -len(dimensions[name]))
    choices = [(name, value) for name in order for value in dimensions[name]]
    uses = dict.fromkeys(choices, 0)
    fitting = {one: {other for other in choices if fits(one, other) and fits(other, one)} for one in choices}
    missing = {
        frozenset((one, other)): None
        for first, second in itertools.combinations(order, 2)
        for one in itertools.product([first], dimensions[first])
        for other in itertools.product([second], dimensions[second])
        if fits(one, other)
    }
    news = {one: {other for other in choices if frozenset((one, other)) in missing} for one in choices}
    cases: list[dict[str, Any]] = []
    while missing:
        taken = set(min(missing, key=lambda pair: sum(uses[one] for one in pair)))
        names = {name for name, _ in taken}
        for name in order:
            if name not in names:
                free = [one for one in itertools.product([name], dimensions[name]) if taken <= fitting[one]]
                taken.add(min(free, key=lambda one: (-len(taken & news[one]), uses[one])))
        for one in taken:
            news[one] -= taken
            uses[one] += (costs or {}).get(one, 1)
        case = dict(taken)
        for pair in pairs_of(case):
            missing.pop(pair, None)
        cases.append({name: case[name] for name in dimensions})
    return cases

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
    dimensions: Mapping[str, Sequence[Any]], fits: Callable[[Choice, Choice], bool]
) -> list[dict[str, Any]]:
    """Find few cases that contain every two values of two dimensions that fit together.

    Each case starts with a pair that is not covered yet; the other dimensions, the one with most values first, take the
    value that covers most new pairs, and among equals the one that was taken least often. Only pairs of
    values can exclude each other; each dimension must have a value that fits all others.
    """
    order = sorted(dimensions, key=lambda name: -len(dimensions[name]))
    uses = {(name, value): 0 for name in order for value in dimensions[name]}
    missing = {
        frozenset((one, other)): None
        for first, second in itertools.combinations(order, 2)
        for one in itertools.product([first], dimensions[first])
        for other in itertools.product([second], dimensions[second])
        if fits(one, other)
    }
    cases: list[dict[str, Any]] = []
    while missing:
        case = dict(min(missing, key=lambda pair: sum(uses[one] for one in pair)))
        for name in order:
            if name not in case:
                fitting = [one for one in itertools.product([name], dimensions[name]) if _fits_all(one, case, fits)]
                case[name] = min(fitting, key=lambda one: (-_count_new(one, case, missing), uses[one]))[1]
        for pair in pairs_of(case):
            missing.pop(pair, None)
        for choice in case.items():
            uses[choice] += 1
        cases.append({name: case[name] for name in dimensions})
    return cases


def _fits_all(one: Choice, case: Mapping[str, Any], fits: Callable[[Choice, Choice], bool]) -> bool:
    return all(fits(one, other) and fits(other, one) for other in case.items())


def _count_new(one: Choice, case: Mapping[str, Any], missing: Mapping[Pair, None]) -> int:
    return sum(frozenset((one, other)) in missing for other in case.items())

"""The covering cases contain all pairs of components."""

from __future__ import annotations

import itertools
from collections import Counter

from tests.kernels.cases import COSTS, DIMENSIONS, N_COMPILED, covering_cases, covering_values, fits
from tests.kernels.covering import cover_pairs, pairs_of


def test_every_pair_that_fits_is_covered() -> None:
    """Only pairs of values that cannot be combined are missing."""
    cases = covering_values()
    covered = {pair for case in cases for pair in pairs_of(case)}
    for (first, values), (second, others) in itertools.combinations(DIMENSIONS.items(), 2):
        for one, other in itertools.product(values, others):
            pair = (first, one), (second, other)
            assert (frozenset(pair) in covered) == fits(*pair), pair
    assert {case["output"] for case in cases if case["loss"] == "bce"} == {"sigmoid"}
    assert {case["batch"] for case in cases if case["optimizer"] == "rprop"} == {None}


def test_cases_are_few_and_the_same_in_every_process() -> None:
    """Processes that share the tests must agree on the cases, of which there are few."""
    cases = covering_values()
    assert cases == cover_pairs(DIMENSIONS, fits, COSTS)
    assert len(cases) == len(covering_cases()) < 1.5 * len(DIMENSIONS["activation"]) ** 2


def test_every_value_is_compiled() -> None:
    """The first cases, which are compiled whenever tests run, contain every value of every dimension."""
    counts = Counter(choice for case in covering_values()[:N_COMPILED] for choice in case.items())
    assert all(counts[name, value] for name, values in DIMENSIONS.items() for value in values)


def test_small_cover_by_hand() -> None:
    """Few of eight products suffice; where two values exclude each other, no case has both."""
    dimensions = {"a": (0, 1), "b": (0, 1), "c": (0, 1)}
    assert 4 <= len(cover_pairs(dimensions, lambda one, other: True)) <= 6
    cases = cover_pairs(dimensions, lambda one, other: {one, other} != {("a", 1), ("b", 1)})
    assert not any(case["a"] and case["b"] for case in cases)
    assert {(case["b"], case["c"]) for case in cases} == set(itertools.product((0, 1), repeat=2))

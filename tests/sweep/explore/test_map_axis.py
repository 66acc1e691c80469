"""Values of the pixels of an axis."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.errors import SweepError
from sweep.explore.map_axis import MAX_LEVEL, TILE, MapAxis

LEVELS = st.integers(0, MAX_LEVEL)
ENDS = st.tuples(st.floats(1e-8, 1e3), st.floats(1.01, 1e6)).map(lambda pair: (pair[0], pair[0] * pair[1]))


def exact_value(axis: MapAxis, level: int, pixel: int) -> float:
    """Return the value at the center of a pixel, from its definition."""
    center = Fraction(2 * pixel + 1, 2 * TILE * 2**level)
    if axis.scale == "linear":
        return float(Fraction(axis.low) + center * (Fraction(axis.high) - Fraction(axis.low)))
    with localcontext(prec=80):
        ratio = Decimal(axis.high) / Decimal(axis.low)
        return float(Decimal(axis.low) * (ratio.ln() * center.numerator / center.denominator).exp())


@given(ENDS, st.sampled_from(["linear", "log"]), LEVELS, st.data())
def test_values_are_those_of_the_centers_correctly_rounded(ends, scale, level, data):
    axis = MapAxis("learning_rate", *ends, scale)
    first = data.draw(st.integers(0, TILE * 2**level - 1))
    found = axis.values(level, first, 3)
    assert found == [exact_value(axis, level, first + k) for k in range(3)]


@given(ENDS, st.sampled_from(["linear", "log"]), LEVELS, st.data())
def test_a_pixel_has_one_value_whatever_is_computed_beside_it(ends, scale, level, data):
    axis = MapAxis("learning_rate", *ends, scale)
    tile = data.draw(st.integers(0, 2**level - 1))
    whole = axis.values(level, TILE * tile, TILE)
    assert axis.values(level, TILE * tile + 8, 16, 16) == whole[8::16]
    assert axis.values(level, TILE * tile + 2, 64, 4) == whole[2::4]
    assert sorted(whole) == whole


def test_integers_are_rounded():
    values = MapAxis("hidden", 0.5, 4.5, "linear", integer=True).values(0, 0, TILE)
    assert [values.count(units) for units in range(1, 5)] == [TILE // 4] * 4


@pytest.mark.parametrize(
    ("low", "high", "scale", "sentence"),
    [
        (1.0, 1.0, "linear", "must have a lower and a higher end"),
        (float("nan"), 1.0, "linear", "must have a lower and a higher end"),
        (0.0, float("inf"), "linear", "must have a lower and a higher end"),
        (0.0, 1.0, "log", "must begin above 0"),
        (0.5, 1.0, "cubic", "must be linear or log, got 'cubic'"),
    ],
)
def test_bad_ranges_are_named(low, high, scale, sentence):
    with pytest.raises(SweepError, match=sentence):
        MapAxis("momentum", low, high, scale)

"""The dimension of boundaries that are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

import sweep

N = 1025


def stays(constant: complex) -> NDArray[np.bool_]:
    """Return where the iteration z^2 + constant stays bounded, the filled Julia set."""
    across, down = np.meshgrid(np.linspace(-1.7, 1.7, N), np.linspace(-1.2, 1.2, N))
    z = across + 1j * down
    for _ in range(150):
        z = np.where(np.abs(z) < 4, z * z + constant, z)
    return np.abs(z) < 4


def carpet(depth: int) -> NDArray[np.bool_]:
    """Return the Sierpinski carpet, 3^depth fields along a side."""
    filled = np.ones((1, 1), np.bool_)
    for _ in range(depth):
        hole = np.zeros_like(filled)
        filled = np.block([[filled] * 3, [filled, hole, filled], [filled] * 3])
    return filled


def test_smooth_boundaries_are_lines() -> None:
    """A straight edge, a parabola and a circle have dimension 1."""
    across, down = np.meshgrid(np.linspace(-1, 1, N), np.linspace(-1, 1, N))
    for inside in (down < 0.3 * across, down < across**2 / 2, across**2 + down**2 < 0.5):
        found = sweep.boundary_dimension(inside)
        assert abs(found.dimension - 1) < 0.04
        assert found.error < 0.03


def test_noise_fills_the_plane() -> None:
    """Classes at random have a boundary everywhere; the map may have any classes."""
    found = sweep.boundary_dimension(np.random.default_rng(1).integers(0, 5, (300, 200)))
    assert found.dimension > 1.97
    assert list(found.counts["size"]) == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        (lambda: carpet(6), np.log(8) / np.log(3)),
        pytest.param(lambda: stays(-1), 1.2684, marks=pytest.mark.wide),
        pytest.param(lambda: stays(-0.12256 + 0.74486j), 1.3934, marks=pytest.mark.wide),
    ],
    ids=["carpet", "basilica", "rabbit"],
)
def test_fractals(drawn: Callable[[], NDArray[np.bool_]], expected: float) -> None:
    """The Sierpinski carpet, and two Julia sets, whose dimensions are McMullen's (Amer. J. Math. 120, 1998)."""
    assert abs(sweep.boundary_dimension(drawn()).dimension - expected) < 0.1


def test_maps_without_a_boundary() -> None:
    """Too small a map, and one class, are refused in a sentence."""
    with pytest.raises(sweep.SweepError, match=r"at least 33 rows and columns, got \(20, 40\); train a finer map"):
        sweep.boundary_dimension(np.eye(20, 40))
    with pytest.raises(sweep.SweepError, match="classes: must differ somewhere, got one class"):
        sweep.boundary_dimension(np.ones((40, 40)))

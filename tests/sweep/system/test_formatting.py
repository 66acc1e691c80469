"""Numbers and times as texts for people."""

from __future__ import annotations

import pytest

from sweep.system.formatting import duration, large_text, size_text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (0.62, "0.62"),
        (617.4, "617"),
        (999.6, "1.00 thousand"),
        (62_345.0, "62.3 thousand"),
        (100_400.0, "100 thousand"),
        (999_499.0, "999 thousand"),
        (999_501.0, "1.00 million"),
        (70_250_000.0, "70.2 million"),
        (2.4e12, "2400 billion"),
    ],
)
def test_large_numbers(number: float, text: str) -> None:
    """Numbers have three significant digits, and never a thousand of a unit."""
    assert large_text(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 s"), (59.2, "1 min 00 s"), (599.9, "10 min"), (3599.5, "1 h 00 min"), (86_399.9, "1 d 00 h")],
)
def test_durations(seconds: float, text: str) -> None:
    """Durations are rounded up, also across units."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("n_bytes", "text"), [(0, "0 kB"), (1499, "1 kB"), (287_654, "288 kB"), (1_600_000, "1.6 MB"), (2e7, "20.0 MB")]
)
def test_sizes(n_bytes: float, text: str) -> None:
    """Small files are not 0.0 MB."""
    assert size_text(n_bytes) == text

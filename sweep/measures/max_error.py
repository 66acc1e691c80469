"""The largest error of an output of the trained network."""

from __future__ import annotations

from sweep.measures.measure import Measure

MEASURE = Measure(
    "max_error",
    30,
    "largest error",
    "output",
    "largest distance of an output from its target; inf if diverged; NaN if an output is NaN, but not the loss",
    is_recorded=False,
)

"""The loss of the trained network with the test patterns."""

from __future__ import annotations

from sweep.measures.measure import Measure

MEASURE = Measure(
    "test_loss",
    40,
    "test loss",
    "loss",
    "loss of the final network over the test patterns; inf if diverged",
    is_recorded=False,
    needs=("test",),
    at_best="test_loss_at_best",
)

"""The loss of the trained network with the validation patterns."""

from __future__ import annotations

from sweep.measures.measure import Measure

MEASURE = Measure(
    "validation_loss",
    37,
    "validation loss",
    "loss",
    "loss of the final network over the validation patterns; inf if diverged",
    is_recorded=False,
    needs=("validation",),
    at_best="validation_loss_at_best",
)

"""The training loss at the end of a run."""

from __future__ import annotations

from sweep.measures.measure import Measure

MEASURE = Measure(
    "final_loss",
    10,
    "final training loss",
    "loss",
    "loss after the last update; inf if diverged",
    is_recorded=False,
    at_best="loss_at_best",
)

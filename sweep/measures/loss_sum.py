"""The sum of the losses of a run."""

from __future__ import annotations

from sweep.measures.measure import Measure

MEASURE = Measure(
    "loss_sum",
    160,
    "sum of losses",
    "loss",
    "sum of the losses of all evaluations, in their order; inf if one is not finite",
)

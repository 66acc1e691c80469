"""The step of the best validation of a run."""

from __future__ import annotations

from sweep.measures.measure import Measure

MEASURE = Measure(
    "steps_at_best",
    59,
    "steps at the best validation",
    "updates",
    "updates before the best validation: the first one with the lowest loss, or if monitor is validation_accuracy with "
    "the highest accuracy; -1 if there is none",
    kind="steps",
    is_recorded=False,
    needs=("validation",),
    is_signed=True,
)

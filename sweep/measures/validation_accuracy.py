"""The share of the validation patterns that the trained network gets right."""

from __future__ import annotations

from sweep.measures.measure import Measure

MEASURE = Measure(
    "validation_accuracy",
    38,
    "validation accuracy",
    "fraction",
    "as train_accuracy, over the validation patterns; 0 if diverged",
    is_recorded=False,
    needs=("validation",),
    kind="share",
    more_is_better=True,
    at_best="validation_accuracy_at_best",
)

"""The share of the test patterns that the trained network gets right."""

from __future__ import annotations

from sweep.measures.measure import Measure

MEASURE = Measure(
    "test_accuracy",
    55,
    "test accuracy",
    "fraction",
    "as train_accuracy, over the test patterns; 0 if diverged",
    is_recorded=False,
    needs=("test",),
    kind="share",
    more_is_better=True,
    at_best="test_accuracy_at_best",
)

"""The share of the patterns to train on that the trained network gets right."""

from __future__ import annotations

from sweep.measures.measure import Measure

MEASURE = Measure(
    "train_accuracy",
    35,
    "training accuracy",
    "fraction",
    "share of the patterns to train on that are right: its one output is on the side of its target; of several outputs "
    "with one-hot targets or softmax, the largest is that of the class; of others, all are on the sides of their "
    "targets; 0 if diverged",
    needs=("held-out",),
    kind="share",
    more_is_better=True,
    at_best="train_accuracy_at_best",
)

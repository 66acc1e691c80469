"""How many outputs of the trained network are right."""

from __future__ import annotations

from sweep.measures.measure import Measure

MEASURE = Measure(
    "n_correct",
    20,
    "correct outputs",
    "outputs",
    "outputs over all patterns to train on that are on the same side of the decision threshold as their targets, "
    "or with softmax patterns with the right class; 0 if diverged",
    kind="outputs",
    is_recorded=False,
    more_is_better=True,
)

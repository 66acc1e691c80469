"""How many outputs of the trained network are right with the test patterns."""

from __future__ import annotations

from sweep.measures.measure import Measure

MEASURE = Measure(
    "n_test_correct",
    50,
    "correct outputs with the test patterns",
    "outputs",
    "as n_correct, over the test patterns; 0 if diverged",
    kind="outputs",
    is_recorded=False,
    needs=("test",),
    more_is_better=True,
)

"""The sum of the inverse losses of a run."""

from __future__ import annotations

from sweep.measures.measure import Measure

MEASURE = Measure(
    "inverse_loss_sum",
    170,
    "sum of inverse losses",
    "1/loss",
    "sum of 1 / loss over all evaluations; losses that are not finite add 0, a loss of 0 makes it inf",
    more_is_better=True,
)

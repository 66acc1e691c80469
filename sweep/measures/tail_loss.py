"""The mean of the last losses of a run."""

from __future__ import annotations

from kernels.vocabulary import TAIL
from sweep.measures.measure import Measure

MEASURE = Measure(
    "tail_loss",
    180,
    "mean of the last losses",
    "loss",
    f"mean loss of the last {TAIL} evaluations, or of all if there are fewer; inf if one is not finite",
)

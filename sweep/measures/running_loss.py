"""The running loss of the last epoch of a run."""

from __future__ import annotations

from sweep.measures.measure import Measure

MEASURE = Measure(
    "running_loss",
    190,
    "running loss of the last epoch",
    "loss",
    "loss of the last completed epoch, in which each pattern counts with the parameters before the update that it was "
    "part of, as training loops print it; in full batch the loss before the last update; inf if no epoch was completed "
    "or it is not finite",
)

"""Divide by 1 + decay * (number of updates before)."""

from kernels.components.declarations import Case, Schedule, Setting
from kernels.lanes.arithmetic import Lanes

DECAY_RATE = Setting(
    *("decay_rate", 0.001, "decay of the schedule inverse_time for each update", "1/update"),
    at_least=0,
    case=Case((0.01, 0.3)),
)


def advance(t: Lanes, steps: Lanes, decay_rate: Lanes) -> Lanes:
    return 1.0 / (1.0 + decay_rate * (t - 1.0))


COMPONENT = Schedule(advance, settings=(DECAY_RATE,), source="tf.keras.optimizers.schedules.InverseTimeDecay")

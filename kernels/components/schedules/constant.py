"""Constant learning rates."""

from kernels.components.records import Schedule

COMPONENT = Schedule(None)

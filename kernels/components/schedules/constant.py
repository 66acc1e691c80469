"""Constant learning rates."""

from kernels.components.declarations import Schedule

COMPONENT = Schedule(None)

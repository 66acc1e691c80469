"""The learning rates as they are given."""

from kernels.words.records import Schedule

WORD = Schedule(None)

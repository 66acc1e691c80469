"""How much compile time a study is worth: a kernel takes seconds to compile, however little it trains.

No result depends on it. It follows from the study alone, so all machines that train a study need the same kernels.
"""

from __future__ import annotations

from enum import IntEnum

# Nominal operations; a thread does some 5 x 10^10 per second. Below the first number, the kernel that computes every
# product (needed for runs whose numbers are not finite) would train all runs before a second kernel is compiled.
# Above the second, a further kernel for some of the hidden sizes saves up to a sixth of the time.
_LITTLE, _MUCH = 1e10, 5e11
# How many kernels of that kind there are at most, for the usual studies.
_MOST_FURTHER = 2


class Effort(IntEnum):
    """Which kernels are compiled."""

    LEAST = 0  # one for all hidden sizes, which computes every product
    SHARED = 1  # one for all hidden sizes, of which patterns are constants where they may be
    MOST = 2  # the fastest for each hidden size


def effort_for(operations: float, n_sizes: int) -> Effort:
    """Return which kernels are worth compiling for a recipe, by nominal operations if each run takes all its steps."""
    if operations < _LITTLE:
        return Effort.LEAST
    return Effort.SHARED if operations < _MUCH * min(n_sizes - 1, _MOST_FURTHER) else Effort.MOST

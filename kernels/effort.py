"""How much of the compiler's time a study is worth: a kernel takes seconds to compile, whatever it trains.

No result depends on it, and it follows from the study alone, so all machines that train a study need the same kernels.
"""

from __future__ import annotations

from enum import IntEnum

# Nominal operations; a thread does some 5 x 10^10 of them per second. Below the first, the kernel that computes every
# product trains all that is needed before a second one would be compiled, for runs whose numbers are not finite.
# A further kernel, for some of the hidden sizes, saves up to a sixth of the time above the second.
_LITTLE, _MUCH = 1e10, 5e11
# How many kernels of that kind there are at most, for the usual studies.
_MOST_FURTHER = 2


class Effort(IntEnum):
    """Which kernels are compiled.

    Attributes
    ----------
    LEAST
        One for all hidden sizes, which computes every product.
    SHARED
        One for all hidden sizes, of which patterns are constants where they may be.
    MOST
        The fastest for each hidden size.
    """

    LEAST, SHARED, MOST = range(3)


def effort_for(operations: float, n_sizes: int) -> Effort:
    """Return what is worth to be compiled for the runs of a recipe.

    Parameters
    ----------
    operations
        Nominal operations of all these runs, if each takes all its steps.
    n_sizes
        Number of their hidden sizes.

    Returns
    -------
    Effort
    """
    if operations < _LITTLE:
        return Effort.LEAST
    return Effort.SHARED if operations < _MUCH * min(n_sizes - 1, _MOST_FURTHER) else Effort.MOST

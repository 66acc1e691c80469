"""The functions in formulas that are single instructions, on lanes.

With the JIT off they work on NumPy arrays. Importing this module imports nothing, so components can be declared beside
their formulas and be read by programs that compute nothing.
"""

from __future__ import annotations

from typing import Any, TypeAlias

# LLVM vectors or NumPy arrays, which no Python type stands for.
Lanes: TypeAlias = Any
Mask: TypeAlias = Any


def select(mask: Mask, chosen: Lanes | float, otherwise: Lanes | float) -> Lanes:
    """Return ``chosen`` where the mask is true, and ``otherwise`` elsewhere.

    The mask has one truth value for all lanes, or one for each. Both others may be masks. TypeError is raised for two
    numbers, which have no dtype of lanes.
    """
    import numpy as np

    if isinstance(chosen, (int, float)) and isinstance(otherwise, (int, float)):
        raise TypeError(
            f"select: must have lanes as a value, got two numbers; write constant({chosen!r}, z) of sweep.lanes"
        )
    return np.where(mask, chosen, otherwise)


def absolute(value: Lanes) -> Lanes:
    """Return the absolute value, which clears the sign bit."""
    import numpy as np

    return np.abs(value)


def sqrt(value: Lanes) -> Lanes:
    """Return the square root, correctly rounded according to IEEE 754; NaN below zero."""
    import numpy as np

    return np.sqrt(value)


def constant(number: float, like: Lanes) -> Lanes:
    """Return a number in every lane, in the dtype and width of ``like``."""
    import numpy as np

    return np.full_like(like, number)

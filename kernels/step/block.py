"""The size of a block: what goes through the sums of a step together, in registers."""

from __future__ import annotations

from typing import NamedTuple


class Block(NamedTuple):
    """Sums that are in registers together.

    Attributes
    ----------
    patterns, units
        Their product is the number of sums of the forward pass.
    inputs
        Times units, it is the number of sums of the backward pass.
    """

    patterns: int
    units: int
    inputs: int

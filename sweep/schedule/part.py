"""The part: runs that are trained and committed together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Part:
    """Runs that are trained and committed together: visiting positions ``start`` to ``stop``, without ``stop``."""

    # Its number and its visiting positions
    index: int
    start: int
    stop: int
    cost: float = 0.0  # estimated operations if every run takes all its steps; 0 if unknown
    # Whether each of its cells, in visiting order, is trained; None for all
    open: NDArray[np.bool_] | None = field(default=None, compare=False)

    @property
    def n_runs(self) -> int:
        """Number of runs if all cells are open."""
        return self.stop - self.start

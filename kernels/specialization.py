"""What a training kernel is compiled for."""

from __future__ import annotations

from typing import NamedTuple

from kernels.architecture import Architecture
from kernels.batch import Table


class Specialization(NamedTuple):
    """Everything that a compiled training kernel is made for.

    ``table`` holds the patterns, or is None for a kernel that reads patterns at run
    time and skips no product. ``one_pass`` is for batches that exceed the first cache,
    and for all of a kernel without a table. ``hidden`` is the hidden size where the loop
    over units is unrolled: in two passes only, since activations in registers do not last
    from step to step. ``gates`` and ``group`` as in :class:`kernels.tuning.Tuning`;
    ``batches`` take turns.
    """

    architecture: Architecture
    loss: str
    criterion: str
    dtype: str
    width: int
    table: Table | None = None
    hidden: int | None = None
    one_pass: bool = True
    gates: bool = False
    group: int = 1
    batches: int = 1

    @property
    def judged(self) -> bool:
        """Whether networks end by a criterion, not only when their loss is not finite."""
        return self.criterion != "none"

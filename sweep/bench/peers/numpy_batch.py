"""NumPy: the loop of the notebook over a batch of networks, as matrix products."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from sweep.bench.case import Array
from sweep.bench.peers import BatchPeer
from sweep.bench.peers.notebook import descend


class NumpyBatch(BatchPeer):
    """Arrays of networks."""

    title: ClassVar[str] = "NumPy, batched"
    variants: ClassVar[tuple[int, ...]] = (64, 256, 1024, 4096, 16384)

    @np.errstate(all="ignore")
    def train_batch(self, weights: Array) -> Array:
        """Train one batch."""
        (w, b), (v, c) = self.case.split(weights)
        parts = w, b[:, np.newaxis], v, c[:, np.newaxis]
        return descend(self.case, tuple(part.copy() for part in parts), np.matmul)

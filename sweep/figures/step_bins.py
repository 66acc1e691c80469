"""Histograms of steps to converge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

_BINS = 40


def bins_of(steps: NDArray[np.int64]) -> tuple[NDArray[np.float64], bool]:
    """Return the edges of bins, halfway between integers, and whether their widths grow by a factor."""
    low, high = int(steps.min()), int(steps.max())
    wide = high > 20 * max(low, 1)
    if wide:  # a logarithmic axis has no 0, so the first bin includes runs that converged at step 0
        edges = np.unique(np.geomspace(max(low, 1), high + 1, _BINS + 1).round())
    else:
        width = -(-(high + 1 - low) // _BINS)
        edges = np.arange(low, high + width + 1, width).astype(np.float64)
    return edges - 0.5, wide


def shares_of(tally: pd.DataFrame, bins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the percentage of all runs that converged in each bin. The first bin includes runs below it."""
    successes = tally[tally["status"] == "converged"]
    steps = np.maximum(successes["steps"], bins[0])
    counts, _ = np.histogram(steps, bins, weights=successes.get("weight", successes["n"]))
    return np.asarray(100 * counts / tally.get("weight", tally["n"]).sum())

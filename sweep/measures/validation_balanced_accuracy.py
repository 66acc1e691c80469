"""The mean over classes of the share of their validation patterns that the trained network gets right."""

from __future__ import annotations

from sweep.measures.balanced import balanced

MEASURE = balanced("validation", 106)

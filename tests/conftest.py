"""Settings of all tests."""

from __future__ import annotations

import gc

# Numba makes so many objects while it compiles that looking for cycles among them takes an eighth of the time.
gc.set_threshold(50_000, 50, 100)

"""Settings of all tests."""

from __future__ import annotations

import gc
import os

# Numba makes so many objects while it compiles that looking for cycles among them takes an eighth of the time.
gc.set_threshold(50_000, 50, 100)

# Commands that tests start compile their kernels, however little they train: other tests need the same ones.
os.environ.setdefault("NUMBA_DISABLE_JIT", "0")

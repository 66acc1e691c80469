"""Settings of all kernel tests: the same hypothesis examples in every session, however slow the machine."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("kernels", derandomize=True, deadline=None, database=None)
settings.load_profile("kernels")

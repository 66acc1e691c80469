"""Settings of all tests of sweep: the same hypothesis examples in every session, however slow the machine."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("sweep", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("sweep")

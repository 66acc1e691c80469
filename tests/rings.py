"""Which cases of a test are in which ring of ``make``, where they are many of one kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def one_in(n: int, cases: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Leave to ``make test`` each n-th case, the first included, and the others to ``make test-all``."""
    return [pytest.param(*case, marks=[pytest.mark.wide] if k % n else []) for k, case in enumerate(cases)]

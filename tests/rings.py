"""Which cases of a test are in which ring of ``make``, for tests with many similar cases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def one_in(n: int, cases: Iterable[Any]) -> list[Any]:
    """Assign each n-th case, a tuple if it has several arguments, to ``make test``, and others to ``make test-all``."""
    all_arguments = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [pytest.param(*each, marks=[pytest.mark.wide] if k % n else []) for k, each in enumerate(all_arguments)]

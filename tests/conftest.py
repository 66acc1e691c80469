"""Settings of all tests."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator

import pytest

# Numba makes so many objects while it compiles that looking for cycles among them takes an eighth of the time.
gc.set_threshold(50_000, 50, 100)

# Commands that tests start compile their kernels, however little they train: other tests need the same ones.
os.environ.setdefault("NUMBA_DISABLE_JIT", "0")


@pytest.fixture(autouse=True)
def words_end_with_their_test() -> Iterator[None]:
    """Forget the names of words of one's own that a test declares, so that no other test knows them."""
    before = dict(_names_of_words())
    yield
    names = _names_of_words()
    names.clear()
    names.update(before)


def _names_of_words() -> dict[str, object]:
    """Return the table of such names, which is not there until something needs it."""
    return getattr(sys.modules.get("kernels.own.words"), "_BY_NAME", {})

"""Functions that are parts of kernels: made once for each kernel, and let go of with it.

What Numba knows of a compiled part, a megabyte or so of intermediate code and types, stays for as long as
anything refers to the part. A kernel on disk needs none of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

M = TypeVar("M", bound=Callable[..., Any])

_makers: list[Any] = []


def made_once(make: M) -> M:
    """Have a function that makes parts return the same parts for the same arguments, until they are forgotten."""
    maker: Any = cache(make)
    _makers.append(maker)
    made: M = maker
    return made


def forget_parts() -> None:
    """Make all parts anew when they are asked for next; kernels keep theirs."""
    for maker in _makers:
        maker.cache_clear()

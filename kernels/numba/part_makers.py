"""Functions that are parts of kernels: made once per kernel and freed with it.

Numba keeps a megabyte or so of intermediate code and types for a compiled part as long as
anything refers to the part. A kernel on disk needs none of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

M = TypeVar("M", bound=Callable[..., Any])

_makers: list[Any] = []

# Attribute of a function that Numba compiles in a special way, with the purpose of the function.
MADE_FOR = "made_for"


def made_once(make: M) -> M:
    """Make a function that makes parts return the same ones for the same arguments, until they are forgotten."""
    maker: Any = cache(make)
    _makers.append(maker)
    made: M = maker
    return made


def forget_parts() -> None:
    """Forget all parts, so that the next request makes them again; kernels keep theirs."""
    for maker in _makers:
        maker.cache_clear()


def made_for(function: Any, *what: int | str) -> None:
    """Record the purpose of a function that Numba compiles in a special way."""
    vars(function)[MADE_FOR] = what

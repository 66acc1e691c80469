"""One of several values that a function returns: LLVM removes what only the others need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ValueOf:
    """A function that returns one of the values of another function, of the same arguments."""

    function: Callable[..., Any]  # returns several values
    number: int  # which of them to return
    skipped: int = 0  # how many arguments before those of the function are ignored

    def __call__(self, *arguments: Any) -> Any:
        """Return the value."""
        return self.function(*arguments[self.skipped :])[self.number]

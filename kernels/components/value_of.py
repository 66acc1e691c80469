"""One of several values that a function returns: LLVM leaves out what only the others need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ValueOf:
    """One of the values that a function returns, as a function of the same arguments, or without the first ones.

    Attributes
    ----------
    function
        Returns several values.
    number
        Which of them it is.
    skipped
        How many arguments come before those of the function.
    """

    function: Callable[..., Any]
    number: int
    skipped: int = 0

    def __call__(self, *arguments: Any) -> Any:
        """Return the value."""
        return self.function(*arguments[self.skipped :])[self.number]

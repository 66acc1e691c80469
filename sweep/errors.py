"""Errors that are the user's to mend; the command line ends with code 2 on them."""

from __future__ import annotations

from difflib import get_close_matches


class SweepError(Exception):
    """Something given cannot be used; the message says what, and what can."""


class StudyError(SweepError, ValueError):
    """A study is not valid.

    Attributes
    ----------
    faults : list of str
        One sentence for each fault, all of them.
    """

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class StoreError(SweepError):
    """A results folder cannot be used, or does not hold what it should."""


def unknown(what: str, given: str, allowed: list[str]) -> str:
    """Say that ``given`` is no ``what``, and which known name is meant.

    >>> unknown("task", "xro", ["xor", "seed"])
    "unknown task 'xro'; did you mean 'xor'? Known: xor, seed"
    """
    close = get_close_matches(given, allowed, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}? Known: " if close else "; known: "
    return f"unknown {what} {given!r}{hint}{', '.join(allowed)}"

"""Errors that users can correct; the command line ends with exit code 2 on them."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

# A known name is suggested if it shares its first letter and, in order, two thirds of its letters with the unknown one.
_CLOSE = 0.66
_VERY_CLOSE = 0.8
_LONGEST_NAME = 60

MOST_LISTED = 30  # names of a sentence; of more it lists half of this number

_MOST_FAULTS = 20  # one table may hold a million wrong numbers

# Exit codes of commands that do not succeed.
EXIT_FAILED = EXIT_DAMAGED = 1
EXIT_BAD_INPUT = 2
EXIT_MISMATCH = 3
EXIT_PARTIAL = 4
EXIT_INTERRUPTED = 130

# What codes mean, for users.
EXIT_CODES = {
    0: "done; a shard that is complete, or a result that is intact, included",
    EXIT_FAILED: "verify: the result is damaged; bench: a peer's losses differ from ours",
    EXIT_BAD_INPUT: "the command cannot be carried out; one sentence on standard error says why and what to do",
    EXIT_MISMATCH: "trace: a replayed run differs from its stored row; reproduce: a published figure disagrees",
    EXIT_PARTIAL: "run, merge: some runs are missing, since a limit ended the run or no folder holds them",
    EXIT_INTERRUPTED: "interrupted by Ctrl-C, SIGTERM or SIGHUP; what was finished is kept",
}


class SweepError(Exception):
    """An input cannot be used; the message says which one and what is allowed."""


class StudyError(SweepError, ValueError):
    """A study is not valid.

    Attributes
    ----------
    faults : list of str
        One sentence for each fault. The message holds the first twenty.
    """

    def __init__(self, *faults: str) -> None:
        self.faults = list(faults)
        more = [f"and {len(faults) - _MOST_FAULTS:,} more faults"] if len(faults) > _MOST_FAULTS else []
        super().__init__("\n".join([*faults[:_MOST_FAULTS], *more]))

    def __reduce__(self) -> tuple[type[StudyError], tuple[str, ...]]:
        """Pickle all faults, so that they reach other processes; by default only the message does."""
        return type(self), tuple(self.faults)


class StoreError(SweepError):
    """A results folder cannot be used, or its content is incomplete or inconsistent."""


class DamageError(StoreError):
    """The file ``where`` of results differs from what was written; ``what`` says how."""

    def __init__(self, where: str, what: str) -> None:
        self._arguments = where, what
        super().__init__(f"{where!r} is damaged: {what}")

    def __reduce__(self) -> tuple[type[DamageError], tuple[str, str]]:
        """Pickle the file and the fault, so that the error reaches other processes unchanged."""
        return type(self), self._arguments


class _Shortener(reprlib.Repr):
    """Write any value on one line, however long or deeply nested it is."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxother = 3, 100
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = 6

    def repr_int(self, value: int, level: int) -> str:
        """Write an integer; for a very large one write its number of digits, since Python refuses to write it."""
        if abs(value) < 10**30:
            return repr(value)
        return f"<integer of {int(value.bit_length() * math.log10(2)) + 1} digits>"

    def repr_instance(self, value: Any, level: int) -> str:
        """Write any other value, also one whose ``repr`` fails."""
        try:
            text = " ".join(repr(value).split())
        except Exception:
            text = f"<{type(value).__name__}>"
        return cut(text, self.maxother)


def shown(value: Any, limit: int = 100) -> str:
    """Write a value for a sentence: as ``repr`` does, but on one line of at most ``limit`` characters.

    >>> shown([[0.5, 1], ["a", None]])
    "[[0.5, 1], ['a', None]]"
    >>> shown("x" * 1000, limit=20)
    "'xxxxxxx...xxxxxxxx'"
    """
    shortener = _Shortener()
    shortener.maxstring = limit
    return cut(shortener.repr(value), limit)


def shown_names(names: Iterable[str], most: int = 8) -> str:
    """Write at most ``most`` names for a sentence, without quotes.

    >>> shown_names(["x0", "x1", "y"])
    'x0, x1, y'
    >>> shown_names(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    names = list(names)
    text = ", ".join(shown(name, limit=30)[1:-1] for name in names[:most])
    return f"{text} and {len(names) - most:,} more" if len(names) > most else text


def unknown(what: str, name: Any, allowed: Iterable[str]) -> str:
    """Return a sentence on an unknown name with the allowed ones, of which it suggests a similar one.

    >>> unknown("task", "xro", ["xor", "seed"])
    "unknown task 'xro'; did you mean 'xor'? Known: xor, seed"
    >>> unknown("task", "parity", ["xor", "seed"])
    "unknown task 'parity'; known: xor, seed"

    Of more than :data:`MOST_LISTED` allowed names it lists the first ones.
    """
    allowed = list(allowed)
    close = closest(name, allowed)
    hint = f"; did you mean {close!r}? Known: " if close else "; known: "
    most = len(allowed) if len(allowed) <= MOST_LISTED else MOST_LISTED // 2
    more = f" and {len(allowed) - most:,} more" if len(allowed) > most else ""
    return f"unknown {what} {shown(name)}{hint}{', '.join(allowed[:most])}{more}"


def not_swept(name: Any, swept: Iterable[str], studies: str = "this study") -> str:
    """Return a sentence on a name that is no swept parameter, with those that are, of which it suggests a similar one.

    >>> not_swept("optimizer", ["hidden", "learning_rate"])
    "'optimizer' is not swept in this study; swept: hidden, learning_rate"
    >>> not_swept("hiden", ["hidden", "learning_rate"])
    "'hiden' is not swept in this study; did you mean 'hidden'? Swept: hidden, learning_rate"
    >>> not_swept("hidden", [])
    'nothing is swept in this study'
    """
    swept = list(swept)
    if not swept:
        return f"nothing is swept in {studies}"
    close = closest(name, swept)
    hint = f"did you mean {close!r}? Swept" if close else "swept"
    return f"{shown(name)} is not swept in {studies}; {hint}: {', '.join(swept)}"


def closest(name: Any, allowed: Iterable[str], dotted: Iterable[str] = ()) -> str | None:
    """Return the allowed name, or for a dotted one the dotted form, that is most similar to an unknown name, or None.

    >>> closest("steps", ["eps", "max_steps"]), closest("acuracy", ["test_accuracy"]), closest("restarts", ["targets"])
    ('max_steps', 'test_accuracy', None)
    """
    if not isinstance(name, str) or len(name) > _LONGEST_NAME:
        return None
    allowed = list(allowed)
    by_length = sorted(allowed, key=len)
    parts = [known for known in by_length if name in known.split("_")]
    near_parts = [known for known in by_length if get_close_matches(name, known.split("_"), n=1, cutoff=_VERY_CLOSE)]
    near = get_close_matches(name, [*(dotted if "." in name else ()), *allowed], n=3, cutoff=_CLOSE)
    very_near = get_close_matches(name, near, n=1, cutoff=_VERY_CLOSE)
    return next(iter([*parts, *very_near, *(known for known in near if known[:1] == name[:1]), *near_parts]), None)


def cut(text: str, limit: int) -> str:
    """Shorten a text to ``limit`` characters by replacing its middle with dots."""
    if len(text) <= limit:
        return text
    head = (limit - 3) // 2
    return f"{text[:head]}...{text[len(text) - (limit - 3 - head) :]}"

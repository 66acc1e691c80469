"""The faults of a study, collected while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sweep.errors import StudyError


class Faults:
    """A collector of faults, a sentence each, so that users see those of all tables at once."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def __bool__(self) -> bool:
        return bool(self.sentences)

    def add(self, *sentences: str) -> None:
        """Add faults."""
        self.sentences += sentences

    @contextmanager
    def of(self, key: str) -> Iterator[None]:
        """Collect the faults of a block of code: all of a StudyError, or a ValueError on a key."""
        try:
            yield
        except StudyError as error:
            self.add(*error.faults)
        except ValueError as error:
            self.add(f"{key}: {error}")

    def check(self) -> None:
        """Raise a StudyError with the faults, if there are any."""
        if self.sentences:
            raise StudyError(*self.sentences)

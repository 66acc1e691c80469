"""The files of a results folder, wherever it lies: what a local folder and an object store offer alike.

Names are relative and written with slashes, as ``commits/0000007.json``. What any of this
cannot do it says in one sentence, as :class:`~sweep.errors.StoreError`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager


class Lock:
    """Who may write into a results folder; this one is for places that have no locks, and keeps nobody out.

    Attributes
    ----------
    refusal : str or None
        Why there are no locks although there should be, once that is known.
    """

    refusal: str | None = None

    @property
    def excludes(self) -> bool:
        """Whether the lock keeps others out, as far as is known."""
        return False

    def take_alone(self) -> bool:
        """Take the lock if nobody else has it; without locks nobody ever has."""
        return True

    def take_shared(self) -> None:
        """Take the lock together with others, in place of one held alone."""

    def holder(self) -> str:
        """Name who holds the lock, as far as that is known."""
        return "another process"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the lock until the end of this context, even if it is released meanwhile."""
        yield

    def release(self) -> None:
        """End one use of the lock; the last one gives it back."""


class Files(ABC):
    """The files of one results folder.

    Attributes
    ----------
    place : str
        The folder, as users name it.
    on_file_system : bool
        Whether there are folders without files, and what failed did not happen all the same.
    check : callable or None
        Called now and then while an answer is waited for; what it raises ends the wait, some seconds later.
    """

    place: str
    on_file_system: bool
    check: Callable[[], None] | None = None

    @abstractmethod
    def where(self, name: str = "") -> str:
        """Return how users name a file, or the whole folder."""

    def same_as(self, other: Files) -> bool:
        """Tell whether these are the files of one folder."""
        return type(self) is type(other) and self.place == other.place

    @abstractmethod
    def make(self) -> None:
        """Make the folder, unless it is there."""

    @abstractmethod
    def make_folder(self, name: str) -> None:
        """Make a folder in it, unless it is there."""

    @abstractmethod
    def has_folder(self, name: str) -> bool:
        """Tell whether there is a folder of this name, or files in one."""

    @abstractmethod
    def has(self, name: str) -> bool:
        """Tell whether there is a file of this name."""

    @abstractmethod
    def modified(self, name: str) -> float | None:
        """Return when a file was written, in seconds since 1970 by the clock of its place; None if it is not there."""

    @abstractmethod
    def names(self, folder: str = "") -> list[str]:
        """Return the names of files and folders in a folder, in any order; none if it is not there."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return the content of a file."""

    def read_all(self, names: list[str]) -> Iterator[bytes]:
        """Yield the contents of many small files, in the order of their names."""
        return map(self.read, names)

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Write a file of a name that nobody else gives; it lasts once its folder is settled."""

    @abstractmethod
    def create(self, name: str, content: bytes) -> bool:
        """Write a file, whole or not at all, unless the name is taken; tell whether the one there is this one."""

    @abstractmethod
    def replace(self, name: str, content: bytes) -> None:
        """Write a file so that readers see the old or the new one, whole, also after a loss of power."""

    @abstractmethod
    def remove(self, *names: str) -> None:
        """Remove files, if they are there."""

    @abstractmethod
    def settle(self, folder: str = "") -> None:
        """Wait until the names of the files in a folder last."""

    @abstractmethod
    def lock(self) -> Lock:
        """Return the lock of the folder, not yet taken."""


@contextmanager
def waits_ended_by(check: Callable[[], None], files: Iterable[Files]) -> Iterator[None]:
    """Let what ``check`` raises end the waits for an answer within this context, some seconds later."""
    before = [(each, each.check) for each in files]
    for each, _ in before:
        each.check = check
    try:
        yield
    finally:
        for each, earlier in before:
            each.check = earlier

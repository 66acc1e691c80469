"""The files of a results folder: the operations that a local folder and an object store have in common.

Names are relative and written with slashes, as in ``commits/0000007.json``. A failed operation raises a
:class:`~sweep.errors.StoreError` with one sentence.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Lock:
    """The lock of a results folder. This base class is for places without locks and excludes nobody."""

    refusal: str | None = None  # why there are no locks although there should be, once that is known

    @property
    def excludes(self) -> bool:
        """Whether the lock excludes other processes, as far as is known."""
        return False

    def take_alone(self) -> bool:
        """Try to take the lock exclusively; without locks that always succeeds."""
        return True

    def take_shared(self) -> None:
        """Take the lock together with others, in place of an exclusive one."""

    def holder(self) -> str:
        """Name who holds the lock, as far as that is known."""
        return "another process"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the lock until the end of this context, even if it is released before."""
        yield

    def release(self) -> None:
        """End one use of the lock; the last use unlocks it."""


class Files(ABC):
    """The files of one results folder."""

    place: str  # the folder, as users name it
    directory: Path | None = None  # the folder, if it is on a file system
    on_file_system: bool  # whether empty folders exist, and a failed operation certainly had no effect
    # Called regularly while waiting for an answer. An exception that it raises ends the wait some seconds later.
    check: Callable[[], None] | None = None

    @abstractmethod
    def where(self, name: str = "") -> str:
        """Return the name of a file, or of the whole folder, for messages."""

    def same_as(self, other: Files) -> bool:
        """Return whether both are the same folder."""
        return type(self) is type(other) and self.place == other.place

    @abstractmethod
    def make(self) -> None:
        """Create the folder unless it exists."""

    @abstractmethod
    def make_folder(self, name: str) -> None:
        """Create a subfolder unless it exists."""

    @abstractmethod
    def has_folder(self, name: str) -> bool:
        """Return whether there is a subfolder of this name, or files in one."""

    def has(self, name: str) -> bool:
        """Return whether there is anything of this name; an I/O error is not taken as absence."""
        return self.modified(name) is not None

    @abstractmethod
    def modified(self, name: str) -> float | None:
        """Return when a file was written, in seconds since 1970 by its host's clock; None if there is no such file."""

    @abstractmethod
    def names(self, folder: str = "") -> list[str]:
        """Return the names of files and folders in a folder, in any order; none if it does not exist."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return the content of a file."""

    def read_all(self, names: list[str]) -> Iterator[bytes]:
        """Yield the contents of many small files, in the order of their names."""
        return map(self.read, names)

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Write a file under a name that no other writer uses; :meth:`settle` makes it durable."""

    @abstractmethod
    def create(self, name: str, content: bytes) -> bool:
        """Write a file atomically unless the name is taken; return whether the existing file is this one."""

    @abstractmethod
    def replace(self, name: str, content: bytes) -> None:
        """Replace a file atomically: readers see the old or the new one, also after a loss of power."""

    @abstractmethod
    def remove(self, *names: str) -> None:
        """Remove files that exist."""

    @abstractmethod
    def settle(self, folder: str = "") -> None:
        """Wait until the names of the files in a folder are durable."""

    def lock(self) -> Lock:
        """Return the lock of the folder, not yet taken."""
        return Lock()


@contextmanager
def waits_ended_by(check: Callable[[], None], files: Iterable[Files]) -> Iterator[None]:
    """Within this context, let exceptions from ``check`` end waits for an answer some seconds later."""
    before = [(each, each.check) for each in files]
    for each, _ in before:
        each.check = check
    try:
        yield
    finally:
        for each, earlier in before:
            each.check = earlier

"""A results folder on a file system."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sweep.errors import StoreError
from sweep.store.files import Files
from sweep.store.lock import FolderLock
from sweep.system.atomic_files import check_name, link_new, read_file, replace_file, sync_folder, write_new


class LocalFiles(Files):
    """The files of a results folder on a file system.

    Parameters
    ----------
    directory
        Where it is, or will be.

    Raises
    ------
    StoreError
        If that cannot be the path of a folder.
    """

    on_file_system = True

    def __init__(self, directory: Path) -> None:
        check_name(directory)
        self.directory = directory
        self.place = str(directory)

    def where(self, name: str = "") -> str:
        """Return the path of a file, or of the folder."""
        return str(self.directory / name)

    def same_as(self, other: Files) -> bool:
        """Tell whether these are the files of one folder, whatever it is called."""
        try:
            return isinstance(other, LocalFiles) and os.path.samefile(self.directory, other.directory)
        except OSError:  # one of them is not there
            return False

    def make(self) -> None:
        """Make the folder with its parents, unless one of them is a regular file."""
        directory, missing = self.directory, []
        with _writing(directory):
            for path in (directory, *directory.parents):
                if path.exists():
                    if path.is_dir():
                        break
                    raise StoreError(f"results folder {self.place!r} given; {str(path)!r} is a file, not a folder")
                missing.append(path)
            with suppress(OSError):  # who made it may have been killed before its name was on the disk
                sync_folder(path.parent)
            for path in reversed(missing):
                path.mkdir(exist_ok=True)
                sync_folder(path.parent)

    def make_folder(self, name: str) -> None:
        """Make a folder in it, unless it is there."""
        with _writing(self.directory / name):
            (self.directory / name).mkdir(exist_ok=True)

    def has_folder(self, name: str) -> bool:
        """Tell whether there is a folder of this name."""
        try:
            return (self.directory / name).is_dir()
        except OSError as error:
            raise StoreError(f"{self.where(name)!r} cannot be read: {error.strerror}") from None

    def has(self, name: str) -> bool:
        """Tell whether there is anything of this name; a disk that fails to say is no file that is not there."""
        return self.modified(name) is not None

    def modified(self, name: str) -> float | None:
        """Return when a file was written."""
        try:
            return os.lstat(self.directory / name).st_mtime
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"{self.where(name)!r} cannot be read: {error.strerror}") from None

    def names(self, folder: str = "") -> list[str]:
        """Return the names in a folder; none if it is not there."""
        path = self.directory / folder
        try:
            return os.listdir(path)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"{str(path)!r} cannot be read: {error.strerror}") from None

    def read(self, name: str) -> bytes:
        """Return the content of a regular file."""
        return read_file(self.directory / name)

    def write(self, name: str, content: bytes) -> None:
        """Write a new file, and wait until the disk has it; what cannot be written whole is removed."""
        path = self.directory / name
        with _writing(path):
            try:
                write_new(path, content)
            except FileExistsError:  # which is another's
                raise
            except BaseException:
                with suppress(OSError):
                    path.unlink()
                raise

    def create(self, name: str, content: bytes) -> bool:
        """Link a draft to its name, unless that is taken."""
        path = self.directory / name
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with _writing(path):
            try:
                write_new(draft, content)
                link_new(draft, path)
            except FileExistsError:
                return False
            finally:
                with suppress(OSError):  # a draft that stays is a leftover; what was linked counts
                    draft.unlink()
        return True

    def replace(self, name: str, content: bytes) -> None:
        """Rename a draft over the file."""
        replace_file(self.directory / name, content)

    def remove(self, *names: str) -> None:
        """Remove files, if they are there."""
        for path in map(self.directory.joinpath, names):
            with _writing(path):
                path.unlink(missing_ok=True)

    def settle(self, folder: str = "") -> None:
        """Wait until the disk has the names in a folder."""
        path = self.directory / folder
        with _writing(path):
            sync_folder(path)

    def lock(self) -> FolderLock:
        """Return the lock of the folder."""
        with _writing(self.directory):
            return FolderLock(self.directory)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Say what could not be written, and why."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{str(path)!r} cannot be written: {error.strerror}") from None

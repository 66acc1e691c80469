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
    """The files of a results folder on a file system; the folder need not exist."""

    on_file_system = True

    def __init__(self, directory: Path) -> None:
        check_name(directory)
        self.directory: Path = directory
        self.place = str(directory)

    def where(self, name: str = "") -> str:
        """Return the path of a file, or of the folder."""
        return str(self.directory / name)

    def same_as(self, other: Files) -> bool:
        """Return whether both are the same folder, whatever their paths."""
        try:
            return isinstance(other, LocalFiles) and os.path.samefile(self.directory, other.directory)
        except OSError:  # one of them does not exist
            return False

    def make(self) -> None:
        """Create the folder with its parents; refuse if one of them is a regular file."""
        directory = self.directory
        missing = []
        with _writing(directory):
            for path in (directory, *directory.parents):
                if path.exists():
                    if path.is_dir():
                        break
                    raise StoreError(f"results folder {self.place!r} cannot be created: {str(path)!r} is a file")
                missing.append(path)
            with suppress(OSError):  # its creator may have been killed before the name reached the disk
                sync_folder(path.parent)
            for path in reversed(missing):
                path.mkdir(exist_ok=True)
                sync_folder(path.parent)

    def make_folder(self, name: str) -> None:
        """Create a subfolder unless it exists."""
        with _writing(self.directory / name):
            (self.directory / name).mkdir(exist_ok=True)

    def has_folder(self, name: str) -> bool:
        """Return whether there is a folder of this name."""
        try:
            return (self.directory / name).is_dir()
        except OSError as error:
            raise StoreError(f"{self.where(name)!r} cannot be read: {error.strerror}") from None

    def has(self, name: str) -> bool:
        """Return whether there is anything of this name; an I/O error is not taken as absence."""
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
        """Return the names in a folder; none if it does not exist."""
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
        """Write a new file and wait until it is on the disk; an incomplete file is removed."""
        path = self.directory / name
        with _writing(path):
            try:
                write_new(path, content)
            except FileExistsError:  # the file of another process
                raise
            except BaseException:
                with suppress(OSError):
                    path.unlink()
                raise

    def create(self, name: str, content: bytes) -> bool:
        """Link a draft to its name, unless the name is taken."""
        path = self.directory / name
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with _writing(path):
            try:
                write_new(draft, content)
                link_new(draft, path)
            except FileExistsError:
                return False
            finally:
                with suppress(OSError):  # a remaining draft is a leftover; the linked file counts
                    draft.unlink()
        return True

    def replace(self, name: str, content: bytes) -> None:
        """Rename a draft to the name of the file."""
        replace_file(self.directory / name, content)

    def remove(self, *names: str) -> None:
        """Remove files that exist."""
        for path in map(self.directory.joinpath, names):
            with _writing(path):
                path.unlink(missing_ok=True)

    def settle(self, folder: str = "") -> None:
        """Wait until the names in a folder are on the disk."""
        path = self.directory / folder
        with _writing(path):
            sync_folder(path)

    def lock(self) -> FolderLock:
        """Return the lock of the folder."""
        with _writing(self.directory):
            return FolderLock(self.directory)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn errors of writing into one sentence with the reason."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{str(path)!r} cannot be written: {error.strerror}") from None

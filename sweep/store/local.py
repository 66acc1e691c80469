"""A results folder on a file system."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock as Mutex

from sweep.errors import StoreError, shown
from sweep.store.files import Files, Lock
from sweep.system.atomic_files import check_name, link_new, read_file, replace_file, sync_folder, write_new
from sweep.system.user_files import address_of

# Errors of file systems without locks; NFS cannot lock a folder exclusively, as it cannot be opened for writing.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EBADF)
_HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)

# Most seconds to wait for an exclusive lock, which is held only to create, empty or tidy up a folder.
_MOST_WAIT = 60.0
_ASK_AGAIN = 0.02


class FolderLock(Lock):
    """A lock on an existing folder, not yet taken; ``refusal`` is why the file system has none, once that is known."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refusal = None
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._users = 1
        self._counting = Mutex()

    @property
    def excludes(self) -> bool:
        return self.refusal is None

    def take_alone(self) -> bool:
        return self._take(fcntl.LOCK_EX)

    def take_shared(self) -> None:
        """Take the lock together with others, in place of an exclusive one; wait a minute for an exclusive holder."""
        deadline = time.monotonic() + _MOST_WAIT
        while not self._take(fcntl.LOCK_SH):
            if time.monotonic() > deadline:
                raise StoreError(
                    f"{self.holder()} has locked results folder {str(self.folder)!r} for a minute; try again later"
                )
            time.sleep(_ASK_AGAIN)

    def holder(self) -> str:
        """Name the holder of the lock if the system lists it: Linux lists locks with their processes."""
        place = os.fstat(self._descriptor)
        wanted = f"{os.major(place.st_dev):02x}:{os.minor(place.st_dev):02x}:{place.st_ino}"
        with suppress(OSError, ValueError, IndexError):
            for line in Path("/proc/locks").read_text().splitlines():
                # 1: FLOCK  ADVISORY  READ 4711 08:01:123456 0 EOF
                fields = line.split()
                if fields[1] == "FLOCK" and fields[5] == wanted and int(fields[4]) > 0:
                    return f"process {int(fields[4])}"
        return "another process"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the lock until the end of this context, even if it is released before; refuse one that is released."""
        with self._counting:
            if self._users == 0:
                raise StoreError(f"results folder {str(self.folder)!r} was unlocked before this part was written")
            self._users += 1
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        with self._counting:
            self._users -= 1
            if self._users == 0:
                with suppress(OSError):
                    fcntl.flock(self._descriptor, fcntl.LOCK_UN)  # forked processes may have it open
                with suppress(OSError):  # it is closed anyway, and writes were synced or reported
                    os.close(self._descriptor)

    def _take(self, kind: int) -> bool:
        if self.refusal:
            return True
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _HELD:
                return False
            if error.errno not in _NO_LOCKS:
                raise StoreError(f"results folder {str(self.folder)!r} cannot be locked: {error.strerror}") from None
            self.refusal = error.strerror
        return True


class LocalFiles(Files):
    """The files of a results folder on a file system; the folder need not exist."""

    on_file_system = True

    def __init__(self, directory: Path) -> None:
        check_name(directory)
        self.directory: Path = directory
        self.place = str(directory)

    def where(self, name: str = "") -> str:
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
        with _writing(self.directory / name):
            (self.directory / name).mkdir(exist_ok=True)

    def has_folder(self, name: str) -> bool:
        try:
            return (self.directory / name).is_dir()
        except OSError as error:
            raise StoreError(f"{self.where(name)!r} cannot be read: {error.strerror}") from None

    def modified(self, name: str) -> float | None:
        try:
            return os.lstat(self.directory / name).st_mtime
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"{self.where(name)!r} cannot be read: {error.strerror}") from None

    def names(self, folder: str = "") -> list[str]:
        path = self.directory / folder
        try:
            return os.listdir(path)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"{str(path)!r} cannot be read: {error.strerror}") from None

    def read(self, name: str) -> bytes:
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
        for path in map(self.directory.joinpath, names):
            with _writing(path):
                path.unlink(missing_ok=True)

    def settle(self, folder: str = "") -> None:
        path = self.directory / folder
        with _writing(path):
            sync_folder(path)

    def lock(self) -> FolderLock:
        with _writing(self.directory):
            return FolderLock(self.directory)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn errors of writing into one sentence with the reason."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{str(path)!r} cannot be written: {error.strerror}") from None


def files_at(place: str | Path) -> Files:
    """Return the files of a results folder, which need not exist, from its path or address s3://BUCKET/PREFIX."""
    if not isinstance(place, (str, os.PathLike)):
        raise StoreError(f"results folder: must be a path or s3://BUCKET/PREFIX, got {shown(place)}")
    address = address_of(place)
    if address is None:
        return LocalFiles(Path(place))
    scheme, location = address
    if scheme.lower() != "s3":
        raise StoreError(
            f"results folder: must be a local path or s3://BUCKET/PREFIX, got {shown('://'.join(address))}"
        )
    from sweep.store.objects import ObjectFiles

    return ObjectFiles(location)

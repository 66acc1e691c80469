"""A lock on a results folder that ends with the process that holds it.

It is `flock` on the folder's own descriptor: no file is created, and nothing is left after a crash. It is advisory, and
some network file systems lack it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock as Mutex

from sweep.errors import StoreError
from sweep.store.files import Lock

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
        """Whether the file system has locks, as far as is known."""
        return self.refusal is None

    def take_alone(self) -> bool:
        """Try to take the lock exclusively; without locks that always succeeds."""
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
        """End one use of the lock; the last use unlocks it."""
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

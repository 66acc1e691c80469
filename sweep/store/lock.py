"""A lock on a results folder that goes away with the process that holds it.

It is `flock` on the folder's own descriptor: no file is made, and nothing is left
after a crash. It is advisory, and some network file systems do not have it.
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

# What file systems without locks answer; NFS does not lock a folder for one alone, as it cannot be opened to write.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EBADF)
_HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)

# A folder is held alone while it is made, emptied or tidied up.
_MOST_WAIT = 60.0
_ASK_AGAIN = 0.02


class FolderLock(Lock):
    """A lock on a folder that exists, not yet taken.

    Parameters
    ----------
    folder
        What to lock.

    Attributes
    ----------
    refusal : str or None
        Why the file system has no locks, once that is known.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refusal = None
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._users, self._counting = 1, Mutex()

    @property
    def excludes(self) -> bool:
        """Whether the file system has locks, as far as is known."""
        return self.refusal is None

    def take_alone(self) -> bool:
        """Take the lock if nobody else has it; without locks nobody ever has."""
        return self._take(fcntl.LOCK_EX)

    def take_shared(self) -> None:
        """Take the lock together with others, in place of one held alone; wait for who holds it alone.

        Raises
        ------
        StoreError
            If that takes a minute.
        """
        deadline = time.monotonic() + _MOST_WAIT
        while not self._take(fcntl.LOCK_SH):
            if time.monotonic() > deadline:
                raise StoreError(
                    f"{self.holder()} has held results folder {str(self.folder)!r} for a minute; try later"
                )
            time.sleep(_ASK_AGAIN)

    def holder(self) -> str:
        """Name who holds the lock, as far as this system tells: Linux lists locks with their processes."""
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
        """Keep the lock until the end of this context, even if it is released meanwhile.

        Raises
        ------
        StoreError
            If it is released already.
        """
        with self._counting:
            if self._users == 0:
                raise StoreError(f"results folder {str(self.folder)!r} was left before this shard was trained")
            self._users += 1
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        """End one use of the lock; the last one gives it back."""
        with self._counting:
            self._users -= 1
            if self._users == 0:
                with suppress(OSError):
                    fcntl.flock(self._descriptor, fcntl.LOCK_UN)  # processes that were forked may have it open
                with suppress(OSError):  # it is closed all the same, and what was written is synced or was told
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

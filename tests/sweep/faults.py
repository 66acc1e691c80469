"""The calls of the system that a run makes for its results folder: numbered, and any of them can fail or be its last.

All of this happens within one process that is thrown away: nothing is put back. Files are opened as
:class:`_WatchedFile`, below Python's own buffers, so that a write here is a write of the system.
"""

from __future__ import annotations

import builtins
import errno
import fcntl
import io
import os
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from threading import local
from typing import Any, NoReturn

from tests.sweep.fault_disk import Disk

# What changes the folder, so that the moment before each of these is a state of its own that a kill may leave.
CHANGES = ("create", "write", "link", "replace", "unlink", "mkdir")
# After a loss of power it also matters what was synced.
LASTING = (*CHANGES, "fsync")
# What a full disk refuses, and where rights may be missing. A removal takes no space.
SPACE = ("create", "write", "close", "fsync", "link", "replace", "mkdir")
READING = ("open", "read", "list", "stat")
RIGHTS = ("create", "open", "link", "replace", "unlink", "mkdir", "list", "stat")
EVERY = (*SPACE, *READING, "unlink", "lock")

# How a process ends that crashes here.
CRASHED = 77

# Events of Python's own audit that must not come from anywhere but here.
_AUDITED = ("open", "os.listdir", "os.scandir", "os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir")
_UNEXPECTED = ("os.truncate", "os.symlink", "shutil.rmtree", "shutil.copyfile", "shutil.move")


@dataclass(frozen=True)
class Fault:
    """What happens to one call.

    Attributes
    ----------
    kinds
        Calls of these kinds are numbered.
    number
        From 1; the call of this number meets the fault, and no call where it is 0.
    error
        Number of the error that it ends with; without, the process ends there.
    for_ever
        Whether all later calls of these kinds fail too.
    half
        Whether the process ends when half of what was to be written is.
    """

    kinds: tuple[str, ...] = EVERY
    number: int = 0
    error: int | None = None
    for_ever: bool = False
    half: bool = False


class System:
    """The system as one process sees it, which from :meth:`install` on makes its calls through this.

    Parameters
    ----------
    root
        Only files below this folder, and itself, are watched.
    fault
        What is to happen.
    disk
        Learns what lasts, if that is of interest.
    at_crash
        Called before the process ends in a crash.

    Attributes
    ----------
    calls : list of str
        Kinds of all calls so far, the numbered ones.
    unseen : list of str
        What Python's audit saw of the folder and this did not.
    """

    def __init__(self, root: str, fault: Fault, disk: Disk | None, at_crash: Callable[[], None]) -> None:
        self.root, self.fault, self.disk, self._at_crash = root, fault, disk, at_crash
        self.calls: list[str] = []
        self.unseen: list[str] = []
        self.descriptors: dict[int, str] = {}
        self._here = local()

    def install(self) -> None:
        """Take the place of the system's functions for the rest of this process."""
        self._open, self._os_open, self._os_close = io.open, os.open, os.close
        io.open = builtins.open = self.open  # type: ignore[assignment]
        os.open, os.close, os.fsync = self.os_open, self.os_close, self.fsync  # type: ignore[assignment]
        for name, kind in (("link", "link"), ("replace", "replace"), ("rename", "replace")):
            setattr(os, name, self._of_two(kind, getattr(os, name)))
        for name, kind in (("unlink", "unlink"), ("remove", "unlink"), ("mkdir", "mkdir")):
            setattr(os, name, self._of_one(kind, getattr(os, name)))
        for name, kind in (("listdir", "list"), ("scandir", "list"), ("stat", "stat"), ("lstat", "stat")):
            setattr(os, name, self._of_one(kind, getattr(os, name)))
        flock = fcntl.flock
        fcntl.flock = lambda file, operation: self._locked(flock, file, operation)
        sys.addaudithook(self._audit)

    def meet(self, kind: str) -> bool:
        """Count a call, which may be where the process ends or an error comes; tell whether half of a write is done."""
        if kind not in self.fault.kinds:
            return False
        self.calls.append(kind)
        late = len(self.calls) - self.fault.number
        if self.fault.number == 0 or late < 0 or (late > 0 and not self.fault.for_ever):
            return False
        if self.fault.half or (kind == "write" and self.fault.error == errno.ENOSPC):
            return True
        return self._end()

    def crash(self) -> NoReturn:
        """End this process at once, as a kill does."""
        self._at_crash()
        os._exit(CRASHED)

    def open(self, file: Any, mode: str = "r", buffering: int = -1, *given: Any, **options: Any) -> Any:
        """Open a file as ``io.open`` does, watched if it is one of the folder."""
        if not self._ours(file):
            return self._open(file, mode, buffering, *given, **options)
        if "b" not in mode or buffering != -1:
            raise NotImplementedError(f"open({file!r}, {mode!r}) is not watched yet")
        opener = options.get("opener")
        creating = mode[0] in "xwa"
        if opener is None:
            self.meet("create" if creating else "open")
        with self.seen():
            watched = _WatchedFile(self, os.fspath(file), mode.replace("b", ""), opener)
            if self.disk and creating:
                self.disk.created(watched.path)
        return io.BufferedWriter(watched) if creating else io.BufferedReader(watched)

    def os_open(self, path: Any, flags: int, *given: Any, **options: Any) -> int:
        """Open a descriptor as ``os.open`` does."""
        if not self._ours(path):
            return int(self._os_open(path, flags, *given, **options))
        if flags & os.O_CREAT:
            raise NotImplementedError(f"os.open({path!r}) that creates is not watched yet")
        self.meet("open")
        with self.seen():
            descriptor = int(self._os_open(path, flags, *given, **options))
        self.descriptors[descriptor] = os.fspath(path)
        return descriptor

    def os_close(self, descriptor: int) -> None:
        """Close a descriptor; it is closed also where that ends with an error."""
        watched = self.descriptors.pop(descriptor, None)
        self._os_close(descriptor)
        if watched is not None:
            self.meet("close")

    def fsync(self, file: int) -> None:
        """Note that a file or folder lasts, without waiting for a disk: none loses power here."""
        path = self.descriptors.get(file)
        if path is None:
            return
        self.meet("fsync")
        os.fstat(file)
        if self.disk:
            self.disk.synced(path)

    def write(self, file: _WatchedFile, data: Any, write: Callable[[Any], int | None]) -> int | None:
        """Write, or half of it."""
        if not self.meet("write"):
            return write(data)
        content = bytes(data)
        write(content[: len(content) // 2])
        return self._end()

    @contextmanager
    def seen(self) -> Any:
        """Mark what Python's audit sees meanwhile as seen here too."""
        self._here.depth = getattr(self._here, "depth", 0) + 1
        try:
            yield
        finally:
            self._here.depth -= 1

    def _end(self) -> NoReturn:
        """End the call with an error, or the process."""
        if self.fault.error is None:
            self.crash()
        raise OSError(self.fault.error, os.strerror(self.fault.error))

    def _ours(self, path: Any) -> bool:
        if isinstance(path, int):
            return False
        name = os.fsdecode(path)
        return name == self.root or name.startswith(self.root + os.sep)

    def _of_one(self, kind: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(path: Any = ".", *given: Any, **options: Any) -> Any:
            if not self._ours(path):
                return call(path, *given, **options)
            self.meet(kind)
            with self.seen():
                if self.disk and kind == "unlink":
                    self.disk.unlinked(os.fspath(path))
                found = call(path, *given, **options)
                if self.disk and kind == "mkdir":
                    self.disk.made(os.fspath(path))
                return found

        return watched

    def _of_two(self, kind: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(source: Any, target: Any, *given: Any, **options: Any) -> None:
            ours = self._ours(target)
            if ours:
                self.meet(kind)
            with self.seen():
                call(source, target, *given, **options)
            if ours and self.disk:
                (self.disk.linked if kind == "link" else self.disk.replaced)(os.fspath(source), os.fspath(target))

        return watched

    def _locked(self, flock: Callable[[Any, int], None], file: Any, operation: int) -> None:
        if file in self.descriptors and not operation & fcntl.LOCK_UN:
            self.meet("lock")
        flock(file, operation)

    def _audit(self, event: str, given: tuple[Any, ...]) -> None:
        if event in _UNEXPECTED or (event in _AUDITED and not getattr(self._here, "depth", 0)):
            paths = [path for path in given if isinstance(path, str | bytes | os.PathLike) and self._ours(path)]
            self.unseen += [f"{event} {os.fsdecode(path)}" for path in paths]


class _WatchedFile(io.FileIO):
    """A file whose reads, writes and end are calls of a :class:`System`."""

    def __init__(self, system: System, path: str, mode: str, opener: Any) -> None:
        super().__init__(path, mode, opener=opener)
        self.system, self.path = system, path
        system.descriptors[self.fileno()] = path

    def write(self, data: Any) -> Any:
        """Write."""
        return self.system.write(self, data, super().write)

    def readall(self) -> Any:
        """Read the rest."""
        self.system.meet("read")
        return super().readall()

    def readinto(self, buffer: Any) -> Any:
        """Read as much as there is room for."""
        self.system.meet("read")
        return super().readinto(buffer)

    def close(self) -> None:
        """Close; it is closed also where that ends with an error."""
        if self.closed:
            return
        self.system.descriptors.pop(self.fileno(), None)
        super().close()
        self.system.meet("close")

"""The system calls of a run in its results folder: they are numbered, and any of them can fail or be the last.

All of this happens within one process that ends afterward: nothing is restored. Files are opened as
:class:`_WatchedFile`, below Python's buffers, so that each write is a system call.
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

# Calls that change the folder: a kill may leave the state before each of them.
CHANGES = ("create", "write", "link", "replace", "unlink", "mkdir")
# After a power failure, syncs matter too.
LASTING = (*CHANGES, "fsync")
# Calls that fail on a full disk, or without permission. A removal takes no space.
SPACE = ("create", "write", "close", "fsync", "link", "replace", "mkdir")
READING = ("open", "read", "list", "stat")
RIGHTS = ("create", "open", "link", "replace", "unlink", "mkdir", "list", "stat")
EVERY = (*SPACE, *READING, "unlink", "lock")

# How a process ends that crashes here.
CRASHED = 77

# Events of Python's audit hooks that only this module may cause.
_AUDITED = ("open", "os.listdir", "os.scandir", "os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir")
_UNEXPECTED = ("os.truncate", "os.symlink", "shutil.rmtree", "shutil.copyfile", "shutil.move")


@dataclass(frozen=True)
class Fault:
    """What happens to one call."""

    kinds: tuple[str, ...] = EVERY  # calls of these kinds are numbered
    number: int = 0  # number of the call with the fault, from 1; 0 for no fault
    error: int | None = None  # error number that the call raises; without it, the process ends there
    for_ever: bool = False  # whether all later calls of these kinds fail too
    half: bool = False  # whether the process ends after half of a write


class System:
    """The system calls of one process in a folder and below, which go through this object from :meth:`install` on.

    Besides the kinds of all numbered calls so far, it has the events of Python's audit that no watched call explains.
    """

    def __init__(self, root: str, fault: Fault, disk: Disk | None, at_crash: Callable[[], None]) -> None:
        self.root, self.fault, self.disk, self._at_crash = root, fault, disk, at_crash
        self.calls: list[str] = []
        self.unseen: list[str] = []
        self.descriptors: dict[int, str] = {}
        self._here = local()

    def install(self) -> None:
        """Replace the system's functions for the rest of this process."""
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
        """Count a call, and inject the fault if it is due; return whether only half of a write is done."""
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

    def open(self, file: Any, mode: str = "r", buffering: int = -1, *arguments: Any, **options: Any) -> Any:
        """Open a file as ``io.open`` does, watched if it is in the folder."""
        if not self._ours(file):
            return self._open(file, mode, buffering, *arguments, **options)
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

    def os_open(self, path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        """Open a descriptor as ``os.open`` does."""
        if not self._ours(path):
            return int(self._os_open(path, flags, *arguments, **options))
        if flags & os.O_CREAT:
            raise NotImplementedError(f"os.open({path!r}) that creates is not watched yet")
        self.meet("open")
        with self.seen():
            descriptor = int(self._os_open(path, flags, *arguments, **options))
        self.descriptors[descriptor] = os.fspath(path)
        return descriptor

    def os_close(self, descriptor: int) -> None:
        """Close a descriptor, even if the call then raises an error."""
        watched = self.descriptors.pop(descriptor, None)
        self._os_close(descriptor)
        if watched is not None:
            self.meet("close")

    def fsync(self, file: int) -> None:
        """Note that a file or folder lasts, without waiting for the disk."""
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
        """Mark events of Python's audit within this context as explained."""
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
        def watched(path: Any = ".", *arguments: Any, **options: Any) -> Any:
            if not self._ours(path):
                return call(path, *arguments, **options)
            self.meet(kind)
            with self.seen():
                if self.disk and kind == "unlink":
                    self.disk.unlinked(os.fspath(path))
                found = call(path, *arguments, **options)
                if self.disk and kind == "mkdir":
                    self.disk.made(os.fspath(path))
                return found

        return watched

    def _of_two(self, kind: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(source: Any, target: Any, *arguments: Any, **options: Any) -> None:
            ours = self._ours(target)
            if ours:
                self.meet(kind)
            with self.seen():
                call(source, target, *arguments, **options)
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
        """Read into a buffer."""
        self.system.meet("read")
        return super().readinto(buffer)

    def close(self) -> None:
        """Close, even if the call then raises an error."""
        if self.closed:
            return
        self.system.descriptors.pop(self.fileno(), None)
        super().close()
        self.system.meet("close")

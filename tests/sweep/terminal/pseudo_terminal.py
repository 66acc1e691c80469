"""A program in a pseudo-terminal, whose screen a terminal emulator (pyte) draws."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import pyte

# Rows that programs see, and rows of the emulator, which hold all that scrolled out of view.
LINES = 24
KEPT_LINES = 2000
CTRL_C = b"\x03"
_PATIENCE = 60.0
_OF_A_TERMINAL = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


class Terminal:
    """A program that runs in a terminal; as a context it is ended."""

    def __init__(self, arguments: Sequence[str], columns: int, folder: Path, variables: Mapping[str, str]) -> None:
        self.columns, self.raw = columns, b""
        self.screen = pyte.Screen(columns, KEPT_LINES)
        self._stream = pyte.ByteStream(self.screen)
        self._controller, ours = pty.openpty()
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
        others = {name: value for name, value in os.environ.items() if name not in _OF_A_TERMINAL}
        self.process = subprocess.Popen(
            arguments,
            **{"stdin": ours, "stdout": ours, "stderr": ours, "cwd": folder, "start_new_session": True},
            env=others | {"TERM": "xterm-256color"} | dict(variables),
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C is a signal
        )
        os.close(ours)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._controller)

    @property
    def text(self) -> str:
        """What the screen shows, without spaces at the ends of lines."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip() + "\n"

    def wait_for(self, text: str) -> str:
        """Read until the screen shows a text, and return the screen."""
        deadline = time.monotonic() + _PATIENCE
        while text not in self.text:
            assert time.monotonic() < deadline, self.text
            assert self._read(), self.text
        return self.text

    def press(self, keys: bytes) -> None:
        """Send keys."""
        os.write(self._controller, keys)

    def finish(self) -> int:
        """Read until the program ends, and return its exit code."""
        while self._read():
            pass
        return self.process.wait(_PATIENCE)

    def _read(self) -> bytes:
        """Return what the program writes next; nothing once it has ended."""
        assert select.select([self._controller], [], [], _PATIENCE)[0], self.text
        try:
            data = os.read(self._controller, 65536)
        except OSError as error:  # Linux fails where other systems end the file
            if error.errno != errno.EIO:
                raise
            return b""
        self.raw += data
        self._stream.feed(data)
        return data

"""What is printed steers no terminal: files and names of folders may come from anybody.

Commands write to standard output and standard error through streams that escape what is not printable, as ``repr``
does. Rich, which draws tables and bars with sequences of its own, writes past them, so its text is escaped before
(:class:`sweep.terminal.tables.PlainConsole`, :class:`sweep.cli.usage.Commands`). What belongs on one line is escaped by
:func:`one_line` where it is put together, for these streams cannot know which ends of lines are meant.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

_MAYBE_ODD = re.compile(r"[^ -~\n\t]")
_MAYBE_ODD_IN_LINE = re.compile(r"[^ -~]")


def escaped(text: str) -> str:
    r"""Return text in which all that is not printable is escaped, but for ends of lines and tabs.

    >>> print(escaped("a\x1b[31mb\u202ec\x9b\r\n\u00e9"))
    a\x1b[31mb\u202ec\x9b\r
    é
    """
    return _MAYBE_ODD.sub(_escape, text)


def one_line(value: Any) -> str:
    r"""Write a value that comes from a file, or the name of a folder, on one line.

    >>> print(one_line("name\nerror: none"))
    name\nerror: none
    """
    return _MAYBE_ODD_IN_LINE.sub(_escape, str(value))


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    return character if character.isprintable() else repr(character)[1:-1]


class EscapingStream:
    """A text stream that escapes what is written to it; in all else it is the stream behind it.

    Attributes
    ----------
    rich_proxied_file
        What Rich writes to: that stream, or what is behind it where Rich itself has put it in place.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.rich_proxied_file = getattr(stream, "rich_proxied_file", stream)

    def write(self, text: str) -> int:
        """Write text, escaped."""
        self._stream.write(escaped(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts, escaped."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        """Return what the stream behind has; not its bytes, by which click would write past this."""
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self._stream, name)


@contextmanager
def escaped_output() -> Iterator[None]:
    """Escape what is printed within this context."""
    before = sys.stdout, sys.stderr
    within = sys.stdout, sys.stderr = cast(tuple[TextIO, TextIO], tuple(map(EscapingStream, before)))
    try:
        yield
    finally:  # others may have put their own in place, as where nobody reads any more
        sys.stdout, sys.stderr = (
            old if now is ours else now for now, ours, old in zip((sys.stdout, sys.stderr), within, before, strict=True)
        )

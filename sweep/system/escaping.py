"""Escape printed text, so that it cannot control a terminal: files and names of folders are not trusted."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

_MAYBE_ODD = re.compile(r"[^ -~\n\t]")
_MAYBE_ODD_IN_LINE = re.compile(r"[^ -~]")


def escaped(text: str) -> str:
    r"""Return text with all unprintable characters escaped, except line feeds and tabs.

    >>> print(escaped("a\x1b[31mb\u202ec\x9b\r\n\u00e9"))
    a\x1b[31mb\u202ec\x9b\r
    é
    """
    return _MAYBE_ODD.sub(_escape, text)


def one_line(value: Any) -> str:
    r"""Return a value of unknown origin, such as the name of a folder, as text of one line.

    >>> print(one_line("name\nerror: none"))
    name\nerror: none
    """
    return _MAYBE_ODD_IN_LINE.sub(_escape, str(value))


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    return character if character.isprintable() else repr(character)[1:-1]


class EscapingStream:
    """A text stream that escapes what is written to it; its other attributes are those of the wrapped stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.unescaped = unescaped(stream)

    def write(self, text: str) -> int:
        """Write text, escaped; return its length before escaping."""
        self._stream.write(escaped(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write lines, escaped."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the wrapped stream, except ``buffer``, by which click would bypass the escaping."""
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self._stream, name)


def unescaped(stream: Any) -> Any:
    """Return the stream without escaping that is behind a stream, for our own control sequences."""
    return getattr(stream, "unescaped", stream)


@contextmanager
def escaped_output() -> Iterator[None]:
    """Escape all output printed within this context."""
    before = sys.stdout, sys.stderr
    within = sys.stdout, sys.stderr = cast(tuple[TextIO, TextIO], tuple(map(EscapingStream, before)))
    try:
        yield
    finally:  # other code may have replaced the streams, for example after their reader has gone
        sys.stdout, sys.stderr = (
            old if now is ours else now for now, ours, old in zip((sys.stdout, sys.stderr), within, before, strict=True)
        )

"""Print text for people: on a terminal, lines that are too long for it break between words."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from contextlib import suppress
from typing import Any

# A name in front of a text, with the two spaces or more between them; else the spaces that a line begins with.
_NAME = re.compile(r" *\S+(?: \S+)*  +| *")
# The indentation of lines below a name that is too long to stand beside them.
_INDENT = 4


def print_text(*lines: str, file: Any = None) -> None:
    """Print lines, on standard output unless ``file`` is another stream; see :func:`wrapped`.

    Other programs and files get each line whole.
    """
    file = file or sys.stdout
    if is_terminal(file):
        lines = tuple(wrapped(line, shutil.get_terminal_size().columns) for line in lines)
    print(*lines, sep="\n", file=file, flush=True)


def is_terminal(stream: Any) -> bool:
    """Return whether a stream is a terminal; a missing or closed one is not."""
    with suppress(AttributeError, ValueError):
        return bool(stream.isatty())
    return False


def wrapped(line: str, width: int) -> str:
    r"""Return a line broken between words where it is wider than ``width`` characters.

    If a name stands in front of the text, as in tables of names and values, all lines of the text begin below its
    first word, unless that leaves less than half of the width. A word that is wider, such as a path, is not broken.

    >>> print(wrapped("seeds  1,000 in each of 91 cells", 22))
    seeds  1,000 in each
           of 91 cells
    """
    if len(line) <= width:
        return line
    name, longest = _NAME.match(line), max(map(len, line.split()))
    assert name
    indent = len(name[0]) if len(name[0]) <= max(min(width // 2, width - longest), 0) else _INDENT
    return textwrap.fill(line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)

"""Patterns to learn, from a file."""

from __future__ import annotations

import csv
import io
import math
import re
from itertools import islice
from pathlib import Path

from sweep.errors import shown, shown_names
from sweep.system.user_paths import read_text

Matrix = tuple[tuple[float, ...], ...]

MAX_PATTERNS = 65_536

# float() reads more (1_000, digits of other scripts), which is more likely a mistake.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LONGEST_PATH = 200  # in a sentence


def read_patterns(path: Path) -> tuple[Matrix, Matrix]:
    """Return inputs and targets of a CSV file.

    The first line names the columns: ``x0``, ``x1``, .. for inputs and ``y`` or
    ``y0``, ``y1``, .. for targets, in any order.

    Raises
    ------
    ValueError
        If the file cannot be read or is not such a table; the message names the line.
    """
    file = f"pattern file {shown(str(path), _LONGEST_PATH)}"
    try:
        reader = csv.reader(io.StringIO(read_text(path), newline=""))
        lines = [(reader.line_num, row) for row in islice(filter(None, reader), MAX_PATTERNS + 2)]
    except csv.Error:
        raise ValueError(f"{file} cannot be read: it is not a text file of comma-separated values") from None
    except ValueError as error:
        raise ValueError(f"{file} cannot be read: {error}") from None
    if not lines:
        raise ValueError(f"{file} is empty; its first line names the columns x0, x1, .. and y")
    if len(lines) == 1:
        raise ValueError(f"{file} has no patterns below its first line")
    if len(lines) > MAX_PATTERNS + 1:
        raise ValueError(f"{file} has more than {MAX_PATTERNS} patterns, the most that are allowed")
    names = [name.strip() for name in lines[0][1]]
    inputs, targets = _columns(file, names)
    rows = [_numbers(file, number, line, len(names)) for number, line in lines[1:]]
    return (
        tuple(tuple(row[k] for k in inputs) for row in rows),
        tuple(tuple(row[k] for k in targets) for row in rows),
    )


def _columns(file: str, names: list[str]) -> tuple[list[int], list[int]]:
    """Return the indices of the columns of inputs and of targets."""
    n_inputs = sum(name.startswith("x") for name in names)
    n_targets = len(names) - n_inputs
    inputs = [f"x{k}" for k in range(n_inputs)]
    targets = ["y"] if names.count("y") else [f"y{k}" for k in range(n_targets)]
    if not inputs or not targets or sorted(names) != sorted(inputs + targets):
        raise ValueError(
            f"{file} has columns {shown_names(names)}; name the inputs x0, x1, .. and the target y, or y0, y1, .. "
            "for several"
        )
    place = {name: k for k, name in enumerate(names)}
    return [place[name] for name in inputs], [place[name] for name in targets]


def _numbers(file: str, number: int, line: list[str], width: int) -> list[float]:
    """Return the numbers of one line of a pattern file."""
    if len(line) != width:
        raise ValueError(f"{file}, row {number} has {len(line)} values; the first row has {width}")
    values = []
    for text in map(str.strip, line):
        value = float(text) if _NUMBER.fullmatch(text) else math.nan
        if not math.isfinite(value):
            raise ValueError(f"{file}, row {number} has {shown(text)}; must be a finite number")
        values.append(value)
    return values

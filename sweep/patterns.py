"""Patterns to learn: built-in tasks and pattern files."""

from __future__ import annotations

import csv
import math
from pathlib import Path

Table = tuple[tuple[float, ...], ...]

MAX_PATTERNS = 65_536

# Inputs and targets. "seed" is the table of the notebook that this project grew
# from: its fourth row repeats the first, so it is not XOR.
TASKS: dict[str, tuple[Table, Table]] = {
    "xor": (((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)), ((0.0,), (1.0,), (1.0,), (0.0,))),
    "seed": (
        ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.0)),
        ((0.0,), (1.0,), (1.0,), (0.0,)),
    ),
}


def read_patterns(path: Path) -> tuple[Table, Table]:
    """Read inputs and targets from a CSV file.

    The first line names the columns: ``x0``, ``x1``, .. for inputs and ``y`` or
    ``y0``, ``y1``, .. for targets, in any order.

    Raises
    ------
    ValueError
        With a sentence that says which line is at fault.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            lines = [(reader.line_num, row) for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text file of comma-separated values"
        raise ValueError(f"pattern file {str(path)!r} cannot be read: {reason}") from None
    if not lines:
        raise ValueError(f"pattern file {str(path)!r} is empty; its first line names the columns x0, x1, .. and y")
    names = [name.strip() for name in lines[0][1]]
    inputs, targets = _columns(path, names)
    if len(lines) == 1:
        raise ValueError(f"pattern file {str(path)!r} has no patterns below its first line")
    rows = [_numbers(path, number, line, len(names)) for number, line in lines[1:]]
    return (
        tuple(tuple(row[k] for k in inputs) for row in rows),
        tuple(tuple(row[k] for k in targets) for row in rows),
    )


def _columns(path: Path, names: list[str]) -> tuple[list[int], list[int]]:
    """Return where the inputs and the targets stand."""
    n_inputs = sum(name.startswith("x") for name in names)
    n_targets = len(names) - n_inputs
    inputs = [f"x{k}" for k in range(n_inputs)]
    targets = ["y"] if names.count("y") else [f"y{k}" for k in range(n_targets)]
    if not inputs or not targets or sorted(names) != sorted(inputs + targets):
        raise ValueError(
            f"pattern file {str(path)!r} has columns {', '.join(names)}; name the inputs x0, x1, .. and the target y, "
            "or y0, y1, .. for several"
        )
    return [names.index(name) for name in inputs], [names.index(name) for name in targets]


def _numbers(path: Path, number: int, line: list[str], width: int) -> list[float]:
    """Convert one line of a pattern file."""
    if len(line) != width:
        raise ValueError(f"pattern file {str(path)!r}, row {number} has {len(line)} values; the first row has {width}")
    values = []
    for text in line:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ValueError(f"pattern file {str(path)!r}, row {number} has {text.strip()!r}; must be a finite number")
        values.append(value)
    return values

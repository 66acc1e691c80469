"""Large matrices of patterns in study files and in the identity of a study, where text would take seconds."""

from __future__ import annotations

import base64
import hashlib
import zlib
from array import array
from collections.abc import Iterable, Mapping
from itertools import chain
from sys import byteorder
from typing import Any

from sweep.errors import shown
from sweep.study.data.pattern_files import MAX_NUMBERS, MAX_PATTERNS, Matrix
from sweep.system.plain_values import is_integer

_BYTES = 8  # of a float
# Larger matrices are packed.
MOST_WRITTEN_OUT = 10_000
# Compression that is fast, since it only has to shorten small integers and repeated targets.
_LEVEL = 1


def numbers_bytes(numbers: Iterable[float]) -> bytes:
    """Return numbers as float64, little-endian."""
    values = array("d", numbers)
    if byteorder == "big":
        values.byteswap()
    return values.tobytes()


def packed_text(key: str, rows: Matrix) -> str:
    """Return a matrix as a table of a study file: its columns, and its rows as float64 in zlib and base64."""
    content = zlib.compress(numbers_bytes(chain.from_iterable(rows)), _LEVEL)
    return f"\n[{key}]\ncolumns = {len(rows[0])}\npacked = '{base64.b64encode(content).decode()}'\n"


def unpack(key: str, table: Mapping[str, Any]) -> Matrix:
    """Return the matrix in a table of :func:`packed_text`; ``key`` is its name in sentences."""
    columns: Any = table.get("columns")
    text = table.get("packed")
    if not isinstance(text, str) or not is_integer(columns) or not 1 <= columns <= MAX_NUMBERS or len(table) > 2:
        raise ValueError(
            f"{key} must be a list of rows, or a table with the keys columns and packed, as in stored studies, got "
            f"{shown(dict(table))}"
        )
    most = min(MAX_NUMBERS, MAX_PATTERNS * columns) * _BYTES
    decoder = zlib.decompressobj()
    try:
        content = decoder.decompress(base64.b64decode(text, validate=True), most + 1)
    except (zlib.error, ValueError):
        raise ValueError(f"{key}.packed is damaged: it must hold numbers in zlib and base64") from None
    if len(content) > most:
        raise ValueError(f"{key}.packed must have at most {MAX_PATTERNS:,} rows and {MAX_NUMBERS:,} numbers, got more")
    if not decoder.eof or decoder.unused_data or len(content) % (_BYTES * columns):
        raise ValueError(f"{key}.packed is damaged: it must hold whole rows of {columns:,} numbers")
    if not content:
        return ()
    values = array("d", content)
    if byteorder == "big":
        values.byteswap()
    return tuple(zip(*[iter(values)] * columns, strict=True))


def sha256(rows: Matrix) -> str:
    """Return the SHA-256 of the bits of a matrix."""
    return hashlib.sha256(numbers_bytes(chain.from_iterable(rows))).hexdigest()


def set_aside(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Matrix]]:
    """Return a table [data] of the canonical form without its large matrices, and these by dotted keys."""
    rest, large = {}, {}
    for key, value in data.items():
        if key in ("inputs", "targets") and len(value) * len(value[0]) > MOST_WRITTEN_OUT:
            large[key] = value
        elif isinstance(value, Mapping):
            rest[key], of_table = set_aside(value)
            large |= {f"{key}.{name}": rows for name, rows in of_table.items()}
        else:
            rest[key] = value
    return rest, large

"""Structs in the compact protocol of Thrift, in which headers and footers of Parquet files are written."""

from __future__ import annotations

from typing import Any

# Types of values, by their codes.
INT32, INT64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12
_BOOLS, _BYTE, _INT16, _DOUBLE = (1, 2), 3, 4, 7
_MOST_DEPTH = 16

Struct = dict[tuple[int, int], Any]


class ThriftError(Exception):
    """There is no struct, or an ambiguous one."""


def read_struct(content: memoryview) -> tuple[Struct, int]:
    """Return the struct at the start of some bytes, and where it ends.

    Returns
    -------
    fields : dict
        Values by number and type of their fields: integers, structs and lists; None for all other values.
    end : int

    Raises
    ------
    ThriftError
        If there is none, or a field occurs twice, since Thrift takes the last one of the right type.
    """
    try:
        return _struct(content, 0, _MOST_DEPTH)
    except IndexError:
        raise ThriftError("it is cut off") from None


def _struct(content: memoryview, at: int, depth: int) -> tuple[Struct, int]:
    if not depth:
        raise ThriftError("nested too deeply")
    fields: Struct = {}
    known: set[int] = set()
    number = 0
    while byte := content[at]:
        step, kind = divmod(byte, 16)
        number, at = (number + step, at + 1) if step else _integer(content, at + 1)
        if number in known:
            raise ThriftError("a field occurs twice")
        known.add(number)
        # The type of a bool in a field is its value.
        fields[number, kind], at = (None, at) if kind in _BOOLS else _value(content, at, kind, depth - 1)
    return fields, at + 1


def _value(content: memoryview, at: int, kind: int, depth: int) -> tuple[Any, int]:
    """Return a value, or None for a type that is not read, and where it ends."""
    if kind in (_INT16, INT32, INT64):
        return _integer(content, at)
    if kind == STRUCT:
        return _struct(content, at, depth)
    if kind == LIST:
        return _list(content, at, depth)
    if kind == BINARY:
        size, at = _varint(content, at)
        return None, at + size
    if kind not in (*_BOOLS, _BYTE, _DOUBLE):
        raise ThriftError("unknown type")
    return None, at + (8 if kind == _DOUBLE else 1)


def _list(content: memoryview, at: int, depth: int) -> tuple[list[Any], int]:
    if not depth:
        raise ThriftError("nested too deeply")
    n_values, kind = divmod(content[at], 16)
    n_values, at = _varint(content, at + 1) if n_values == 15 else (n_values, at + 1)
    if n_values > len(content) - at:
        raise IndexError
    values = []
    for _ in range(n_values):
        value, at = _value(content, at, kind, depth - 1)
        values.append(value)
    return values, at


def _integer(content: memoryview, at: int) -> tuple[int, int]:
    """Return a signed integer in zigzag encoding, and where it ends."""
    code, at = _varint(content, at)
    return (code >> 1) ^ -(code & 1), at


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    """Return an integer in groups of seven bits, lowest first, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        byte = content[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
    raise ThriftError("an integer is too long")

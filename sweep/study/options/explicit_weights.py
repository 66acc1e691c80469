"""Initial weights set by name: arrays in place of drawn ones, and single weights, which can be swept."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import BeforeValidator, WithJsonSchema

from kernels.start.names import ALL
from sweep.errors import shown
from sweep.system.plain_values import is_finite, is_number, plain
from sweep.system.user_files import MAX_NUMBERS, read_array, read_arrays
from sweep.system.user_tables import open_table

FORMS = (
    "a table such as { w = [[1, -1], [1, -1]], b = 0.1, 'v[0,0]' = 2.0 }, for all seeds or with a row for each seed "
    "(parameters: all arrays in one); or a .npz, .npy, .csv or .parquet file"
)

_ARRAY = re.compile(f"[wb][1-8]?|k[2-8]?|[vc]|{ALL}")
_ELEMENT = re.compile(r"([wb][1-8]?|k[2-8]?|[vc])\[(0|[1-9][0-9]{0,5})(?:,(0|[1-9][0-9]{0,5}))?\]")
_INDEX = re.compile(r"__index_level_\d+__", re.ASCII)
# Names of single weights, with the spaces that users may write.
WEIGHT_PATTERN = r"(w[1-8]?|k[2-8]?|v)\[[0-9]+, *[0-9]+\]|(b[1-8]?|c)\[[0-9]+\]"

# Numbers, and tuples of them to any depth.
Numbers = float | tuple[Any, ...]
# The shape of each parameter array of a network.
Shapes = dict[str, tuple[int, ...]]
V = TypeVar("V")


class WithWeights(dict[str, V]):
    """Facts of options by name, of single initial weights such as w[0,1] too, which are not listed."""

    def __init__(self, facts: Mapping[str, V], of_weight: V) -> None:
        super().__init__(facts)
        self._of_weight = of_weight

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and element_of(name) is not None)

    def __missing__(self, name: str) -> V:
        if element_of(name) is None:
            raise KeyError(name)
        return self._of_weight


class ExplicitWeights(NamedTuple):
    """Initial weights in place of drawn ones."""

    # Name of an array, or of an element such as w[0,1], and its numbers: one for all elements, those of the array, or
    # those of each seed
    entries: tuple[tuple[str, Numbers], ...]

    def __str__(self) -> str:
        """Return names and numbers, lists by their shape."""
        texts = (
            f"{name} {' x '.join(map(str, shape_of(numbers)))} numbers"
            if isinstance(numbers, tuple)
            else f"{name} {numbers:g}"
            for name, numbers in self.entries
        )
        return ", ".join(texts)

    def table(self) -> dict[str, Any]:
        """Return the table of a study file."""
        return dict(self.entries)


def element_of(name: str) -> tuple[str, tuple[int, ...]] | None:
    """Return array and index of a single weight, or None.

    >>> element_of("w[0,1]"), element_of("b2[3]"), element_of("w")
    (('w', (0, 1)), ('b2', (3,)), None)
    """
    found = _ELEMENT.fullmatch(name)
    if not found or (name[0] in "bc") != (found[3] is None):
        return None
    return found[1], tuple(int(digits) for digits in found.groups()[1:] if digits is not None)


def split_values(text: str) -> list[str]:
    """Return the values of a text with commas between them; commas in an index separate nothing.

    >>> split_values("w,b v[0,1]")
    ['w', 'b v[0,1]']
    """
    return re.split(r",(?![^\[\]]*\])", text)


def with_columns(table: Any) -> Any:
    """Return the table [initial_weights] with a DataFrame of values as a table of its columns."""
    values: Any = table.get("values") if isinstance(table, Mapping) else None
    if not hasattr(values, "columns") or not hasattr(values, "to_numpy"):
        return table
    names = list(values.columns)
    if len(set(names)) < len(names):
        return {**table, "values": names}  # validation refuses it, since it is not a table
    return {**table, "values": {name: values[name].tolist() for name in names}}


def read_values(value: Any) -> Any:
    """Return initial weights from a table, or from a file: arrays by name, or a table with a row for each seed."""
    if value is None or isinstance(value, ExplicitWeights):
        return value
    if isinstance(value, (str, os.PathLike)):
        value = _read_file(Path(value))
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f"must be {FORMS}; got {shown(value)}")
    entries = []
    for key, numbers in value.items():
        name = _name_of(key)
        entries.append((name, _numbers(name, numbers)))
    names = [name for name, _ in entries]
    if len(set(names)) < len(names):
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)} is set twice; keep one")
    # Single weights replace elements of whole arrays, whatever their order in the file.
    return ExplicitWeights(tuple(sorted(entries, key=lambda entry: (entry[0] != ALL, "[" in entry[0], entry[0]))))


def _name_of(key: Any) -> str:
    """Return the name of an array or of a single weight, without spaces; ValueError if the key is neither."""
    name = key.replace(" ", "") if isinstance(key, str) else ""
    if not _ARRAY.fullmatch(name) and element_of(name) is None:
        raise ValueError(
            f"each key must be an array w, v, b, c or k (w1, b1, w2, .. with several hidden layers), {ALL}, or a "
            f"single weight such as 'w[0,1]' or 'b[0]'; got {shown(key)}"
        )
    return name


def _read_file(path: Path) -> dict[str, Any]:
    """Return the arrays of a file by name."""
    named = f"file {shown(str(path), 200)}"
    if path.suffix in (".csv", ".parquet"):
        table = open_table(path, "file")
        # Without the index that pandas writes for a sorted or filtered frame.
        names = [name for name in table.names if not _INDEX.fullmatch(name)]
        for name in names:
            _name_of(name)
        return {name: list(column) for name, column in table.read(names, [], "seeds", MAX_NUMBERS).numbers.items()}
    try:
        if path.suffix == ".npz":
            return read_arrays(path)
        if path.suffix == ".npy":
            return {ALL: read_array(path)}
    except ValueError as error:
        raise ValueError(f"{named} cannot be read: {error}") from None
    raise ValueError(f"{named} must end in .npz, .npy, .parquet or .csv")


def _numbers(name: str, value: Any) -> Numbers:
    """Return numbers as floats and tuples of them, of one shape."""
    value = plain(value)
    if is_number(value):
        if not is_finite(value):
            raise ValueError(f"{name} must be finite, got {shown(value)}")
        return float(value)
    if not isinstance(value, list) or not value:
        raise ValueError(f"{name} must be a number or lists of numbers, got {shown(value)}")
    rows = tuple(_numbers(name, row) for row in value)
    if len({shape_of(row) for row in rows}) > 1:
        raise ValueError(f"{name} must have rows of equal length, got {shown(value)}")
    return rows


def shape_of(numbers: Numbers) -> tuple[int, ...]:
    """Return the lengths of nested tuples, from the outermost."""
    return (len(numbers), *shape_of(numbers[0])) if isinstance(numbers, tuple) else ()


Values = Annotated[
    ExplicitWeights | None,
    BeforeValidator(read_values),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"\.(npz|npy|csv|parquet)$"},
                {
                    "type": "object",
                    "patternProperties": {f"^({WEIGHT_PATTERN}|{_ARRAY.pattern})$": {"type": ["number", "array"]}},
                    "additionalProperties": False,
                    "minProperties": 1,
                },
            ]
        }
    ),
    FORMS,
]


def is_by_seed(values: ExplicitWeights | None, shapes: list[Shapes]) -> bool:
    """Return whether some of these weights depend on the seed; ``shapes`` are those of all networks."""
    for name, numbers in values.entries if values else ():
        ranks = [1 if name == ALL else len(each[name]) for each in shapes if name == ALL or name in each]
        if len(shape_of(numbers)) > (0 if element_of(name) else max(ranks)):
            return True
    return False

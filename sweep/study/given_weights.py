"""Initial weights that are given by name: single ones, which can be swept, and arrays in place of drawn ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from itertools import product
from math import isfinite, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from kernels.shapes import parameter_shapes
from sweep.errors import shown, shown_names
from sweep.system.plain_values import plain

if TYPE_CHECKING:
    from sweep.study.content import StudyContent

# All parameters of a network, in the order in which they are numbered.
ALL = "parameters"
GIVEN = "a table such as { w = [[1, -1], [1, -1]], b = 0.1, 'v[0,0]' = 2.0 }, a list for each seed, or a .npz file"

_ARRAY = re.compile(f"[wb][1-8]?|[vck]|{ALL}")
_ELEMENT = re.compile(r"([wb][1-8]?|[vck])\[(0|[1-9][0-9]{0,5})(?:,(0|[1-9][0-9]{0,5}))?\]")
_MAX_FLOAT32 = 3.4028234663852886e38

# Numbers, and tuples of them to any depth.
Numbers = float | tuple[Any, ...]
V = TypeVar("V")


class WithWeights(dict[str, V]):
    """Facts of words by name, which hold single initial weights too, without listing them.

    Parameters
    ----------
    facts
        Of the words that are listed.
    of_weight
        Of each single weight, as w[0,1].
    """

    def __init__(self, facts: Mapping[str, V], of_weight: V) -> None:
        super().__init__(facts)
        self._of_weight = of_weight

    def __contains__(self, name: object) -> bool:
        """Return whether a name is that of a word."""
        return super().__contains__(name) or (isinstance(name, str) and element_of(name) is not None)

    def __missing__(self, name: str) -> V:
        """Return the fact of a single weight."""
        if element_of(name) is None:
            raise KeyError(name)
        return self._of_weight


class GivenWeights(NamedTuple):
    """Initial weights in place of drawn ones.

    Attributes
    ----------
    entries
        Name of an array, or of an element as w[0,1], and its numbers: one for all elements, those of the array, or
        those for each seed.
    """

    entries: tuple[tuple[str, Numbers], ...]

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


def with_columns(table: Any) -> Any:
    """Return the table [initial_weights] with a DataFrame of values as a table of its columns."""
    values: Any = table.get("values") if isinstance(table, Mapping) else None
    if not hasattr(values, "columns") or not hasattr(values, "to_numpy"):
        return table
    return {**table, "values": {name: values[name].tolist() for name in values.columns}}


def read_values(given: Any) -> Any:
    """Return given weights from a table, or from a file of arrays by name or of a table with a row for each seed."""
    if given is None or isinstance(given, GivenWeights):
        return given
    if isinstance(given, (str, os.PathLike)):
        given = _read_file(Path(given))
    if not isinstance(given, Mapping) or not given:
        raise ValueError(f"{shown(given)} given; must be {GIVEN}")
    entries = []
    for key, numbers in given.items():
        name = key.replace(" ", "") if isinstance(key, str) else ""
        if not _ARRAY.fullmatch(name) and element_of(name) is None:
            raise ValueError(
                f"key {shown(key)} given; must name an array w, v, b, c or k, w1, b1, w2, .. of one of several hidden "
                f"layers, {ALL}, or a single weight such as 'w[0,1]' or 'b[0]'"
            )
        entries.append((name, _numbers(name, numbers)))
    names = [name for name, _ in entries]
    if len(set(names)) < len(names):
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)} given twice; give it once")
    # Single weights go over whole arrays, whatever their order in the file.
    return GivenWeights(tuple(sorted(entries, key=lambda entry: (entry[0] != ALL, "[" in entry[0], entry[0]))))


def _read_file(path: Path) -> dict[str, Any]:
    """Return the arrays of a file by name."""
    named = f"file {shown(str(path), 200)}"
    try:
        if path.suffix in (".npy", ".npz"):
            import numpy as np

            read = np.load(path, allow_pickle=False)
            return {ALL: read.tolist()} if path.suffix == ".npy" else {name: read[name].tolist() for name in read}
        if path.suffix in (".csv", ".parquet"):
            import pandas as pd

            frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
            return {name: frame[name].tolist() for name in frame.columns}
    except Exception as error:  # pandas, NumPy and zipfile have many kinds of errors for damaged files
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise ValueError(f"{named} cannot be read: {reason}") from None
    raise ValueError(f"{named} given; must end in .npz, .npy, .parquet or .csv")


def _numbers(name: str, given: Any) -> Numbers:
    """Return numbers as floats and tuples of them, of one shape."""
    given = plain(given)
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        if not abs(given) <= 1.7976931348623157e308 or not isfinite(given):
            raise ValueError(f"{name}: {shown(given)} given; must be finite")
        return float(given)
    if not isinstance(given, list) or not given:
        raise ValueError(f"{name}: {shown(given)} given; must be a number or lists of numbers")
    rows = tuple(_numbers(name, row) for row in given)
    if len({shape_of(row) for row in rows}) > 1:
        raise ValueError(f"{name}: lists of different lengths given; rows must have equal lengths")
    return rows


def shape_of(numbers: Numbers) -> tuple[int, ...]:
    """Return the lengths of nested tuples, from the outermost."""
    return (len(numbers), *shape_of(numbers[0])) if isinstance(numbers, tuple) else ()


def start_faults(study: StudyContent) -> Iterator[str]:
    """Yield a sentence for each fault of initial weights that depends on the networks or the seeds."""
    shapes = list(_all_shapes(study))
    if any(study.values_of("mirrored")):
        odd = next((sizes[-1] for sizes in study.hidden_layers if sizes[-1] % 2), None)
        if odd is not None:
            yield (
                f"{study.key_of('mirrored')}: true given with a last hidden layer of {odd} units; the halves of its "
                "units are mirrored, so their number must be even"
            )
    for name in ("scale", "output_scale"):
        named = [value for value in study.values_of(name) if isinstance(value, str)]
        if named and "constant" in study.values_of("distribution"):
            yield (
                f"{study.key_of(name)}: {named[0]!r} given with {study.key_of('distribution')} 'constant'; a constant "
                "needs a number"
            )
    yield from _frozen_faults(study, shapes)
    values = study.values_of("values")[0]
    given = dict(values.entries) if values else {}
    for name, numbers in given.items():
        if name in study.parameters:
            yield f"parameters.{name}: given here and as initial_weights.values; give one"
        yield from _misfits(f"initial_weights.values.{name}", name, shape_of(numbers), shapes, study.seeds.count)
        if study.network.dtype == "float32" and _largest(numbers) > _MAX_FLOAT32:
            yield f"initial_weights.values.{name}: {_largest(numbers)!r} given; float32 holds at most {_MAX_FLOAT32!r}"
    for name in study.parameters:
        if element_of(name):
            yield from _misfits(f"parameters.{name}", name, (), shapes, study.seeds.count)


def _frozen_faults(study: StudyContent, shapes: list[dict[str, tuple[int, ...]]]) -> Iterator[str]:
    """Yield a sentence for frozen parameters that no network has, and for networks without others."""
    for freeze in study.values_of("freeze"):
        kinds = [{name[0] for name in each} for each in shapes]
        unknown = [name for name in freeze.split() if not any(name in each for each in kinds)]
        if unknown:
            yield f"{study.key_of('freeze')}: {freeze!r} given; no network has {unknown[0]}"
        elif any(each <= set(freeze.split()) for each in kinds):
            yield f"{study.key_of('freeze')}: {freeze!r} given, which leaves nothing to train in some network"


def _all_shapes(study: StudyContent) -> Iterator[dict[str, tuple[int, ...]]]:
    """Yield the shapes of the parameter arrays of all networks."""
    for sizes, bias, skip in product(study.hidden_layers, study.values_of("bias"), study.values_of("skip")):
        fans = study.data.n_inputs, *sizes, study.data.n_targets
        yield parameter_shapes(fans, bias=bias, skip=skip, deep=len(sizes) > 1)


def _misfits(
    key: str, name: str, given: tuple[int, ...], shapes: list[dict[str, tuple[int, ...]]], n_seeds: int
) -> Iterator[str]:
    """Yield why values of a shape do not fit an array, or an element of it, of some network."""
    array, index = element_of(name) or (name, ())
    of_arrays = [
        each[array] if array != ALL else (sum(map(prod, each.values())),) for each in shapes if array in (*each, ALL)
    ]
    if not of_arrays:
        known = shown_names(list(dict.fromkeys(name for each in shapes for name in each)))
        yield f"{key} given; no network has {array}, they have {known}"
        return
    for shape in of_arrays:
        if index and any(place >= size for place, size in zip(index, shape, strict=True)):
            yield f"{key} given; {array} has the shape {_text(shape)} in some network, and indices count from 0"
            return
        whole = () if index else shape
        if given not in ((), whole, (n_seeds, *whole)):
            yield (
                f"{key}: numbers of the shape {_text(given)} given; must be one number, or of the shape "
                f"{_text(whole)}{' or ' * bool(whole)}{_text((n_seeds, *whole))}, a row for each seed"
            )
            return


def _text(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _largest(numbers: Numbers) -> float:
    return max(map(_largest, numbers)) if isinstance(numbers, tuple) else abs(numbers)


def is_by_seed(study: StudyContent) -> bool:
    """Return whether some given weights differ from seed to seed."""
    values = study.values_of("values")[0]
    shapes = list(_all_shapes(study))
    return any(_is_by_seed(name, shape_of(numbers), shapes) for name, numbers in (values.entries if values else ()))


def _is_by_seed(name: str, given: tuple[int, ...], shapes: list[dict[str, tuple[int, ...]]]) -> bool:
    if element_of(name):
        return bool(given)
    ranks = {1 if name == ALL else len(each[name]) for each in shapes if name == ALL or name in each}
    return len(given) > max(ranks)

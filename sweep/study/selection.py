"""Some of the values of parameters, as ``--at NAME=VALUE,VALUE`` picks them, and the cells that have these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sweep.errors import SweepError, unknown
from sweep.study.parameters import Scalar
from sweep.system.formatting import short

if TYPE_CHECKING:
    import pandas as pd

# Values of some parameters.
At = Mapping[str, Sequence[Scalar]]


def parse_picks(texts: Sequence[str]) -> dict[str, list[str]]:
    """Read ``NAME=VALUE,VALUE`` as :func:`values_at` takes it.

    Raises
    ------
    SweepError
        If a text is not of this form, or a name is given twice.
    """
    picks: dict[str, list[str]] = {}
    for text in texts:
        name, _, entries = (part.strip() for part in text.partition("="))
        if not name or not entries:
            raise SweepError(f"--at {text!r} given; must be NAME=VALUE or NAME=VALUE,VALUE, as in --at hidden=2,4")
        if name in picks:
            raise SweepError(f"--at {name} given twice; give all of its values in one, as in --at {name}=VALUE,VALUE")
        picks[name] = entries.split(",")
    return picks


def values_at(values: At, at: At) -> dict[str, tuple[Scalar, ...]]:
    """Return the values of each parameter, only those picked where some are.

    Parameters
    ----------
    values
        The values of each swept parameter.
    at
        Values to pick, or texts as they are printed.

    Raises
    ------
    SweepError
        If a parameter or a value is unknown.
    """
    for name in at:
        if name not in values:
            raise SweepError(unknown("parameter", name, list(values)) if values else "nothing is swept in this study")
    picked = {name: tuple(_pick(name, entry, values[name]) for entry in at[name]) for name in at}
    for name, entries in picked.items():
        if len(set(entries)) < len(entries):
            raise SweepError(f"{name} {', '.join(map(short, entries))} given; give each value once")
    return {name: picked.get(name, tuple(entries)) for name, entries in values.items()}


def _pick(name: str, given: Scalar, entries: Sequence[Scalar]) -> Scalar:
    """Return the value that a text stands for: the whole value, or four digits of it that are no other's."""
    text = str(given).strip().lower()
    for write in (str, short):
        found = [entry for entry in entries if write(entry).lower() == text]
        if len(found) == 1:
            return found[0]
        if found:
            raise SweepError(f"{name} {given} given, which may be {' or '.join(map(str, found))}; give all digits")
    raise SweepError(f"{name} {given} given; its values are {', '.join(map(short, entries))}")


def cells_at(cells: pd.DataFrame, values: At) -> pd.DataFrame:
    """Return the cells at these values of the parameters."""
    for name, entries in values.items():
        cells = cells[cells[name].isin(list(entries))]
    return cells

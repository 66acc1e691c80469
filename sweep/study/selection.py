"""Selection of cells by values of parameters: ``--at NAME=VALUE,VALUE``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sweep.errors import StudyError, SweepError, not_swept, shown
from sweep.study.axes.grid import REPLICATES
from sweep.study.options.explicit_weights import split_values
from sweep.study.reading.value_forms import Scalar
from sweep.system.formatting import exact, short
from sweep.system.plain_values import is_integer, is_number, plain

if TYPE_CHECKING:
    import pandas as pd

    from sweep.study.content import StudyContent

# Values of some parameters by name; users may select several values or a single one.
Values = Mapping[str, Sequence[Scalar]]
At = Mapping[str, Scalar | Sequence[Scalar]]


def parse_picks(texts: Sequence[str]) -> dict[str, list[str]]:
    """Return the selection in texts ``NAME=VALUE,VALUE``, for :func:`values_at`."""
    picks: dict[str, list[str]] = {}
    for text in texts:
        name, _, entries = (part.strip() for part in text.partition("="))
        if not name or not entries:
            raise SweepError(f"--at: must be NAME=VALUE or NAME=VALUE,VALUE, as in --at hidden=2,4, got {text!r}")
        if name in picks:
            raise SweepError(f"--at: {name} is selected twice; list all values in one, as in --at {name}=VALUE,VALUE")
        picks[name] = split_values(entries)
    return picks


def values_at(study: StudyContent, at: At | None) -> dict[str, tuple[Scalar, ...]]:
    """Return the values of each swept parameter; of those in ``at`` the selected ones, by value or by printed text."""
    values = study.parameters
    at = {} if at is None or plain(at) == [] else at
    if not isinstance(at, Mapping):
        raise SweepError(f"at: must be a dict such as {{'hidden': [2, 4]}}, got {shown(at)}")
    for name in at:
        if name not in values:
            raise SweepError(not_swept(name, values))
    listed = {name: entries if isinstance(entries, list) else [entries] for name, entries in plain(at).items()}
    picked = {name: tuple(_pick(name, entry, values[name]) for entry in entries) for name, entries in listed.items()}
    for name, entries in picked.items():
        if not entries:
            raise SweepError(f"{name}: must be one or more of {', '.join(map(short, values[name]))}; got none")
        if len(set(entries)) < len(entries):
            raise SweepError(f"{name}: values must differ, got {', '.join(map(short, entries))}")
    # Each value occurs in some cell, but perhaps not their combination.
    if len(picked) > 1 and not study.grid.n_cells_at(picked):
        combination = " and ".join(f"{name} {' or '.join(map(short, entries))}" for name, entries in picked.items())
        raise SweepError(f"no cell of the study has {combination} together; select other values")
    return {name: picked.get(name, tuple(entries)) for name, entries in values.items()}


def in_order_of_axes(values: Values) -> list[str]:
    """Return the parameters with several values in the order in which maps take them as axes.

    Numbers come first, then those with the most values; replicates come last.
    """
    varied = [name for name in values if len(values[name]) > 1]
    return sorted(varied, key=lambda name: (name in REPLICATES, not is_number(values[name][0]), -len(values[name])))


def _pick(name: str, picked: Scalar, entries: Sequence[Scalar]) -> Scalar:
    """Return the value that a text means: all digits, or the four that are printed if they are unique."""
    text = str(picked).strip().lower()
    for write in (str, exact, short):
        found = [entry for entry in entries if write(entry).lower() == text]
        if len(found) == 1:
            return found[0]
        if found:
            raise SweepError(f"{name}: {picked} may mean {' or '.join(map(exact, found))}; write all digits")
    raise SweepError(f"{name}: must be one of {', '.join(map(short, entries))}; got {picked}")


def check_cell(study: StudyContent, cell: Any) -> None:
    """Raise SweepError if this is not the number of a cell."""
    if not is_integer(cell) or not 0 <= cell < study.n_cells:
        raise SweepError(f"cell: must be an integer from 0 to {study.n_cells - 1}, got {shown(cell)}")


def check_seed(study: StudyContent, seed: Any, key: str = "seed") -> None:
    """Raise StudyError if this is not a seed of the study."""
    first, last = study.seeds.base, study.seeds.base + study.seeds.count - 1
    if not is_integer(seed) or not first <= seed <= last:
        raise StudyError(
            f"{key}: must be from {first} to {last}, the seeds of the study, got {shown(seed)}; seeds.base and "
            "seeds.count set others"
        )


def check_top(top: Any) -> None:
    """Raise SweepError if this is neither a number of rows nor None, which means all."""
    if top is not None and (not is_integer(top) or top < 1):
        raise SweepError(f"top: must be an integer from 1, got {shown(top)}")


def cells_at(cells: pd.DataFrame, values: Values) -> pd.DataFrame:
    """Return the rows of cells with these values of the parameters."""
    for name, entries in values.items():
        cells = cells[cells[name].isin(list(entries))]
    return cells

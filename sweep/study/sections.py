"""The tables of a study file that hold no words of cells: patterns, seeds, and what is recorded."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from sweep.errors import shown, shown_names
from sweep.study.parameters import expand
from sweep.study.patterns import MAX_PATTERNS, read_patterns
from sweep.study.tasks import ARGUMENTS, make_patterns

MAX_SEED = 2**32 - 1
MAX_TARGETS = 16

FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]


class Section(BaseModel):
    """One table of the study file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


class Data(Section):
    """Patterns to learn, given as a ``task`` with its arguments, a ``file`` or directly.

    Direct ``targets`` may be a flat list where there is one output: ``[0, 1, 1, 0]``.
    """

    inputs: tuple[tuple[FiniteFloat, ...], ...] = Field(description="a row of numbers for each pattern")
    targets: tuple[tuple[FiniteFloat, ...], ...] = Field(description="a row of numbers for each, or one number")

    @model_validator(mode="before")
    @classmethod
    def _find_patterns(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        given = [key for key in ("task", "file", "inputs") if key in raw]
        if len(given) != 1:
            raise ValueError(
                f"{' and '.join(given) or 'no patterns'} given; give one of task, file, or inputs and targets"
            )
        arguments = {key: raw[key] for key in raw if key in ARGUMENTS}
        if arguments and given[0] != "task":
            raise ValueError(f"{shown_names(list(arguments))} given beside {given[0]}; only tasks take arguments")
        if given[0] != "inputs" and "targets" in raw:
            raise ValueError(f"targets given beside {given[0]}, which has its own; give targets with inputs only")
        found = {key: value for key, value in raw.items() if key not in ARGUMENTS}
        if "task" in raw:
            found["inputs"], found["targets"] = make_patterns(found.pop("task"), arguments)
        elif "file" in raw:
            file = found.pop("file")
            if not isinstance(file, (str, os.PathLike)):
                raise ValueError(f"file {shown(file)} given; must be the path of a pattern file")
            found["inputs"], found["targets"] = read_patterns(Path(file))
        return found | {
            key: _rows(key, found[key]) for key in ("inputs", "targets") if isinstance(found.get(key), list)
        }

    @model_validator(mode="after")
    def _check_shape(self) -> Data:
        if not 1 <= len(self.inputs) <= MAX_PATTERNS:
            raise ValueError(f"{len(self.inputs)} patterns given; 1 to {MAX_PATTERNS} are allowed")
        if len(self.targets) != len(self.inputs):
            raise ValueError(
                f"{len(self.inputs)} rows of inputs and {len(self.targets)} of targets given; must be equal"
            )
        for name, rows in (("inputs", self.inputs), ("targets", self.targets)):
            widths = {len(row) for row in rows}
            if len(widths) > 1 or 0 in widths:
                raise ValueError(
                    f"rows of {name} have {shown(sorted(widths))} numbers; must all have the same, at least 1"
                )
        return self


def _rows(key: str, rows: list[Any]) -> tuple[Any, ...]:
    """Return rows as tuples, and flat targets as rows of one number."""
    if rows and not any(isinstance(row, list) for row in rows):
        if key == "targets":
            return tuple((target,) for target in rows)
        raise ValueError(
            f"inputs {shown(rows)} given; each pattern is a list of its inputs, as in [[0, 0], [0, 1]] or [[0], [1]]"
        )
    return tuple(tuple(row) if isinstance(row, list) else row for row in rows)


class Until(Section):
    """Adaptive seeds: a cell gets no more once the 95 % interval of its convergence rate is narrower than ``width``.

    Cells are trained in rounds: ``first`` seeds, then up to twice as many in all, and so on.
    """

    width: Annotated[float, Field(gt=0, lt=1)]
    first: Annotated[int, Field(ge=1, le=MAX_SEED + 1)] = 100


class Seeds(Section):
    """The seeds of every cell, one run each; at most ``count`` where ``until`` is given."""

    base: Annotated[int, Field(ge=0, le=MAX_SEED)] = Field(0, description="first seed")
    count: Annotated[int, Field(ge=1, le=MAX_SEED + 1)] = Field(
        1000, description="seeds of each cell, one after another"
    )
    until: Annotated[Until | None, "{ width = 0.02 }"] = Field(
        None, description="width of the interval of a cell's rate below which it gets no more seeds"
    )

    @property
    def rounds(self) -> list[int]:
        """Seeds of a cell in each round."""
        if self.until is None:
            return [self.count]
        totals = [min(self.until.first, self.count)]
        while totals[-1] < self.count:
            totals.append(min(2 * totals[-1], self.count))
        return [after - before for before, after in zip([0, *totals], totals, strict=False)]

    @model_validator(mode="after")
    def _check_last(self) -> Seeds:
        if self.base + self.count - 1 > MAX_SEED:
            raise ValueError(f"seeds {self.base} to {self.base + self.count - 1} given; the last allowed is {MAX_SEED}")
        return self


def _read_targets(given: Any) -> Any:
    """Return targets of the loss as distinct positive floats, the largest first; the default is an empty tuple."""
    if given == ():
        return given
    values = expand(given, integer=False)
    if len(values) > MAX_TARGETS:
        raise ValueError(f"{len(values)} targets given; at most {MAX_TARGETS} are allowed")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= sys.float_info.max:
            raise ValueError(f"{shown(value)} given; a target must be a finite number above 0")
    targets = sorted(map(float, values), reverse=True)
    for value, following in pairwise(targets):
        if value == following:
            raise ValueError(f"target {value!r} given twice; targets must differ")
    return tuple(targets)


class Record(Section):
    """What is recorded of every run beside how it ends."""

    targets: Annotated[tuple[float, ...], BeforeValidator(_read_targets), "1 to 16 distinct numbers above 0"] = Field(
        (), description="values of the loss; the step at which it is first below each is recorded"
    )

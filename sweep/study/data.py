"""The table [data] of a study: the patterns to learn, and patterns that only test the networks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Field, model_validator

from sweep.errors import shown, shown_names
from sweep.study.patterns import MAX_PATTERNS, read_classes, read_patterns
from sweep.study.sections import FiniteFloat, Section
from sweep.study.splits import PREPARATIONS
from sweep.study.tasks import ARGUMENTS, Argument, make_patterns
from sweep.system.formatting import count_text

# Keys that say what is read of a file.
_OF_FILES = ("file", "inputs", "targets", "target")

Rows = tuple[tuple[FiniteFloat, ...], ...]

DECISION_THRESHOLD = (
    "what separates high outputs from low ones; by default the middle of the range of all targets, before patterns are "
    "set apart or spoiled; (low + high) / 2 of a task that takes these and whose targets are all equal"
)
# Keys of the table [data] that decide patterns and can be swept, and all of its keys.
DATA_OPTIONS = {**ARGUMENTS, **PREPARATIONS, "decision_threshold": Argument(DECISION_THRESHOLD, float)}
DATA_KEYS = [
    "task",
    *ARGUMENTS,
    "file",
    "inputs",
    "targets",
    "target",
    "decision_threshold",
    "train",
    *PREPARATIONS,
    "test",
]


class Patterns(Section):
    """Patterns, given as a ``task`` with its arguments, a ``file`` or directly.

    Direct ``targets`` may be a flat list where there is one output: ``[0, 1, 1, 0]``.
    """

    inputs: Rows = Field(description="a row of numbers for each pattern")
    targets: Rows = Field(description="a row of numbers for each, or one number")

    @model_validator(mode="before")
    @classmethod
    def _find_patterns(cls, raw: Any) -> Any:
        return find_patterns(raw) if isinstance(raw, dict) else raw

    @model_validator(mode="after")
    def _check_shape(self) -> Patterns:
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

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of patterns, inputs and targets."""
        return len(self.inputs), len(self.inputs[0]), len(self.targets[0])


class Data(Patterns):
    """Patterns to learn, and those that only test the networks."""

    decision_threshold: FiniteFloat | None = Field(None, description=DECISION_THRESHOLD)
    test: Annotated[Patterns | None, "task, file, or inputs and targets"] = Field(
        None, description="patterns that test the networks and are not trained on"
    )

    @model_validator(mode="after")
    def _check_test(self) -> Data:
        if self.test and self.test.shape[1:] != self.shape[1:]:
            n_inputs, n_targets = count_text(self.test.shape[1], "input"), count_text(self.test.shape[2], "target")
            raise ValueError(
                f"test patterns of {n_inputs} and {n_targets} given beside others of {self.shape[1]} and "
                f"{self.shape[2]}; must be equal"
            )
        return self


class _Column(NamedTuple):
    """A column of classes that are those of other patterns."""

    name: str
    classes: list[str]


def find_patterns(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a table with inputs and targets in place of what tells them.

    Parameters
    ----------
    raw
        A table with a task, a file, or inputs and targets.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If it has none or several of them, or they are not valid.
    """
    given = [key for key in ("task", "file", "inputs") if key in raw]
    if given == ["file", "inputs"]:  # then inputs are names of columns
        given = ["file"]
    if len(given) != 1:
        raise ValueError(f"{' and '.join(given) or 'no patterns'} given; give one of task, file, or inputs and targets")
    arguments = {key: raw[key] for key in raw if key in ARGUMENTS}
    if "file" in raw:
        return _with_classes_of(raw, _from_file(raw, arguments))
    if "target" in raw:
        raise ValueError(f"target {shown(raw['target'])} given beside {given[0]}; only files have a column of classes")
    if arguments and given[0] != "task":
        raise ValueError(f"{shown_names(list(arguments))} given beside {given[0]}; only tasks take arguments")
    if given[0] != "inputs" and "targets" in raw:
        raise ValueError(f"targets given beside {given[0]}, which has its own; give targets with inputs or file only")
    found = {key: value for key, value in raw.items() if key not in ARGUMENTS}
    if "task" in raw:
        found["inputs"], found["targets"] = make_patterns(found.pop("task"), arguments)
    return found | {key: _rows(key, found[key]) for key in ("inputs", "targets") if isinstance(found.get(key), list)}


def _from_file(raw: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a table with the patterns of a file in place of its path and the names of columns."""
    file, found = raw["file"], {key: value for key, value in raw.items() if key not in (*ARGUMENTS, *_OF_FILES)}
    if not isinstance(file, (str, os.PathLike)):
        raise ValueError(f"file {shown(file)} given; must be the path of a pattern file")
    for name, value in arguments.items():
        if name not in ("target_low", "target_high") or "target" not in raw:
            raise ValueError(
                f"{name} given beside file; only tasks take arguments, and a column of classes (target) low and high"
            )
        if not ARGUMENTS[name].allows(value):
            raise ValueError(ARGUMENTS[name].refusal(name, value))
    target, classes = raw["target"] if isinstance(raw.get("target"), _Column) else (raw.get("target"), None)
    names = _column_names(raw.get("inputs"), raw.get("targets"), target)
    levels = float(arguments.get("target_low", 0.0)), float(arguments.get("target_high", 1.0))
    found["inputs"], found["targets"] = read_patterns(Path(file), *names, levels, classes)
    return found


def _with_classes_of(raw: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return a table in which classes to test with are known to be those of the file to train on."""
    test = found.get("test")
    if "target" not in raw or not isinstance(test, dict) or not isinstance(test.get("target"), str):
        return found
    return found | {"test": test | {"target": _Column(test["target"], read_classes(Path(raw["file"]), raw["target"]))}}


def are_columns(given: Any) -> bool:
    """Return whether inputs or targets are names of columns of a file."""
    return isinstance(given, list) and bool(given) and all(isinstance(each, str) for each in given)


def _column_names(inputs: Any, targets: Any, target: Any) -> tuple[list[str] | None, list[str] | None, str | None]:
    """Return names of columns, once they are known to be such."""
    for key, names in (("inputs", inputs), ("targets", targets)):
        if names is not None and not are_columns(names):
            raise ValueError(f"{key} {shown(names)} given beside file; must be a list of names of columns")
    if target is not None and not isinstance(target, str):
        raise ValueError(f"target {shown(target)} given; must be the name of a column of classes")
    if target is not None and targets is not None:
        raise ValueError("target and targets given; give the column of classes, or columns of numbers")
    if (inputs is None) != (target is None and targets is None):
        raise ValueError("inputs or targets alone given beside file; name the columns of both, or of neither")
    return inputs, targets, target


def _rows(key: str, rows: list[Any]) -> tuple[Any, ...]:
    """Return rows as tuples, and flat targets as rows of one number."""
    if rows and not any(isinstance(row, list) for row in rows):
        if key == "targets":
            return tuple((target,) for target in rows)
        raise ValueError(
            f"inputs {shown(rows)} given; each pattern is a list of its inputs, as in [[0, 0], [0, 1]] or [[0], [1]]"
        )
    return tuple(tuple(row) if isinstance(row, list) else row for row in rows)

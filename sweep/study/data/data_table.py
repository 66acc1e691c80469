"""The table [data] of a study: the patterns to train on, and held-out patterns, which validate or test the networks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import PrivateAttr, model_validator

from sweep.errors import shown, shown_names
from sweep.study.data.packed import unpack
from sweep.study.data.pattern_files import (
    CATEGORIES,
    MAX_PATTERNS,
    Classes,
    open_patterns,
    other_columns,
    read_patterns,
    read_uses,
    with_names,
)
from sweep.study.data.splits import PREPARATIONS, Scaling
from sweep.study.data.tasks import ARGUMENTS, Argument, make_patterns
from sweep.study.reading.section import FiniteFloat, Section, field
from sweep.system.formatting import count_text, list_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class DataKey(NamedTuple):
    """A key of the table [data] that cannot be swept, as documented for users."""

    meaning: str
    allowed: str
    default: str = ""
    used_with: str = ""  # the key that it needs
    example: str = ""  # a value as in a study file


# Keys of files, and of the patterns to train on; others are arguments of tasks and preparations.
DATA_SOURCES = {
    "file": DataKey(
        "CSV or Parquet file of patterns to learn",
        "inputs are columns x0, x1, .., targets y, or y0, y1, ..; name others by target or targets, and by inputs "
        "(default: all other columns)",
        example='"patterns.csv"',
    ),
    "target": DataKey(
        "column of a file with the class of each pattern. Two classes make one target, high for the second in "
        "ascending order; more classes make one target each",
        "a name",
        example='"species"',
    ),
    "target_one_hot": DataKey(
        "whether two classes make two targets, as softmax needs",
        "true, false",
        "default false",
        "target",
        example="true",
    ),
    "one_hot": DataKey(
        "columns of a file that hold categories (texts or numbers): each category becomes an input, 1 for patterns of "
        "that category and 0 for others",
        "a list of names",
        used_with="file",
        example='["color"]',
    ),
    "split": DataKey(
        "column of a file that says how each pattern is used: train, validation or test",
        "a name",
        used_with="file",
        example='"use"',
    ),
    "train": DataKey(
        "indices of the patterns to train on; all others are test patterns",
        "a list of integers from 0",
        example="[0, 1, 2, 5]",
    ),
}
# Keys that select columns of a file.
OF_FILES = ("file", "inputs", "targets", "target", "target_one_hot", "one_hot", "split")

Rows = tuple[tuple[FiniteFloat, ...], ...]

DECISION_THRESHOLD = (
    "outputs above this count as high, outputs below it as low; by default the midrange of all targets, before test "
    "patterns are split off or label noise is added; (target_low + target_high) / 2 for a task whose targets are all "
    "equal"
)
# Tables of patterns that are held out of training.
HELD_OUT = ("validation", "test")
# Arguments of their tasks that can be swept: the table that holds an argument otherwise, and its key there.
HELD_OUT_ARGUMENTS = {f"{use}_{key}": (use, key) for use in HELD_OUT for key in ARGUMENTS}
# Options of the table [data] that can be swept, and all of its keys.
DATA_OPTIONS = {
    **ARGUMENTS,
    **PREPARATIONS,
    **{
        name: ARGUMENTS[key]._replace(meaning=f"{key} of the task of {use} patterns: {ARGUMENTS[key].meaning}")
        for name, (use, key) in HELD_OUT_ARGUMENTS.items()
    },
    "decision_threshold": Argument(DECISION_THRESHOLD, float, example="0.5", names=("cutoff",)),
}
DATA_KEYS = ["task", *ARGUMENTS, *OF_FILES, "decision_threshold", "train", *PREPARATIONS, *HELD_OUT]


class Patterns(Section):
    """Patterns: a ``task`` with its arguments, a ``file``, or lists.

    With one output, ``targets`` may be a flat list: ``[0, 1, 1, 0]``.
    """

    inputs: Rows = field(
        ..., "a row of numbers for each pattern", "[[0, 0], [0, 1], [1, 0], [1, 1]]", names=("features",)
    )
    targets: Rows = field(
        ..., "a row of numbers for each pattern, or one number", "[[0], [1], [1], [0]]", names=("labels", "outputs")
    )

    @model_validator(mode="before")
    @classmethod
    def _find_patterns(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and "split" in raw and cls is Patterns:
            raise ValueError("split must be a key of [data] itself; remove it")
        return find_patterns(raw) if isinstance(raw, dict) else raw

    @model_validator(mode="after")
    def _check_shape(self) -> Patterns:
        if not 1 <= len(self.inputs) <= MAX_PATTERNS:
            raise ValueError(f"must have 1 to {MAX_PATTERNS} patterns, got {len(self.inputs)}")
        if len(self.targets) != len(self.inputs):
            raise ValueError(
                "inputs and targets must have the same number of rows, got "
                f"{len(self.inputs)} of inputs and {len(self.targets)} of targets"
            )
        for name, rows in (("inputs", self.inputs), ("targets", self.targets)):
            widths = set(map(len, rows))
            if len(widths) > 1 or 0 in widths:
                lengths = list_text([str(width) for width in sorted(widths)])
                raise ValueError(f"rows of {name} must have the same length, at least 1, got lengths {lengths}")
        return self

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of patterns, inputs and targets."""
        return len(self.inputs), len(self.inputs[0]), len(self.targets[0])


class Data(Patterns):
    """Patterns to train on, and held-out patterns."""

    decision_threshold: FiniteFloat | None = field(None, DECISION_THRESHOLD, "0.5")
    validation: Annotated[Patterns | None, "task, file, or inputs and targets"] = field(
        None,
        "patterns that choose the best step of a run and the best cell but do not train the networks; [parameters] "
        "sweeps arguments of their task as validation_noise",
        '{ file = "validation.csv" }',
        names=("validation_set", "val", "validation_data", "val_inputs", "val_targets", "validation_file"),
    )
    test: Annotated[Patterns | None, "task, file, or inputs and targets"] = field(
        None,
        "patterns that test the networks but do not train them; [parameters] sweeps arguments of their task as "
        "test_noise",
        '{ file = "test.csv" }',
        names=("test_set", "test_inputs", "test_targets", "test_file"),
    )

    _scaling: Scaling | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _check_held_out(self) -> Data:
        for name, patterns in self.held_out.items():
            if patterns.shape[1:] != self.shape[1:]:
                expected, got = (
                    f"{count_text(each.shape[1], 'input')} and {count_text(each.shape[2], 'target')}"
                    for each in (self, patterns)
                )
                raise ValueError(f"{name} patterns must have {expected}, as those to train on; got {got}")
        return self

    def with_scaling(self, scaling: Scaling) -> Data:
        """Return these patterns, which were standardized, with the scaling of their inputs."""
        self._scaling = scaling
        return self

    @property
    def is_standardized(self) -> bool:
        """Whether the inputs were standardized."""
        return self._scaling is not None

    def scaled(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return other rows of inputs as the networks of these patterns get them: standardized if these were."""
        return self._scaling.of(rows) if self._scaling else rows

    @property
    def held_out(self) -> dict[str, Patterns]:
        """The patterns of validation and of the test, those that there are."""
        named = {"validation": self.validation, "test": self.test}
        return {name: patterns for name, patterns in named.items() if patterns is not None}


class _Column(NamedTuple):
    """A column of classes in a file of held-out patterns, with the classes of the file to train on."""

    name: str
    classes: Classes


def find_patterns(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a table with inputs and targets in place of a task or a file."""
    sources = [key for key in ("task", "file", "inputs") if key in raw]
    if sources == ["file", "inputs"]:  # then inputs are names of columns
        sources = ["file"]
    if len(sources) != 1:
        present = " and ".join(sources) or "none"
        raise ValueError(f"must have one of task (as in task = 'xor'), file, or inputs and targets; got {present}")
    arguments = {key: raw[key] for key in raw if key in ARGUMENTS}
    if "file" in raw:
        return _from_file(raw, arguments)
    for key in OF_FILES[3:]:
        if key in raw:
            raise ValueError(f"{key} must be used with file, got {sources[0]}; remove {key}")
    if arguments and sources[0] != "task":
        raise ValueError(f"{shown_names(list(arguments))} must be used with task, got {sources[0]}; remove one")
    if sources[0] != "inputs" and "targets" in raw:
        raise ValueError(f"targets must be used with inputs or file, got {sources[0]}, which has targets; remove one")
    found = {key: value for key, value in raw.items() if key not in ARGUMENTS}
    if "task" in raw:
        found["inputs"], found["targets"] = make_patterns(found.pop("task"), arguments)
    for key in ("inputs", "targets"):
        if isinstance(found.get(key), list):
            found[key] = _rows(key, found[key])
        elif isinstance(found.get(key), dict):
            found[key] = unpack(key, found[key])
    return found


def _from_file(raw: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a table with the patterns of a file in place of its path and the names of columns."""
    file = raw["file"]
    found = {key: value for key, value in raw.items() if key not in (*ARGUMENTS, *OF_FILES)}
    if not isinstance(file, (str, os.PathLike)):
        raise ValueError(f"file must be the path of a pattern file, got {shown(file)}")
    for name, value in arguments.items():
        if name not in ("target_low", "target_high") or "target" not in raw:
            raise ValueError(
                f"{name} must be used with task, got file; a file takes only target_low and target_high, with target"
            )
        if not ARGUMENTS[name].allows(value):
            raise ValueError(ARGUMENTS[name].refusal(name, value))
    target, classes = raw["target"] if isinstance(raw.get("target"), _Column) else (raw.get("target"), None)
    names = _column_names(raw.get("inputs"), raw.get("targets"), target)
    one_hot = raw.get("target_one_hot", False)
    if not isinstance(one_hot, bool) or (target is None and "target_one_hot" in raw):
        raise ValueError(f"target_one_hot must be true or false, with target, got {shown(one_hot)}")
    low, high = (float(arguments.get(name, level)) for name, level in (("target_low", 0), ("target_high", 1)))
    classes = (classes or Classes(one_hot=one_hot))._replace(low=low, high=high)
    columns = raw.get("one_hot", [])
    if not isinstance(columns, dict):
        if columns and not are_columns(columns):
            raise ValueError(f"one_hot must be a list of names of columns of inputs, got {shown(columns)}")
        columns = dict.fromkeys(columns, CATEGORIES)
    split = raw.get("split")
    if split is not None and not isinstance(split, str):
        raise ValueError(f"split must be the name of a column of a file, got {shown(split)}")
    uses = read_uses(open_patterns(Path(file)), split) if split is not None else {}
    read = read_patterns(open_patterns(Path(file)), *names, classes, columns, split)
    rows = dict(zip(("inputs", "targets"), read, strict=True))
    if not uses:
        return found | rows
    for use, numbers in uses.items():
        if use in found:
            raise ValueError(f"split and {use} are both set; remove one")
        part = {name: tuple(matrix[k] for k in numbers) for name, matrix in rows.items()}
        found |= part if use == "train" else {use: part}
    return found


def with_columns_of_training(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table [data] whose files of held-out patterns have the columns and classes of the file to train on."""
    columns = {key: table[key] for key in OF_FILES[1:] if key in table}
    held_out = {name: table[name] for name in HELD_OUT if isinstance(table.get(name), dict) and "file" in table[name]}
    if not held_out or not columns or not isinstance(table.get("file"), (str, os.PathLike)):
        return dict(table)
    inputs, targets, target = _column_names(*map(columns.get, ("inputs", "targets", "target")))
    path = Path(table["file"])
    inputs = inputs or other_columns(open_patterns(path), [*(targets or [str(target)]), table.get("split")])
    classes = Classes(one_hot=columns.get("target_one_hot", False))
    classes = with_names(open_patterns(path), target, classes) if target else classes
    categories = columns.get("one_hot", [])
    if are_columns(categories):
        categories = {name: with_names(open_patterns(path), name, CATEGORIES) for name in categories}
    own = {key: table[key] for key in ("targets", "target", "target_low", "target_high") if key in table}
    for name, given in held_out.items():
        found = given if given.keys() & {"inputs", "targets", "target"} else own | given
        found = {"inputs": inputs} | found if found.keys() & {"targets", "target"} else found
        if "one_hot" in given:
            raise ValueError(f"one_hot of {name} patterns must be that of the patterns to train on; remove it")
        found |= {"one_hot": categories} if categories else {}
        known = {"target": _Column(found["target"], classes)} if target and isinstance(found.get("target"), str) else {}
        held_out[name] = found | known
    return {**table, **held_out}


def are_columns(value: Any) -> bool:
    """Return whether inputs or targets are names of columns of a file."""
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _column_names(inputs: Any, targets: Any, target: Any) -> tuple[list[str] | None, list[str] | None, str | None]:
    """Return validated names of columns."""
    for key, names in (("inputs", inputs), ("targets", targets)):
        if names is not None and not are_columns(names):
            raise ValueError(f"{key} must be a list of names of columns with file, got {shown(names)}")
    if target is not None and not isinstance(target, str):
        raise ValueError(f"target must be the name of a column of classes, got {shown(target)}")
    if target is not None and targets is not None:
        raise ValueError("target (a column of classes) and targets (columns of numbers) are both set; remove one")
    if inputs is not None and target is None and targets is None:
        raise ValueError(
            "file with inputs needs target (a column of classes) or targets (columns of numbers), got neither"
        )
    return inputs, targets, target


def _rows(key: str, rows: list[Any]) -> tuple[Any, ...]:
    """Return rows as tuples, and flat targets as rows of one number."""
    if rows and not any(isinstance(row, list) for row in rows):
        if key == "targets":
            return tuple((target,) for target in rows)
        raise ValueError(
            f"inputs must be a list for each pattern, as in [[0, 0], [0, 1]] or [[0], [1]]; got {shown(rows)}"
        )
    return tuple(tuple(row) if isinstance(row, list) else row for row in rows)

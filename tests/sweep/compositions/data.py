"""Random tables [data]: tasks with all arguments, files and lists, with test sets and label noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from inspect import Parameter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from sweep.study.data.data_sets import SweptData, read_data
from sweep.study.data.tasks import CODINGS, TASKS, arguments_of
from tests.sweep.compositions.values import LEVELS, Values

# Arguments of tasks with few patterns; those that decide the number of patterns are always drawn.
_SIZES: dict[str, Values] = {
    "bits": st.integers(1, 2),
    "n": st.integers(1, 4),
    "n_inputs": st.integers(1, 3),
    "n_outputs": st.integers(1, 2),
    "classes": st.integers(2, 3),
    "problem": st.integers(1, 3),
}
_ARGUMENTS: dict[str, Values] = _SIZES | {
    "function": st.integers(0, 15),
    "noise": st.sampled_from([0.0, 0.3]),
    "data_seed": st.sampled_from([3, 0, 7]),
    "coding": st.sampled_from(list(CODINGS)),
}
PREPARED: dict[str, Values] = {
    "train_count": st.integers(1, 5),
    "test_count": st.integers(1, 5),
    "split_seed": st.integers(0, 2),
    "validation_count": st.just(1),
    "validation_seed": st.integers(0, 2),
    "folds": st.just(2),
    "fold": st.integers(0, 1),
    "label_noise": st.sampled_from([0.5, 0.0, 1.0]),
    "noise_seed": st.integers(0, 2),
    "standardize": st.booleans(),
    "stratify": st.booleans(),
    "decision_threshold": st.sampled_from([0.5, 0.4, -0.25]),
}
_COUNTS = ("train_count", "test_count", "validation_count", "folds")
# Tasks with few patterns, each with one high target.
_OF_CLASSES = ("encoder", "spiral")
# More patterns than this take too long, so only few of them are used for training.
_MOST_PATTERNS = 16
_NUMBERS = st.sampled_from([0.0, 1.0, -1.0, 0.5, -0.75, 3.0])


@dataclass(frozen=True)
class File:
    """A file that a study names: its columns or arrays by name."""

    suffix: str
    columns: dict[str, Any]

    def write(self, folder: Path) -> str:
        """Write the file and return its path."""
        path = folder / f"{len(list(folder.iterdir()))}{self.suffix}"
        if self.suffix == ".npy":
            np.save(path, next(iter(self.columns.values())))
        elif self.suffix == ".npz":
            np.savez(path, **self.columns)
        else:
            frame = pd.DataFrame(self.columns)
            frame.to_csv(path, index=False) if self.suffix == ".csv" else frame.to_parquet(path)
        return str(path)


class Patterns(NamedTuple):
    """A table [data], its swept options, and the numbers of patterns, inputs, targets and test patterns."""

    table: dict[str, Any]
    swept: dict[str, list[Any]]
    n_patterns: int
    n_inputs: int
    n_targets: int
    n_tests: int


@st.composite
def patterns(draw: st.DrawFn, kind: str) -> Patterns:
    """Draw patterns with a kind of targets."""
    table = draw(draw(st.sampled_from([_tasks, _tasks, _lists, _files]))(kind))
    n_patterns, n_inputs, n_targets = _shape(table)
    few = n_patterns <= _MOST_PATTERNS
    ways = [*(["all", "test"] * few), *(["train", "train_count"] * (n_patterns > 1))]
    ways += ["split"] * (few and n_patterns > 1 and isinstance(table.get("file"), File))
    way = draw(st.sampled_from([*ways, *(["test_count", "folds"] * (few and n_patterns > 1))]))
    if way == "test":
        table["test"] = draw(_held_out(kind, table, n_inputs, n_targets))
    elif way == "train":
        numbers = st.integers(0, n_patterns - 1)
        table["train"] = draw(st.lists(numbers, unique=True, min_size=1, max_size=min(n_patterns - 1, 5)))
    elif way in ("train_count", "test_count"):
        table[way] = min(draw(PREPARED[way]), n_patterns - 1)
    elif way == "split":
        uses = draw(st.permutations(["train", "test", *["train"] * (n_patterns - 2)]))
        table |= {"file": File(table["file"].suffix, table["file"].columns | {"use": uses}), "split": "use"}
    elif way == "folds":
        table |= {"folds": 2, "fold": draw(PREPARED["fold"])}
    if draw(st.integers(0, 2)) == 0:
        if way != "train" and (way == "train_count" or _trained(table)[0] > 1) and draw(st.booleans()):
            table["validation_count"] = 1
        else:
            table["validation"] = draw(_held_out(kind, table, n_inputs, n_targets))
    seeds = (
        ("split_seed", way if way in _COUNTS else "train_count"),
        ("validation_seed", "validation_count"),
        ("noise_seed", "label_noise"),
    )
    for name, beside in (("standardize", None), ("stratify", "folds"), ("label_noise", None), *seeds):
        if (beside is None or table.get(beside)) and draw(st.booleans()):
            table[name] = draw(PREPARED[name])
    if draw(st.integers(0, 3)) == 0:
        table["decision_threshold"] = draw(PREPARED["decision_threshold"])
    swept = draw(_swept(kind, table))
    n_trained, n_tests = _trained(with_values(table, {name: values[0] for name, values in swept.items()}))
    for name in swept:
        use, key = _place(name)
        (table.get(use, {}) if use else table).pop(key, None)
    return Patterns(table, swept, n_trained, n_inputs, n_targets, n_tests)


@st.composite
def _swept(draw: st.DrawFn, kind: str, table: dict[str, Any]) -> dict[str, list[Any]]:
    """Draw values of some options of the table; only one value where they decide the number of patterns."""
    levels = {"target_low": [LEVELS["any"][0], 0.0], "target_high": [LEVELS["any"][1], 1.0]} if kind == "any" else {}
    able = [name for name in table if name in PREPARED or name in _ARGUMENTS or name in levels]
    able = [name for name in able if table[name] != "seed"]
    if "file" in table:
        able = [name for name in able if name in PREPARED]
    for use in ("validation", "test"):
        of_task = table[use] if "task" in table.get(use, {}) else {}
        able += [f"{use}_{key}" for key in of_task if key in {**_ARGUMENTS, **levels} and (key not in _SIZES)]
    found: dict[str, list[Any]] = {}
    for name in draw(st.lists(st.sampled_from(able), unique=True, max_size=2)) if able else ():
        use, key = _place(name)
        own = table[use] if use else table
        one = name in _SIZES or name in _COUNTS or draw(st.integers(0, 3)) == 0
        strategy = st.sampled_from(levels[key]) if key in levels else {**_ARGUMENTS, **PREPARED}[key]
        if key == "function":
            strategy = strategy.map(partial(_function, own.get("bits", 1)))
        more = [] if one else draw(st.lists(strategy, unique=True, max_size=3))
        found[name] = list(dict.fromkeys([own[key], *more]))
    if found.get("label_noise") == [0.0]:
        found.pop("noise_seed", None), table.pop("noise_seed", None)
    return found


def _place(name: str) -> tuple[str, str]:
    """Return the table of held-out patterns that an option is an argument of, empty for others, and its key."""
    use, _, key = name.partition("_")
    is_argument = use in ("validation", "test") and key in {*_ARGUMENTS, "target_low", "target_high"}
    return (use, key) if is_argument else ("", name)


def with_values(table: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table with these values of options."""
    found = dict(table)
    for name, value in values.items():
        use, key = _place(name)
        found |= {use: found[use] | {key: value}} if use else {name: value}
    return found


def _function(bits: int, number: int) -> int:
    return number % 2 ** (2**bits)


@st.composite
def _tasks(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Draw a task and its arguments."""
    fits = {
        "any": [*TASKS, *["noise"] * 3],  # the only one of its keys
        "shares": [name for name in TASKS if name != "noise"],
        "signs": [name for name in TASKS if "target_low" in arguments_of(name)],
        "classes": list(_OF_CLASSES),
    }
    task = draw(st.sampled_from(fits[kind]))
    table: dict[str, Any] = {"task": task}
    for name, default in arguments_of(task).items():
        if name in ("target_low", "target_high"):
            given = LEVELS[kind][name == "target_high"]
            if kind != "any" or draw(st.booleans()):
                table[name] = given
        elif name in _SIZES or default is Parameter.empty or draw(st.booleans()):
            table[name] = draw(_ARGUMENTS[name])
    if "data_seed" in table and draw(st.booleans()):
        table["data_seed"] = "seed"
    if "function" in table:
        table["function"] = _function(table["bits"], table["function"])
    if task == "encoder" and kind == "classes":
        table["n"] = max(table["n"], 2)
    return table


def _targets(kind: str, n_targets: int) -> Values:
    """Draw the targets of a pattern."""
    if kind == "classes":
        whole = st.integers(0, n_targets - 1).map(lambda own: [float(k == own) for k in range(n_targets)])
        return st.one_of(whole, st.just([0.25, 0.75] + [0.0] * (n_targets - 2)))
    numbers = st.sampled_from([*LEVELS[kind], *([0.0, 7.0] if kind == "any" else [])])
    return st.lists(numbers, min_size=n_targets, max_size=n_targets)


@st.composite
def _rows(draw: st.DrawFn, kind: str, n_inputs: int, n_targets: int) -> tuple[list[list[float]], list[list[float]]]:
    """Draw inputs and targets of a few patterns."""
    inputs = st.lists(_NUMBERS, min_size=n_inputs, max_size=n_inputs)
    rows = draw(st.lists(st.tuples(inputs, _targets(kind, n_targets)), min_size=1, max_size=5))
    return [row for row, _ in rows], [row for _, row in rows]


@st.composite
def _lists(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Draw lists; targets may be flat if each pattern has one."""
    n_inputs, n_targets = (
        draw(st.integers(1, 3)),
        draw(st.integers(2, 3) if kind == "classes" else st.integers(1, 2)),
    )
    inputs, targets = draw(_rows(kind, n_inputs, n_targets))
    flat = n_targets == 1 and draw(st.booleans())
    return {"inputs": inputs, "targets": [target for (target,) in targets] if flat else targets}


@st.composite
def _files(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Draw a file with the usual names of columns, with others, or with a column of classes."""
    given, suffix = draw(_lists(kind)), draw(st.sampled_from([".csv", ".parquet"]))
    way = draw(st.sampled_from(["usual", "named", "target"]))
    targets = [row if isinstance(row, list) else [row] for row in given["targets"]]
    one_hot: dict[str, list[str]] = {}
    names = "xy" if way == "usual" else "ab"
    columns = {f"{names[0]}{i}": list(values) for i, values in enumerate(zip(*given["inputs"], strict=True))}
    inputs = list(columns)
    if len(set(columns[inputs[0]])) > 1 and draw(st.booleans()):
        one_hot["one_hot"] = inputs[:1]
        columns[inputs[0]] = [f"c{value}" for value in columns[inputs[0]]]
    own = {f"{names[1]}{o}": list(values) for o, values in enumerate(zip(*targets, strict=True))}
    if way == "target":
        labels = draw(st.lists(st.sampled_from("pqr"), min_size=len(targets), max_size=len(targets)))
        labels[:2] = ["p", "q"][: len(labels)]
        levels = dict(zip(("target_low", "target_high"), LEVELS[kind], strict=True))
        levels = levels if kind != "any" or draw(st.booleans()) else {}
        file = File(suffix, columns | {"label": labels})
        if len(set(labels)) > 1:
            own_targets = {"target_one_hot": True} if kind == "classes" or draw(st.booleans()) else {}
            named = {"inputs": inputs} if draw(st.booleans()) else {}
            return {"file": file, "target": "label", **named, **one_hot, **own_targets, **levels}
    chosen = {"inputs": inputs, "targets": list(own)} if names == "ab" else {}
    return {"file": File(suffix, columns | own), **chosen, **one_hot}


@st.composite
def _held_out(draw: st.DrawFn, kind: str, table: dict[str, Any], n_inputs: int, n_targets: int) -> dict[str, Any]:
    """Draw held-out patterns: lists, or the task with other arguments that change no size."""
    if "task" in table and draw(st.booleans()):
        again = {name: value for name, value in table.items() if name == "task" or name in arguments_of(table["task"])}
        return again | {name: draw(_ARGUMENTS[name]) for name in again if name in ("coding", "noise", "data_seed")}
    inputs, targets = draw(_rows(kind, n_inputs, n_targets))
    return {"inputs": inputs, "targets": targets}


def _shape(table: dict[str, Any]) -> tuple[int, int, int]:
    """Return the numbers of patterns, inputs and targets of a table before any preparation."""
    if isinstance(table.get("file"), File):
        columns = table["file"].columns
        n_rows = len(next(iter(columns.values())))
        names = table.get("inputs", [name for name in columns if name[0] in "xa"])
        n_inputs = sum(len(set(columns[name])) if name in table.get("one_hot", ()) else 1 for name in names)
        n_labels = len(set(columns.get("label", ())))
        n_targets = 1 if n_labels == 2 and "target_one_hot" not in table else n_labels
        return n_rows, n_inputs, n_targets or len(columns) - len(names) - ("split" in table)
    found = read_data(table, SweptData((), 1, [()]), lambda error: [str(error)])
    assert found is not None
    return found.n_patterns, found.n_inputs, found.n_targets


def _trained(table: dict[str, Any]) -> tuple[int, int]:
    """Return the numbers of training and test patterns."""
    plain = {name: value for name, value in table.items() if name not in ("train", "validation", "test", *PREPARED)}
    whole = _shape(plain)[0]
    n_tests = table.get("test_count", whole // table["folds"] if "folds" in table else int("split" in table))
    n_validations = table.get("validation_count", 0)
    if "train" in table or "train_count" in table:
        n_tests = whole - n_validations - (table.get("train_count") or len(table["train"]))
    return whole - n_tests - n_validations, _shape(table["test"])[0] if "test" in table else n_tests

"""Tools that the tests of sweep share: small studies, comparisons of tables, the command line, folders."""

from __future__ import annotations

import hashlib
import io
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sweep import Study, StudyError
from sweep.__main__ import run_command
from sweep.schedule.waves import Part
from sweep.store.bits import own_bits
from sweep.store.claim import FolderRequest, claim
from sweep.store.commits import Commit
from sweep.store.local import LocalFiles
from sweep.store.store import Store
from sweep.study.options.option_tables import OPTIONS
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.part_result import PartResult
from tests import oracle

# The table of each option that can be swept, except those of [data].
SECTIONS = {name: each.section for name, each in OPTIONS.items() if each.is_swept and each.section != "data"}

# Options that decide the kernel, and those that decide the initial weights: one call of the oracle trains runs that
# share them.
SHAPE, START = (tuple(name for name in SECTIONS if OPTIONS[name].role == role) for role in ("kernel", "start"))

# Columns of 32 bits, besides those of steps to loss thresholds.
NARROW = ("steps", "epochs", "restarts", "total_steps", "n_correct", "n_test_correct", "steps_at_best")

# A small study as a file.
STUDY_TEXT = """
name = "mine"
[data]
task = "xor"
[network]
hidden = 2
[training]
max_steps = 50
[parameters]
learning_rate = { values = [0.1, 0.2] }
[seeds]
count = 5
"""


def make_study(
    count: int = 20,
    base: int = 0,
    name: str = "small",
    data: dict[str, Any] | None = None,
    loss_thresholds: Sequence[float] = (),
    curves: dict[str, Any] | None = None,
    until: dict[str, Any] | None = None,
    **scalars: Any,
) -> Study:
    """Make a study, by default of XOR; scalars that are lists are swept, in the order of the arguments.

    By default 2 hidden units and 2 learning rates for at most 60 steps: runs that converge and runs that do not.
    """
    tables: dict[str, Any] = {"network": {}, "initial_weights": {}, "training": {}, "convergence": {}}
    parameters = {}
    given = {"hidden": [2, 3], "learning_rate": [0.05, 0.2], "max_steps": 60, "threshold": 0.01}
    if set(np.atleast_1d(scalars.get("criterion", "loss"))) <= {"correct", "none"}:  # which have no threshold
        del given["threshold"]
    given = {key: value for key, value in given.items() if key not in scalars} | scalars
    for key, value in given.items():
        if isinstance(value, list):
            parameters[key] = {"values": value}
        else:
            tables[SECTIONS[key]][key] = value
    seeds: dict[str, Any] = {"base": base, "count": count} | ({"until": until} if until else {})
    record: dict[str, Any] = {"loss_thresholds": loss_thresholds} if loss_thresholds else {}
    record |= {"curves": curves} if curves else {}
    return Study(name=name, data=data or {"task": "xor"}, parameters=parameters, seeds=seeds, record=record, **tables)


# A study of six parts of 20 runs, as the fixture six_parts trains it.
SIX_PARTS = make_study(count=30, learning_rate=[0.2, 0.05], hidden=[3, 2])


def write_study(path: Path, study: Study) -> Path:
    """Write a study file and return its path."""
    path.write_text(study.to_toml(), "utf-8")
    return path


def assert_same_table(given: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Require the same columns and equal values, including infinities and missing values, with any types."""
    assert list(given.columns) == list(expected.columns)
    assert len(given) == len(expected)
    for name in expected.columns:
        for row, (value, wanted) in enumerate(zip(given[name].tolist(), expected[name].tolist(), strict=True)):
            same = pd.isna(value) if pd.isna(wanted) else value is not pd.NA and value == wanted
            assert same, f"{name} of row {row}: {value}, not {wanted}"


def digest_of(runs: pd.DataFrame, dtype: str = "float64") -> str:
    """Compute the digest of a runs table as documented, from the frame and the type of weights alone."""
    total = hashlib.sha256()
    for name in runs.columns:
        values = runs[name].tolist()
        if name == "status":
            kind, content = "status", bytes(oracle.STATUSES.index(value) for value in values)
        elif isinstance(values[0], bool):
            kind, content = "bool", bytes(values)
        elif name.endswith("_weights"):
            numbers = np.array([number for row in values for number in row], np.dtype(dtype).newbyteorder("<"))
            kind, content = f"list<{dtype}>", numbers.tobytes()
        elif isinstance(values[0], str):
            kind, content = "string", b"".join(value.encode() + b"\0" for value in values)
        else:
            narrow = name in NARROW or name.startswith("steps_to_")
            kind = "float64" if isinstance(values[0], float) else "int32" if narrow else "int64"
            content = np.array(values, np.dtype(kind).newbyteorder("<")).tobytes()
        total.update(f"{name} {kind} {hashlib.sha256(content).hexdigest()}\n".encode())
    return total.hexdigest()


@dataclass(frozen=True)
class Finished:
    """How a command ended."""

    code: int
    out: str
    err: str


def command(*options: str | Path) -> Finished:
    """Run the command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        mock.patch.object(sys, "argv", ["sweep", *map(str, options)]),
    ):
        try:
            run_command()
        except SystemExit as end:
            code = end.code or 0
    return Finished(int(code), out.getvalue(), err.getvalue())


def assert_refused(finished: Finished, words: tuple[str, ...]) -> None:
    """Require exit code 2 and one sentence that contains these texts."""
    assert finished.code == 2, finished
    assert finished.out == ""
    (line,) = finished.err.splitlines()
    assert line.startswith("error: ")
    for word in words:
        assert word in line


@contextmanager
def refused(*parts: str) -> Iterator[None]:
    """Require a study to be refused with one fault, which contains these texts."""
    with pytest.raises(StudyError) as caught:
        yield
    (fault,) = caught.value.faults
    assert fault.isprintable()
    assert all(part in fault for part in parts), fault


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return the content of everything below a folder; None for folders."""
    found = sorted(folder.rglob("*"))
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in found}


@contextmanager
def training_watched(after: int | None = None, error: BaseException | None = None) -> Iterator[list[int]]:
    """Note the numbers of trained parts; raise ``error``, if any, after ``after`` parts."""
    trained: list[int] = []
    train = PartTrainer.train

    def watched(worker: PartTrainer, part: Part) -> PartResult:
        if error is not None and len(trained) == after:
            raise error
        trained.append(part.index)
        return train(worker, part)

    with mock.patch.object(PartTrainer, "train", watched):
        yield trained


def copy_result(source: Path, target: Path) -> Path:
    """Copy a results folder."""
    return Path(shutil.copytree(source, target))


def forge(source: Path, target: Path, change: Callable[[pa.Table], pa.Table]) -> Path:
    """Copy a finished result with changed rows, with hashes that fit."""
    old = Store.open(source)
    with claim(
        LocalFiles(target), FolderRequest(old.study, old.keep, overwrite=False, bits=old.bits, waves=old.waves)
    ) as new:
        for commit, table in zip(old.commits().values(), old.tables(), strict=True):
            result = mock.Mock(
                part=commit.as_part(),
                rows=partial(change, table),
                **{name: getattr(commit, name) for name in ("n_runs", "net_steps", "lane_steps", "reused_steps")},
            )
            new.write_part(result, session=commit.session, begin=commit.begin, end=commit.end)
        new.finish(old.read_cells, old.facts())
    return target


def make_store(folder: Path, study: Study, keep: str = "runs") -> Store:
    """Start or continue a results folder, and return its store without a lock."""
    with claim(
        LocalFiles(folder), FolderRequest(study, keep, overwrite=False, bits=own_bits(), waves=study.seeds.rounds)
    ):
        return Store(LocalFiles(folder), study, keep, study.seeds.rounds, own_bits())


def replace_value(table: pa.Table, run: int, column: str, value: Any) -> pa.Table:
    """Return a runs table with one changed value."""
    values = table[column].to_pylist()
    numbers = table["run"].to_pylist()
    if run not in numbers:
        return table
    values[numbers.index(run)] = value
    index = table.schema.get_field_index(column)
    return table.set_column(index, table.schema.field(column), pa.array(values).cast(table.schema.field(column).type))


def parts_of(folder: Path) -> list[Path]:
    """Return the committed parts of a results folder, in part order."""
    return [folder / "parts" / commit.file for commit in Store.open(folder).commits().values()]


def make_commit(part: int, start: int, stop: int, session: str = "s", begin: float = 0.0, end: float = 0.0) -> Commit:
    """Return a commit of this process, of no part."""
    return Commit("s", part, start, stop, "", "", 0, 0, session, begin, end, 0, *own_bits().as_dict().values())

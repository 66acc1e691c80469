"""Cells that an earlier version wrote: they open and pass checks, and what they did not tell is missing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import sweep
from sweep import open_result, verify
from sweep.store.parquet import encode_table
from sweep.store.reader import StoreReader
from sweep.store.records import decode_record, encode_record
from sweep.study.cell_columns import cells_columns
from tests.sweep.support import command, copy_result, make_study

pytestmark = pytest.mark.slow

STUDY = make_study(count=20)
LATER = [column.name for column in cells_columns(STUDY) if column.later]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train the study."""
    out = tmp_path_factory.mktemp("older") / "r"
    sweep.run(STUDY, out)
    return out


def with_cells(source: Path, target: Path, older: bool, column: str, value: float) -> Path:
    """Copy a result, with cells as an earlier version wrote them or as now, and another value in the first of them."""
    copy_result(source, target)
    store = StoreReader.open(target)
    table = store.read_cells()
    columns = [each for each in cells_columns(store.study) if not (older and each.later)]
    changed = [value, *table[column].to_pylist()[1:]]
    table = table.set_column(table.column_names.index(column), column, pa.array(changed, table[column].type))
    content = encode_table(table.select([each.name for each in columns]), columns, {})
    (target / "cells.parquet").write_bytes(content)
    facts = decode_record((target / "run.json").read_bytes(), "run.json")
    facts.pop("check", None)
    facts["cells_sha256"] = hashlib.sha256(content).hexdigest()
    (target / "run.json").write_bytes(encode_record(facts))
    return target


def test_older_cells_open(folder: Path, tmp_path: Path) -> None:
    """What was written is read; intervals that came later are missing, and a cost of restarts that was too low."""
    older = with_cells(folder, tmp_path / "r", older=True, column="restarted_steps", value=1.0)
    cells, now = open_result(older).cells, open_result(folder).cells
    missing = [*LATER, "restarted_steps"]
    assert len(LATER) == 4
    assert cells[missing].isna().all(axis=None)
    pd.testing.assert_frame_equal(cells.drop(columns=missing), now.drop(columns=missing))
    assert verify(older).intact
    for words in (["show", older], ["best", older], ["report", older], ["verify", older, "--repair"],
                  ["figure", older, "lines", "--value", "restarted_steps"]):  # fmt: skip
        finished = command(*words)
        assert finished.code == 0, finished.err


@pytest.mark.parametrize(
    ("older", "column", "value"),
    [
        (True, "convergence_rate_low", 0.123),
        (True, "n_converged", 21),
        (False, "restarted_steps", 1.0),
        (False, "restricted_mean_steps_high", 1.0),
        (False, "expected_steps", np.nan),
    ],
)
def test_other_statistics_are_found(folder: Path, tmp_path: Path, older: bool, column: str, value: float) -> None:
    """What a version did write is compared with the parts."""
    found = verify(with_cells(folder, tmp_path / "r", older, column, value))
    assert not found.intact
    assert "other statistics" in found.faults[0]


def test_quartiles_of_measures_come_from_rows(tmp_path: Path) -> None:
    """Where an earlier version recorded measures and stored no quartiles of them."""
    study = sweep.Study(**STUDY.canonical() | {"record": {"measures": ["margin"]}})
    now = sweep.run(study, tmp_path / "now").cells
    older = with_cells(tmp_path / "now", tmp_path / "older", True, "convergence_rate", now["convergence_rate"].iloc[0])
    cells, names = open_result(older).cells, [name for name in now if name.startswith("margin")]
    assert len(names) == 9
    assert now[names].notna().all(axis=None)
    pd.testing.assert_frame_equal(cells[names], now[names])
    assert verify(older).intact

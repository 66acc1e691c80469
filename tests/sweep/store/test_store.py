"""Results on disk: which files there are and what they hold."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sweep
from sweep import Study, open_result
from sweep.columns import Column, arrow_schema
from sweep.errors import DamageError
from sweep.schedule.plan import Plan
from sweep.schemas.cell_columns import cells_columns, tally_columns
from sweep.schemas.run_columns import runs_columns
from sweep.store.parquet import decode_table
from sweep.store.store import Store
from tests.sweep.in_parts import interrupt_in_parts, run_in_parts
from tests.sweep.support import assert_same_table, digest_of, make_study, parts_of
from tests.sweep.training.test_options import SWEPT, study_of

pytestmark = pytest.mark.slow

STUDY = make_study(count=60, learning_rate=[0.2, 0.05, 30.0], hidden=[4, 2], bias=[True, False], name="kept")
FACTS = {"session": "s", "begin": 0.0, "end": 1.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished study, not to be changed."""
    path = tmp_path_factory.mktemp("results") / "deep" / "kept"
    run_in_parts(STUDY, out=path, part_runs=100)
    return path


def test_layout(folder: Path) -> None:
    """A finished folder holds the study, the facts, the cells, and one file and one commit for each part."""
    assert sorted(path.name for path in folder.iterdir()) == [
        "cells.parquet",
        "commits",
        "parts",
        "run.json",
        "study.toml",
    ]
    n_parts = Plan(STUDY, 100).n_parts
    commits = sorted((folder / "commits").iterdir())
    assert len(commits) == n_parts
    named = [json.loads(path.read_text())["file"] for path in commits]
    assert sorted(named) == sorted(path.name for path in (folder / "parts").iterdir())
    for path in commits:
        commit = json.loads(path.read_text())
        part = (folder / "parts" / commit["file"]).read_bytes()
        assert commit["sha256"] == hashlib.sha256(part).hexdigest()
    facts = json.loads((folder / "run.json").read_text())
    assert facts["identity"] == STUDY.identity
    assert facts["cells_sha256"] == hashlib.sha256((folder / "cells.parquet").read_bytes()).hexdigest()


def test_opened_result_equals_the_one_in_memory(folder: Path) -> None:
    """An opened result has the same frames, types, digest and facts as the result of the run."""
    memory, stored = sweep.run(STUDY), open_result(folder)
    assert stored.directory == folder
    assert stored.study == STUDY
    assert stored.facts["digest"] == memory.facts["digest"] == digest_of(stored.runs())
    pd.testing.assert_frame_equal(stored.runs(), memory.runs())
    pd.testing.assert_frame_equal(stored.cells, memory.cells)
    assert set(memory.facts) <= set(stored.facts)
    pd.testing.assert_frame_equal(stored.runs(["steps", "run"]), memory.runs(["steps", "run"]))
    assert stored.row(500) == memory.row(500)
    assert repr(str(folder)) in repr(stored)
    assert str(stored.facts["digest"])[:12] in repr(stored)


def test_runs_have_the_same_types_in_memory_and_on_disk(tmp_path: Path) -> None:
    """Columns have the same types in memory and on disk, whatever the order of visits."""
    swept = {"learning_rate": [0.1, 0.2], "generator": ["mt19937", "pcg64"], "bias": [True, False], "max_steps": [3, 5]}
    for k, order in enumerate((list(swept), list(swept)[::-1], ["generator", "bias", "max_steps", "learning_rate"])):
        study = make_study(**{name: swept[name] for name in order})
        memory, stored = (run_in_parts(study, out=out, part_runs=50) for out in (None, tmp_path / str(k)))
        pd.testing.assert_frame_equal(memory.runs(), stored.runs())
        assert stored.facts == open_result(tmp_path / str(k)).facts
        pd.testing.assert_frame_equal(memory.runs(["status", "final_loss"]), stored.runs(["status", "final_loss"]))


def test_columns_in_files_have_unit_and_meaning(folder: Path) -> None:
    """Unit and meaning of each column are in the Arrow field metadata of every file."""
    for path, columns in [(part, runs_columns(STUDY)) for part in parts_of(folder)] + [
        (folder / "cells.parquet", cells_columns(STUDY))
    ]:
        schema = pq.read_schema(path)
        assert schema.names == [column.name for column in columns]
        for column in columns:
            metadata = schema.field(column.name).metadata
            assert metadata[b"description"].decode() == column.doc != ""
            assert metadata[b"unit"].decode() == column.unit


def test_types_on_disk(folder: Path) -> None:
    """Columns have the documented types."""
    schema = pq.read_schema(parts_of(folder)[0])
    types = {name: str(schema.field(name).type) for name in schema.names}
    assert types.pop("status").startswith("dictionary<values=string, indices=int")  # 32 bits as older Arrows read it
    assert types == {
        "run": "int64",
        "cell": "int64",
        "seed": "int64",
        "learning_rate": "double",
        "hidden": "int64",
        "bias": "bool",
        "steps": "int32",
        "initial_loss": "double",
        "final_loss": "double",
        "n_correct": "int32",
        "max_error": "double",
    }


def test_columns_describe_themselves() -> None:
    """Every column of every table has a meaning, and names are unique."""
    for name, (values, others) in SWEPT.items():
        study = study_of(name, values, **others)
        for columns in (runs_columns(study), cells_columns(study), tally_columns()):
            assert all(isinstance(column, Column) and column.doc for column in columns)
            names = [column.name for column in columns]
            assert len(set(names)) == len(names)
            assert arrow_schema(columns).names == names
        assert name in {column.name for column in runs_columns(study)}
    swept = Study(
        data={"task": "xor", "train_count": 3}, parameters={"target_low": [0, 1], "hidden": [2], "learning_rate": [1]}
    )
    tested = ["train_accuracy", "test_loss", "n_test_correct", "test_accuracy"]
    assert [c.name for c in runs_columns(swept) if c.name in tested] == tested


def test_compression(folder: Path) -> None:
    """Parts are written with zstd, floats as split byte streams and integers as differences."""
    group = pq.ParquetFile(parts_of(folder)[0]).metadata.row_group(0)
    columns = {group.column(k).path_in_schema: group.column(k) for k in range(group.num_columns)}
    assert {column.compression for column in columns.values()} == {"ZSTD"}
    for name in ("initial_loss", "final_loss", "max_error", "learning_rate"):
        assert "BYTE_STREAM_SPLIT" in columns[name].encodings
    for name in ("run", "cell", "seed", "steps"):
        assert "DELTA_BINARY_PACKED" in columns[name].encodings


def test_pages_carry_checksums(folder: Path) -> None:
    """Parquet's own checksum detects every flipped bit in the data of a page."""
    part = max(parts_of(folder), key=lambda path: path.stat().st_size)
    content = part.read_bytes()
    group = pq.ParquetFile(part).metadata.row_group(0)
    known = {column.name: column for column in runs_columns(STUDY)}
    random = np.random.default_rng(7)
    silent = 0
    for name in ("initial_loss", "final_loss", "max_error"):
        column = group.column([group.column(k).path_in_schema for k in range(group.num_columns)].index(name))
        start, size = column.data_page_offset, column.total_compressed_size
        for position in random.integers(start + size // 2, start + size, 30):
            damaged = bytearray(content)
            damaged[position] ^= 1 << int(random.integers(8))
            with pytest.raises(DamageError, match="not the Parquet"):
                decode_table(bytes(damaged), [known[name]], "part", STUDY.n_runs)
            try:
                pq.read_table(pa.BufferReader(bytes(damaged)), columns=[name])
                silent += 1
            except OSError:
                pass
    assert silent > 0


@pytest.mark.parametrize("keep", ["runs", "cells"])
def test_metadata_of_files(tmp_path: Path, keep: Literal["runs", "cells"]) -> None:
    """Format, study, identity and version are in the metadata of every Parquet file."""
    sweep.run(make_study(), out=tmp_path / "r", keep=keep)
    for path in (tmp_path / "r" / "cells.parquet", *parts_of(tmp_path / "r")):
        metadata = pq.read_metadata(path).metadata
        assert (metadata[b"format"], metadata[b"study"]) == (b"1", b"small")
        assert metadata[b"identity"].decode() == make_study().identity
        assert metadata[b"xor-sweep"].decode() == sweep.__version__


def test_files_of_a_result(folder: Path, tmp_path: Path) -> None:
    """The files are those that the commits name, in part order; a result in memory has none."""
    assert [Path(path) for path in open_result(folder).parts()] == parts_of(folder)
    parts = [int(path.name.partition("-")[0]) for path in parts_of(folder)]
    assert parts == list(range(len(parts)))
    with pytest.raises(sweep.StoreError, match="in memory"):
        sweep.run(make_study(count=1)).parts()
    interrupt_in_parts(STUDY, tmp_path / "r", 1, part_runs=100)
    with pytest.raises(sweep.StoreError, match="not complete"):
        open_result(tmp_path / "r")


def test_tallies_on_disk(tmp_path: Path) -> None:
    """With ``keep="cells"``, parts hold counts, and results are resumed and read like others."""
    study = make_study(count=100, hidden=[1, 2], learning_rate=[0.1], max_steps=5, threshold=1.0)
    result = run_in_parts(study, out=tmp_path / "r", keep="cells", part_runs=64)
    again = open_result(tmp_path / "r")
    pd.testing.assert_frame_equal(again.cells, result.cells)
    assert_same_table(again.cells, sweep.run(study).cells)
    tallies = list(Store.open(tmp_path / "r").tables())
    assert sum(sum(table["n"].to_pylist()) for table in tallies) == study.n_runs
    assert sum(map(len, tallies)) < study.n_runs / 4
    with pytest.raises(sweep.StoreError, match="keeps cells"):
        again.runs()

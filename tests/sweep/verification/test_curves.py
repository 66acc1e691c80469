"""Checks of learning curves: damage, missing or forged points, and repair."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import sweep
from sweep import Study
from sweep.schemas.run_columns import curves_columns
from sweep.store.parquet import encode_table
from sweep.store.reader import StoreReader
from tests.sweep.forgers import forge_record
from tests.sweep.support import make_study

Change = Callable[[pa.Table], pa.Table]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished study that records curves, not to be changed."""
    place = tmp_path_factory.mktemp("curves") / "r"
    study = make_study(count=6, hidden=2, max_steps=40, batch=[2, 4])
    sweep.run(Study(**study.canonical() | {"record": {"curves": {"seeds": 3}}}), out=place)
    return place


def forged(folder: Path, place: Path, change: Change) -> Path:
    """Change a copy of the curves, with a matching checksum."""
    shutil.copytree(folder, place)
    store = StoreReader.open(place)
    content = encode_table(change(store.read_curves()), curves_columns(store.study), {})
    (place / "curves.parquet").write_bytes(content)
    forge_record(place / "run.json", curves_sha256=hashlib.sha256(content).hexdigest())
    return place


def with_value(column: str, row: int, value: Any) -> Change:
    """Return a change of one value."""

    def change(table: pa.Table) -> pa.Table:
        values = table[column].to_pylist()
        values[row] = value
        index, field = table.schema.get_field_index(column), table.schema.field(column)
        array = pa.array(values, pa.string()).dictionary_encode() if column == "status" else pa.array(values)
        return table.set_column(index, field, array.cast(field.type))

    return change


@pytest.mark.wide
def test_intact_curves(folder: Path) -> None:
    """Intact curves agree with rows and with a new training."""
    assert sweep.verify(folder).intact
    assert sweep.verify(folder, sample=2, sample_seed=5).intact
    assert sweep.verify(folder, sample=-1).intact


# A run of two windows has points at 0, 2 (of steps 1 and 2), 6 (of step 5), 10, 20 and its end, 40.
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda table: table.slice(0, len(table) - 1), "its column 'run' does not fit the rows of its runs"),
        (lambda table: table.slice(6), "its column 'run' does not fit the rows of its runs"),
        (with_value("steps", 2, 3), "its column 'steps' does not fit the rows of its runs"),
        (with_value("batch", 0, 4), "its column 'batch' does not fit the rows of its runs"),
        (with_value("train_loss", 3, None), "it lacks values"),
    ],
)
def test_forged_curves(folder: Path, tmp_path: Path, change: Change, expected: str) -> None:
    """Curves with other points than rows and study require are detected without training, and repaired."""
    place = forged(folder, tmp_path / "f", change)
    (fault,) = sweep.verify(place).faults
    assert fault.startswith(f"'{place / 'curves.parquet'}' is damaged: {expected}")
    assert sweep.repair(place).faults == [fault]
    assert sweep.verify(place, sample=-1).intact
    assert sweep.open_result(place).learning_curves().equals(sweep.open_result(folder).learning_curves())


def test_a_forged_point_is_found_by_training(folder: Path, tmp_path: Path) -> None:
    """A wrong loss is detected if its run is drawn."""
    place = forged(folder, tmp_path / "f", with_value("train_loss", 3, 0.25))
    assert sweep.verify(place).intact
    (fault,) = sweep.verify(place, sample=-1).faults
    assert "the learning curve of run 0 at step 10: train_loss must be " in fault
    found = [sweep.verify(place, sample=6, sample_seed=seed).faults for seed in range(12)]
    assert [] in found
    assert [fault] in found
    assert sweep.repair(place, sample=-1).faults == [fault]
    assert sweep.verify(place, sample=-1).intact


def test_damaged_and_lost_files(folder: Path, tmp_path: Path) -> None:
    """Damaged and missing curves are reported in one sentence, also beside damaged rows, and readers refuse them."""
    place = tmp_path / "f"
    shutil.copytree(folder, place)
    path = place / "curves.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    (fault,) = sweep.verify(place).faults
    assert fault.startswith(f"'{path}' is damaged: its SHA-256")
    with pytest.raises(sweep.StoreError, match="SHA-256"):
        sweep.open_result(place).learning_curves()
    path.unlink()
    next((place / "parts").iterdir()).write_bytes(b"")
    assert [fault for fault in sweep.verify(place).faults if "curves" in fault] == [
        f"'{path}' is damaged: it is missing"
    ]
    assert sweep.repair(place).faults
    assert sweep.verify(place, sample=-1).intact

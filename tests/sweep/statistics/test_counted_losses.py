"""Counts by rounded loss: who changes them is found out, and parts of versions that had none stay as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sweep
from sweep import open_result, verify
from sweep.study.cell_columns import tally_columns
from tests.sweep.forgers import forge_parts
from tests.sweep.in_shards import run_in_shards
from tests.sweep.support import make_study

STUDY = make_study(count=20, hidden=2, learning_rate=[0.1, 0.2, 5.0], criterion="none", max_steps=30)


@contextmanager
def before_losses() -> Iterator[None]:
    """Be the version that counted no losses, as far as parts go."""
    with (
        mock.patch("sweep.statistics.losses.counts_columns", return_value=tally_columns()),
        mock.patch("sweep.store.reader.counts_columns", return_value=tally_columns()),
        mock.patch("sweep.store.parts.Parts.losses", return_value=None),
    ):
        yield


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("n_before", [20, 60])
def test_parts_without_losses(tmp_path: Path, n_before: int) -> None:
    """What was begun before goes on and is checked: cells whose runs are not all counted tell nothing of losses."""
    now = run_in_shards(STUDY, tmp_path / "now", keep="cells", shard_runs=20)
    with before_losses():
        run_in_shards(STUDY, tmp_path / "r", keep="cells", shard_runs=20, max_runs=n_before)
    result = run_in_shards(STUDY, tmp_path / "r", keep="cells", shard_runs=20)
    assert result.facts["digest"] == now.facts["digest"]
    assert result.cells["final_loss_q50"].notna().sum() == (60 - n_before) // 20
    known = result.cells["final_loss_q50"].notna()
    pd.testing.assert_frame_equal(result.cells[known], now.cells[known])
    assert verify(tmp_path / "r", sample=-1).intact
    assert open_result(tmp_path / "r").tally.equals(now.tally)


@pytest.mark.slow
def test_repaired_parts_without_losses(tmp_path: Path) -> None:
    """A repair that trains such a part again counts its losses."""
    with before_losses():
        run_in_shards(STUDY, tmp_path / "r", keep="cells", shard_runs=20, max_runs=20)
    run_in_shards(STUDY, tmp_path / "r", keep="cells", shard_runs=20)
    (part,) = [path for path in map(Path, open_result(tmp_path / "r").parts())
               if "final_loss" not in pq.read_schema(path).names]  # fmt: skip
    part.write_bytes(b"damaged")
    sweep.repair(tmp_path / "r")
    assert verify(tmp_path / "r").intact
    assert open_result(tmp_path / "r").cells["final_loss_q50"].notna().all()


FORGED: list[tuple[int, float, str]] = [
    (0, 1e-9 + 2**-70, "rounded"),
    (0, -0.5, "not below 0"),
    (-1, np.nan, "rounded"),
    (-1, np.inf, "no finite loss"),
    (-1, 0.0, "in order"),
]


def with_loss(folder: Path, row: int, value: float) -> None:
    """Put another loss into a row of counts."""

    def change(table: pa.Table) -> pa.Table:
        values = table["final_loss"].to_numpy().copy()
        values[row] = value
        place = table.column_names.index("final_loss")
        return table.set_column(place, table.schema.field("final_loss"), pa.array(values))

    forge_parts(folder, change)


@pytest.mark.slow
@pytest.mark.parametrize(("row", "value", "why"), FORGED)
def test_counts_of_losses_that_cannot_be(tmp_path: Path, row: int, value: float, why: str) -> None:
    """Losses that are counted follow rules, whoever made the checksums fit."""
    study = make_study(count=20, hidden=2, learning_rate=[0.1, 0.2], criterion="none", max_steps=30)
    run_in_shards(study, tmp_path / "r", keep="cells", shard_runs=40)
    with_loss(tmp_path / "r", row, value)
    (fault,) = verify(tmp_path / "r").faults
    assert why in fault


def test_losses_of_judged_cells_are_not_counted(tmp_path: Path) -> None:
    """There they are 0; whoever says otherwise is found out."""
    study = make_study(count=5, hidden=2, learning_rate=0.2, criterion=["none", "loss"])
    sweep.run(study, tmp_path / "r", keep="cells")

    with_loss(tmp_path / "r", -1, 0.5)
    (fault,) = verify(tmp_path / "r").faults
    assert "0 elsewhere" in fault

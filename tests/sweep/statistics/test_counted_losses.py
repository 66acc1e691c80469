"""Verification finds changed counts of rounded losses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import sweep
from sweep import verify
from tests.sweep.forgers import forge_parts
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import make_study

FORGED: list[tuple[int, float, str]] = [
    (0, 1e-9 + 2**-70, "rounded"),
    (0, -0.5, "at least 0"),
    (-1, np.nan, "rounded"),
    (-1, np.inf, "and no others, have final_loss inf"),
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
def test_forged_losses_are_found(tmp_path: Path, row: int, value: float, why: str) -> None:
    """Losses that break a rule are found although the checksums fit."""
    study = make_study(count=20, hidden=2, learning_rate=[0.1, 0.2], criterion="none", max_steps=30)
    run_in_parts(study, tmp_path / "r", keep="cells", part_runs=40)
    with_loss(tmp_path / "r", row, value)
    (fault,) = verify(tmp_path / "r").faults
    assert why in fault


def test_losses_of_evaluated_cells_are_not_counted(tmp_path: Path) -> None:
    """Their losses are 0 in counts; other values are found."""
    study = make_study(count=5, hidden=2, learning_rate=0.2, criterion=["none", "loss"])
    sweep.run(study, tmp_path / "r", keep="cells")

    with_loss(tmp_path / "r", -1, 0.5)
    (fault,) = verify(tmp_path / "r").faults
    assert "is 0 in cells with a criterion" in fault

"""Weights of runs that are trained again are those that a result records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import sweep
from tests.sweep.support import make_study

SWEPT: dict[str, Any] = {"hidden": [2, 4], "learning_rate": [0.1, 1e3], "max_steps": 40, "count": 9}


def recorded(**changes: Any) -> sweep.Result:
    """Return a result in memory that records initial and final weights."""
    tables = make_study(**SWEPT).canonical() | {"record": {"weights": "both"}} | changes
    return sweep.run(sweep.Study(**tables))


@pytest.mark.parametrize(
    "changes", [{}, {"restarts": {"max_restarts": 2, "after_steps": 10}}], ids=["plain", "restarts"]
)
def test_weights_are_those_that_are_recorded(changes: dict[str, Any]) -> None:
    """Any seeds of any cell, in any order, diverged ones too."""
    result = recorded(**changes)
    for cell in range(result.study.n_cells):
        for which in ("final", "initial"):
            expected = result.weights(cell, which)
            for source in (result, result.study):
                found = sweep.trained_weights(source, cell, [7, 0, 3], which)
                assert list(found) == list(expected)
                for name, array in found.items():
                    assert np.array_equal(array, expected[name][[7, 0, 3]], equal_nan=True), (cell, which, name)
    assert np.array_equal(sweep.trained_weights(result)["v"], result.weights(0)["v"])


def test_counts_suffice(tmp_path: Path) -> None:
    """A result without rows gives the weights of its runs all the same."""
    study = make_study(**SWEPT)
    counted = sweep.run(study, tmp_path / "counted", keep="cells")
    assert np.array_equal(sweep.trained_weights(counted, 2, 5)["w"][0], recorded().weights(2)["w"][5], equal_nan=True)


def test_rows_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that differs from its run is noticed."""
    result = sweep.run(make_study(**SWEPT))
    wrong = pa.table({"seed": [0, 1], "steps": [40, 25]})
    monkeypatch.setattr("sweep.training.networks.trained_weights.rows_of_cell", lambda *arguments: [wrong])
    with pytest.raises(
        sweep.StoreError, match="seed 1 of cell 0 has steps 26 if it is trained again, but 25 in its row"
    ):
        sweep.trained_weights(result, seeds=[1, 5])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell": 4}, "cell: must be an integer from 0 to 3, got 4"),
        ({"cell": True}, "cell: must be an integer from 0 to 3, got True"),
        ({"seeds": [0, 9]}, "seeds: must be from 0 to 8, the seeds of the study, got 9"),
        ({"seeds": []}, "seeds: must be one or more, got none"),
        ({"seeds": "first"}, "seeds: must be from 0 to 8, the seeds of the study, got 'first'"),
        ({"which": "best"}, "which: must be 'final' or 'initial', got 'best'"),
    ],
)
def test_invalid_arguments_are_refused(arguments: dict[str, Any], message: str, tmp_path: Path) -> None:
    """Errors say what is allowed."""
    with pytest.raises(sweep.SweepError, match=message):
        sweep.trained_weights(make_study(**SWEPT), **arguments)
    with pytest.raises(TypeError, match="source: must be a Study, its name or path, or a Result, got int"):
        sweep.trained_weights(3)  # type: ignore[arg-type]
    folder = tmp_path / "r"
    sweep.run(make_study(hidden=2, learning_rate=0.1, count=1, max_steps=1), out=folder)
    with pytest.raises(sweep.StudyError, match=r"it is a folder; open results with sweep\.open_result\('.*r'\)"):
        sweep.trained_weights(folder)

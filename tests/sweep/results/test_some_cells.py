"""A result of some cells has their rows of the whole result, and reads the parts that hold them."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep.results.some_cells import result_of_cells
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import command, make_study

STUDY = make_study(count=40, hidden=[2, 3], learning_rate=[0.05, 0.2, 1e3], scale=[0.5, 1.0], max_steps=30)


@pytest.fixture(
    scope="module",
    params=[{}, {"part_runs": 7}, {"part_runs": 7, "max_runs": 90}, {"part_runs": 50, "keep": "cells"}],
    ids=str,
)
def result(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> sweep.Result:
    """Return a result in planned or short parts, a partial one, or counts only."""
    options: dict[str, Any] = {"part_runs": None, **request.param}
    folder = tmp_path_factory.mktemp("some") / "result"
    run_in_parts(STUDY, folder, 1, **options)
    return sweep.open_result(folder, partial=True)


@pytest.mark.parametrize("numbers", [[0], [11], [3, 4, 8], [], list(range(12))], ids=str)
def test_rows_are_those_of_the_whole_result(result: sweep.Result, numbers: list[int]) -> None:
    """So are cells, tallies and rows of runs."""
    some = result_of_cells(result, np.array(numbers, np.int64))
    for found, whole in ((some.cells, result.cells), (some.tally, result.tally)):
        own = whole[whole["cell"].isin(numbers)].reset_index(drop=True)
        pd.testing.assert_frame_equal(found.reset_index(drop=True), own, check_dtype=False, check_categorical=False)
    if result.keeps_runs:
        rows = result.runs()
        own = rows[rows["cell"].isin(numbers)].reset_index(drop=True)
        pd.testing.assert_frame_equal(some.runs(), own, check_dtype=False, check_categorical=False)


def test_cells_at_values_are_those_of_the_product() -> None:
    """Cells of a grid with zipped options have these values and no other cell has."""
    study = make_study(count=1, hidden=[2, 3], learning_rate=[0.1, 0.2, 0.3], scale=[0.5, 1.0])
    for units, rates in product(([2], [3, 2], None), ([0.3], [0.1, 0.2], None)):
        at = {name: values for name, values in (("hidden", units), ("learning_rate", rates)) if values}
        cells = [study.grid.values(cell) for cell in range(study.n_cells)]
        expected = [k for k, cell in enumerate(cells) if all(cell[name] in values for name, values in at.items())]
        assert study.grid.cells_at(at).tolist() == expected


def test_show_prints_cells_at_some_values(tmp_path: Path) -> None:
    """It prints or pools the cells at these values, and repeats them in the command for more."""
    sweep.run(STUDY, tmp_path / "r", threads=1)
    printed = command("show", tmp_path / "r", "--at", "hidden=3", "--at", "learning_rate=0.2,1000").out
    assert printed.startswith("4 cells, each of 40 runs")
    pooled = command("show", tmp_path / "r", "--at", "hidden=3", "--by", "learning_rate", "--top", "1").out
    assert "1 of 3 values of learning_rate, best first, each of 2 cells and 80 runs" in pooled
    assert f"2 more: sweep show {tmp_path / 'r'} --by learning_rate --at hidden=3 --top 3" in pooled
    assert "hidden: must be one of 2, 3; got 7" in command("show", tmp_path / "r", "--at", "hidden=7").err

"""The number of a cell means the same wherever one is given or taken: the cell of the study with that number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep import Result
from sweep.explore.cell_tables import cells_page
from sweep.explore.results_map import ExploredResults
from sweep.explore.selection import Selection
from sweep.results.tables import table_kinds
from tests.sweep.support import command

REPLICATES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # options of [data], and swept ones
    "none": ({"test_count": 4}, {}),
    "folds": ({"folds": 3}, {}),
    "splits": ({"test_count": 4}, {"split_seed": [5, 6]}),
    "both": ({"folds": 3}, {"split_seed": [5, 6]}),
}
every_study = pytest.mark.parametrize("replicates", REPLICATES)


@cache
def result_of(replicates: str) -> Result:
    """Return a result of three widths and two rates, whose order is that of neither the study nor its replicates."""
    inputs = np.random.default_rng(2).normal(5.0, 3.0, size=(12, 2))
    data, swept = REPLICATES[replicates]
    study = sweep.Study(
        data={"inputs": inputs.tolist(), "targets": (inputs[:, 0] > 5).astype(float).tolist(), **data},
        training={"max_steps": 4},
        convergence={"criterion": "none"},
        record={"weights": "final", "curves": {"seeds": 2}, "loss_thresholds": [100.0, 1.0]},
        parameters={"hidden": [2, 3, 5], **swept, "learning_rate": [0.001, 0.01]},
        seeds={"base": 7, "count": 4},
    )
    return sweep.run(study, threads=1)


def is_plain(result: Result) -> bool:
    """Return whether the study has no replicates."""
    return len(result.study.parameters) == 2


def check(result: Result, table: pd.DataFrame) -> None:
    """Check that numbers belong to the values beside them; cells that are not those of the study have none."""
    assert len(table)
    assert "best_cell" not in table
    if "cell" not in table:
        return
    assert set(result.study.parameters) <= set(table)
    for row in table.to_dict("records"):
        expected = result.study.grid.values(row["cell"])
        assert {name: row[name] for name in expected} == expected


def tables_of(result: Result) -> Iterator[tuple[bool, pd.DataFrame]]:
    """Yield tables of cells, and whether their cells are those of the study."""
    own = is_plain(result)
    for is_numbered, runs, statistic in (
        (True, result, "final_loss_q50"),
        (own, result.over_replicates, "final_loss_q50"),
        (False, result.by_threshold, "convergence_rate"),
    ):
        yield is_numbered, runs.cells
        yield (
            is_numbered,
            runs.tally.join(result.cells[list(result.study.parameters)], "cell") if is_numbered else runs.tally,
        )
        yield is_numbered, runs.statistic(statistic)
        yield is_numbered and own, runs.best()
        yield is_numbered and own, runs.best("learning_rate")
        yield False, runs.summarize(["hidden", "learning_rate"])
    last = {name: values[-1] for name, values in result.study.parameters.items()}
    yield own, result.best(at={"hidden": [3, 5]})
    yield True, result.best(at=last)
    yield True, result.best(list(last))
    yield True, result.runs()
    yield True, result.learning_curves()
    yield own, pd.DataFrame(result.compare("hidden", each_at_best=True).attrs["chosen"])


@every_study
def test_numbers_in_tables_are_those_of_the_study(replicates: str) -> None:
    """No table has the number of another cell than that of the values in its row."""
    result = result_of(replicates)
    for is_numbered, table in tables_of(result):
        check(result, table)
        assert ("cell" in table) == is_numbered


@every_study
def test_numbers_that_are_shown_and_exported(replicates: str, tmp_path: Path) -> None:
    """Terminal, page, explorer and files have the numbers of the study, or none."""
    result = result_of(replicates)
    is_pooled = not is_plain(result)
    for kind in table_kinds():
        for table in result.tables(kind):
            assert ("cell" in table.heads) == ("cell" in table.frame)
            if {"hidden", "learning_rate"} <= set(table.frame):
                check(result, table.frame)
                assert ("cell" in table.frame) != is_pooled
                exported = json.loads(str(result.export("json", table=kind)))
                check(result, pd.DataFrame(exported["rows"]))
                assert ("cell" in exported["columns"]) == (kind == "cells" or not is_pooled)
    assert "cell" not in json.loads(str(result.by_threshold.export("json")))["columns"]
    folder = tmp_path / "result"
    again = sweep.run(result.study, out=folder, threads=1)
    check(again, pd.read_parquet(folder / "cells.parquet"))
    for printed in (command("best", str(folder)), command("show", str(folder), "--at", "hidden=5")):
        assert printed.code == 0
        assert ("cell" in " ".join(printed.out.splitlines()[1:5]).split()) != is_pooled
    page = cells_page(Selection.of(ExploredResults(str(folder)).map({"x": "learning_rate", "y": "hidden"}), {}), {})
    assert ("cell" in [column["name"] for column in page["columns"]]) != is_pooled


@every_study
def test_functions_take_numbers_of_the_study(replicates: str) -> None:
    """Weights, outputs, confusion matrices, curves and traces are those of the values beside the number."""
    result = result_of(replicates)
    runs = result.runs()
    for row in result.cells.to_dict("records"):
        cell = row["cell"]
        weights, trained = result.weights(cell), sweep.trained_weights(result, cell)
        assert weights["w"].shape == (4, 2, row["hidden"])
        for name, array in weights.items():
            np.testing.assert_array_equal(trained[name], array)
        own = runs[(runs[list(result.study.parameters)] == [row[name] for name in result.study.parameters]).all(axis=1)]
        traced = sweep.trace(result, own["run"].iloc[1])
        assert (traced.cell, traced.seed) == (cell, 8)
        assert {name: row[name] for name in traced.parameters} == traced.parameters
        np.testing.assert_array_equal(traced.weights.w, weights["w"][1])
        assert traced.inputs.tolist() == [list(each) for each in result.study.patterns_of(cell).inputs]
        outputs = sweep.predict(result, traced.inputs, cell)
        np.testing.assert_array_equal(outputs[1], traced.predictions)
        right = np.trace(sweep.confusion(result, cell), axis1=1, axis2=2)
        assert right.tolist() == own["n_test_correct"].tolist()
        curves = result.learning_curves(cell)
        check(result, curves)
        assert set(curves["run"]) == set(own["run"].iloc[:2])


@every_study
def test_from_the_best_configuration_to_its_networks(replicates: str) -> None:
    """The values of a row of best select its cells, one for each split and fold, and so its networks."""
    result = result_of(replicates)
    best = result.best(top=1)
    cells = result.cells.merge(best[["hidden", "learning_rate"]])["cell"]
    assert len(cells) == result.study.n_cells // 6
    for cell in cells:
        assert sweep.trained_weights(result, cell, seeds=7)["w"].shape == (1, 2, best["hidden"].iloc[0])
    assert best["n_runs"].iloc[0] == 4 * len(cells)

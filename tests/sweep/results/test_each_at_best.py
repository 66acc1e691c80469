"""Values compared each with the other options at their best: chosen on other seeds than those that evaluate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep import SweepError
from sweep.analysis.compare import ComparedBy
from sweep.analysis.each_at_best import by_center, chosen_cells, compare_evaluated, evaluated_runs, halves_of
from sweep.analysis.held_out import held_out
from sweep.statistics.of_cells import main_statistic_of
from sweep.statistics.outcomes import Measured
from sweep.statistics.runs import Correct
from tests.sweep.invented import invented, measured_result
from tests.sweep.support import command, make_study

GRID = {"learning_rate": [0.1, 0.2, 0.3], "optimizer": ["gd", "adam"]}


def test_evaluated_runs_by_definition() -> None:
    """Each seed counts in the cell that the seeds of the other half chose, by their medians."""
    values = np.random.default_rng(3).exponential(size=(6, 11))
    study = make_study(count=11, criterion="none", hidden=2, **GRID)
    table = measured_result(study, "final_loss", values).compare("optimizer", each_at_best=True)
    evaluated = []
    for cells in ([0, 2, 4], [1, 3, 5]):
        runs = np.empty(11)
        for half in (0, 1):
            others = [np.sort(values[cell, 1 - half :: 2])[(len(values[0, 1 - half :: 2]) - 1) // 2] for cell in cells]
            chosen = cells[int(np.argmin(others))]
            runs[half::2] = values[chosen, half::2]
            rows = pd.DataFrame(table.attrs["chosen"]).query(f"half == {1 - half} and cell in {cells}")
            assert list(rows["cell"]) == [chosen]
        evaluated.append(runs)
    (row,) = table.to_dict("records")
    assert (row["first"], row["second"], row["n_pairs"]) == ("gd", "adam", 11)
    assert row["first_median"] == np.sort(evaluated[0])[5]
    assert row["second_median"] == np.sort(evaluated[1])[5]
    assert row["first_better"] == pytest.approx((evaluated[0] < evaluated[1]).mean())


def test_dead_cells_do_not_count() -> None:
    """An optimizer that is better at its best rate, and dead at others, is found; pooling says the opposite."""
    study = make_study(count=60, hidden=2, **GRID)
    result = invented(study, rates=[0.3, 0.0, 0.5, 0.0, 0.5, 0.95])
    (pooled,) = result.compare("optimizer", []).to_dict("records")
    (best,) = result.compare("optimizer", each_at_best=True).to_dict("records")
    assert pooled["first_rate"] > pooled["second_rate"]
    assert best["second_rate"] > best["first_rate"] + 0.2
    assert best["p_value_holm"] < 0.01


def test_validation_patterns_choose() -> None:
    """With validation patterns, test patterns evaluate the cells that validation patterns choose."""
    data = {"task": "parity", "bits": 4, "test_count": 4, "validation_count": 4}
    study = make_study(count=8, criterion="none", hidden=2, data=data, **GRID)
    random = np.random.default_rng(4)
    found = held_out(study)
    assert found
    result = measured_result(study, found.reported, random.random((6, 8)))
    validation = random.random((6, 8)) / 9 + np.array([0, 0, 0, 0.5, 0.5, 0])[:, None]
    result.measures.known[found.chosen_by] = Measured(validation)
    table = result.compare("optimizer", each_at_best=True)
    assert [row["cell"] for row in table.attrs["chosen"]] == [4, 4, 3, 3]
    assert "at its best cell by validation accuracy" in table.attrs["note"]
    tested = result.measures.of(found.reported).values
    assert table["first_mean"][0] == pytest.approx(tested[4].mean())
    assert table["second_mean"][0] == pytest.approx(tested[3].mean())


def test_command_and_errors(tmp_path: Path) -> None:
    """The command prints who chose and the comparison; what cannot be done is one sentence."""
    study = make_study(count=4, hidden=[2, 3], learning_rate=[0.1, 0.2], max_steps=5, criterion="none")
    result = sweep.run(study, tmp_path / "r")
    out = command("compare", tmp_path / "r", "--vary", "hidden", "--each-at-best").out
    assert "each value of hidden is compared at its best cell by" in out
    assert "pooled over" not in out
    assert "pooled over" not in command("compare", tmp_path / "r", "--vary", "hidden", "--by", "learning_rate").out
    few = make_study(count=3, hidden=[2, 3], learning_rate=[0.1, 0.2], max_steps=5, criterion="none")
    sweep.run(few, tmp_path / "few")
    assert command("compare", tmp_path / "few", "--vary", "hidden").out.splitlines()[-1] == "pooled over learning_rate"
    with pytest.raises(SweepError, match="by: must be a measure with each_at_best, got learning_rate"):
        result.compare("hidden", "learning_rate", each_at_best=True)
    with pytest.raises(SweepError, match="each_at_best: needs at least 4 seeds"):
        measured_result(make_study(count=3, criterion="none"), "final_loss", np.ones((4, 3))).compare(
            "hidden", each_at_best=True
        )
    values = np.ones((4, 4))
    values[0, 0] = np.nan
    partial = measured_result(make_study(count=4, criterion="none"), "final_loss", values)
    with pytest.raises(SweepError, match="each_at_best: needs all runs"):
        partial.compare("hidden", each_at_best=True)
    assert "--vary NAME" in command("compare", tmp_path / "r", tmp_path / "r", "--each-at-best").err


@pytest.mark.soak
@pytest.mark.parametrize("n_seeds", [10, 20, 50])
@pytest.mark.parametrize("n_cells", [3, 10])
def test_equal_values_rarely_differ(n_seeds: int, n_cells: int) -> None:
    """Two values with equal cells differ in at most 8 % of studies, rare failures included."""
    random = np.random.default_rng(0)
    slope, statistic, wrong = np.tile(np.linspace(0, 0.15, n_cells), 2)[:, None], main_statistic_of("n_correct"), 0
    for _ in range(500):
        spread = random.normal(size=(2 * n_cells, n_seeds)) / 2 + 0.3 * random.normal(size=n_seeds) + slope
        values = np.where(random.random(spread.shape) < 0.02, 50, np.rint(100 - 4 * np.exp(spread)))
        measured = Measured(values)
        half = halves_of(measured)
        chosen = chosen_cells(by_center(measured, statistic), half, np.repeat([0, 1], n_cells), 2)
        compared = ComparedBy("n_correct", Correct(100, 50))
        table = compare_evaluated(evaluated_runs(measured, chosen, half), [0, 1], np.zeros(2), compared)
        wrong += table["p_value"][0] < 0.05
    assert wrong <= 0.08 * 500

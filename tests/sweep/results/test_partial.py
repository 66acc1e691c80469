"""Partial results show what is trained of an interrupted study, and say how partial they are."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep import Result, StoreError, Study, SweepError, open_result
from sweep.analysis.cells import group_of, statistics_of, summarize
from sweep.analysis.tally import tally_runs
from sweep.figures import KINDS, draw
from sweep.results.tables.cells_table import matrix_table
from sweep.schedule.plan import Plan
from sweep.statistics.of_cells import every
from sweep.statistics.runs import Runs
from sweep.store.bits import own_bits
from sweep.store.memory import MemoryParts
from sweep.training.adaptive_rounds import AdaptiveRounds
from tests.sweep.in_parts import interrupt_in_parts, run_in_parts
from tests.sweep.support import command, make_study

STUDY = make_study(count=20, hidden=[2, 3], learning_rate=[0.05, 0.1, 0.2], threshold=0.3)
PART_RUNS = 7


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Interrupt a study after 12 of its 18 parts, in the middle of a cell."""
    out = tmp_path_factory.mktemp("partial") / "r"
    interrupt_in_parts(STUDY, out, 12, part_runs=PART_RUNS)
    return out


@pytest.fixture(scope="module")
def partial(folder: Path) -> Result:
    """Open it."""
    return open_result(folder, partial=True)


def test_no_rate_where_no_run_is_trained() -> None:
    """The matrix of rates has a dash for an untrained cell."""
    cells = {"hidden": [2, 2, 3], "learning_rate": [0.1, 0.2, 0.1], "convergence_rate": [0.5, 1.0, 0.25]}
    table = matrix_table(pd.DataFrame(cells), "hidden", "learning_rate", every()["convergence_rate"])
    assert table.texts == [["2", "50.0", "100.0"], ["3", "25.0", "-"]]


@pytest.fixture(scope="module")
def whole() -> Result:
    """Train the whole study."""
    return sweep.run(STUDY)


def test_rows_are_those_of_the_whole(partial: Result, whole: Result) -> None:
    """Every row equals that of the whole study; facts count the trained runs."""
    runs = partial.runs()
    assert not partial.complete
    assert 0 < len(runs) == partial.facts["n_runs"] < STUDY.n_runs
    pd.testing.assert_frame_equal(runs, whole.runs().iloc[runs["run"]].reset_index(drop=True))
    assert partial.row(int(runs["run"][0])) == whole.row(int(runs["run"][0]))
    missing = next(run for run in range(STUDY.n_runs) if run not in set(runs["run"]))
    with pytest.raises(StoreError, match="not trained yet"):
        partial.row(missing)
    assert partial.facts["net_steps"] == runs["steps"].sum()
    assert partial.facts["digest"] is None


def test_cells_are_those_that_have_runs(partial: Result, whole: Result) -> None:
    """Complete cells have the statistics of the whole study, others those of their runs."""
    runs, cells = partial.runs(), partial.cells
    counts = runs.groupby("cell").size()
    assert list(cells["cell"]) == list(counts.index)
    assert list(cells["n_runs"]) == list(counts)
    full = [cell for cell, n in counts.items() if n == 20]
    assert full
    expected = whole.cells[whole.cells["cell"].isin(full)].reset_index(drop=True)
    pd.testing.assert_frame_equal(cells[cells["cell"].isin(full)].reset_index(drop=True), expected)


# A partial result has no learning curves and no importance, and this study records no loss thresholds.
NOT_DRAWN = ("importance", "ecdf", "curves", "runs")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in NOT_DRAWN])
def test_figures_say_how_partial_they_are(partial: Result, kind: str) -> None:
    """Figures show the trained runs, and the title says how many."""
    figure = draw(partial, kind)
    title = figure.get_suptitle() or figure.axes[0].get_title()
    assert f"partial: {partial.facts['n_runs']} of {STUDY.n_runs} runs" in title


@pytest.mark.wide
def test_commands_say_how_partial_it_is(folder: Path, tmp_path: Path) -> None:
    """Every command that reads results prints the coverage."""
    prefix = "partial: "
    for options in (("best",), ("figure", "lines", "--out", tmp_path / "f.png"), ("compare", "--vary", "learning_rate"),
                  ("report", "--out", tmp_path / "page.html"), ("show", "--by", "hidden")):  # fmt: skip
        finished = command(options[0], folder, *options[1:])
        assert finished.code == 0, finished.err
        assert finished.err.startswith(prefix)
    shown = command("show", folder)
    assert shown.code == 0
    assert prefix in shown.out
    assert prefix.strip() in (tmp_path / "page.html").read_text().lower()


@pytest.mark.parametrize("keep", ["runs", "cells"])
def test_no_runs_at_all(partial: Result, keep: Literal["runs", "cells"]) -> None:
    """A shard without parts has empty tables with the usual columns and types."""
    empty = sweep.run(STUDY, keep=keep, shard=(60, 64))
    assert not len(empty.cells)
    assert (empty.cells.dtypes == partial.cells.dtypes).all()
    assert (empty.tally.dtypes == partial.tally.dtypes).all()
    assert "0 of 120 runs (0 %) are trained" in empty._repr_html_()
    if keep == "runs":
        assert not len(empty.runs())
        assert (empty.runs().dtypes == partial.runs().dtypes).all()
        assert list(empty.runs(["steps", "run"])) == ["steps", "run"]
        assert list(empty.batches()) == []


def test_a_part_of_more_cells_than_memory_holds() -> None:
    """Statistics of partial results need memory only for cells with runs, here three of a trillion."""
    each = {"linspace": [0.1, 0.2, 10_000]}
    parameters = {"learning_rate": each, "scale": each, "gain": each}
    study = Study(data={"task": "xor"}, network={"hidden": 2}, parameters=parameters, seeds={"count": 1})
    plan, cells = Plan(study), np.array([0, 10_000, 10**12 - 1])
    tally = tally_runs(cells, np.zeros(3, np.int64), np.array([5, 6, 7]))
    table = summarize(tally, plan.grid)
    assert table["cell"].tolist() == cells.tolist()
    assert table["scale"].tolist() == [0.1, study.parameters["scale"][1], 0.2]
    assert table["steps_q50"].tolist() == [5, 6, 7]
    runs = Runs.of_tally(tally, group_of(plan.grid, ["learning_rate"], cells), plan.grid.most_steps(cells))
    sums = statistics_of(runs, plan.grid)
    assert sums["n_runs"].tolist() == [2, 1]
    part = plan.part(0)
    assert AdaptiveRounds(plan, MemoryParts(plan, "cells", own_bits())).restrict(part) == part


def test_splits_without_pairs(tmp_path: Path) -> None:
    """Where splits share no seed of two cells, comparisons say so, and rankings exclude none of these cells."""
    data = {"task": "boolean", "bits": 4, "function": 232, "test_count": 5, "validation_count": 4}
    swept = {"hidden": [2, 3], "learning_rate": [0.01, 0.05], "split_seed": [0, 1, 2]}
    study = make_study(count=4, criterion="none", data=data, max_steps=9, **swept)
    few = run_in_parts(study, part_runs=5, max_runs=3)
    shard = run_in_parts(study, tmp_path / "r", threads=1, part_runs=5, shard=(2, 3))
    for measure in ("test_loss_at_best", "test_accuracy_at_best"):
        with pytest.raises(SweepError, match="no seed is trained at two values of hidden yet"):
            few.compare("hidden", by=measure)
        ranked = shard.best(measure)
        assert len(ranked) == 4
        assert ranked["may_be_best"].all()

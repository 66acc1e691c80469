"""Convergence statistics against scipy and against their definitions, spelled out run by run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import sweep
from sweep import Study
from sweep.analysis.cells import cells_to_table, summarize
from sweep.analysis.tally import merge, tally_from_table, tally_runs, tally_to_table
from sweep.columns import arrow_schema
from sweep.schemas.cell_columns import cells_columns, tally_columns
from sweep.statistics.intervals import wilson_interval
from tests.oracle import STATUSES
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import make_study

Ends = list[tuple[str, int]]  # status and steps of every run, in run order


def naive_quantile(ends: Ends, share: float) -> int | None:
    """Return the smallest s with (runs converged by s) / (all runs) >= share, by trying every s."""
    for s in range(max(steps for _, steps in ends) + 1):
        if sum(status == "converged" and steps <= s for status, steps in ends) >= share * len(ends):
            return s
    return None


def naive_statistics(ends: Ends, limits: list[int]) -> dict[str, Any]:
    """Compute one row of the cells table from its definition."""
    counts = {f"n_{name}": sum(status == name for status, _ in ends) for name in STATUSES}
    successes = counts["n_converged"]
    interval = stats.binomtest(successes, len(ends)).proportion_ci(0.95, method="wilson")
    return {
        "n_runs": len(ends),
        **counts,
        "convergence_rate": successes / len(ends),
        "convergence_rate_low": interval.low,
        "convergence_rate_high": interval.high,
        "steps_q25": naive_quantile(ends, 0.25),
        "steps_q50": naive_quantile(ends, 0.5),
        "steps_q75": naive_quantile(ends, 0.75),
        "restricted_mean_steps": sum(
            s if status == "converged" else limit for (status, s), limit in zip(ends, limits, strict=True)
        )
        / len(ends),
        "expected_steps": sum(s for _, s in ends) / successes if successes else math.inf,
    }


def tally_of(ends: Ends, n_seeds: int, chosen: Iterable[int] | None = None) -> pd.DataFrame:
    """Tally some runs in this order; all by default."""
    runs = list(range(len(ends)) if chosen is None else chosen)
    cell = np.array([run // n_seeds for run in runs], np.int64)
    status = np.array([STATUSES.index(ends[run][0]) for run in runs], np.int8)
    steps = np.array([ends[run][1] for run in runs], np.int32)
    return tally_runs(cell, status, steps)


def naive_tally(ends: Ends, n_seeds: int) -> list[tuple[int, str, int, int]]:
    """Count equal ends one by one, sorted by cell, code of the status and steps."""
    counts = Counter((run // n_seeds, STATUSES.index(status), steps) for run, (status, steps) in enumerate(ends))
    return [(cell, STATUSES[code], steps, n) for (cell, code, steps), n in sorted(counts.items())]


def assert_row(row: dict[str, Any], ends: Ends, limits: list[int]) -> None:
    """Require the statistics of these runs, whose step limits are ``limits``: counts exactly, intervals to rounding."""
    for name, value in naive_statistics(ends, limits).items():
        if name == "n_plateau" and name not in row:
            assert value == 0
        elif name.startswith("convergence_rate_"):
            assert row[name] == pytest.approx(value, rel=1e-12, abs=1e-15)
        else:
            assert (None if pd.isna(row[name]) else row[name]) == value, name


def limits_of(study: Study) -> list[int]:
    """Return the step limit of every run."""
    options = (study.grid.cell(cell) for cell in range(study.n_cells))
    return [int(each["max_steps"]) for each in options for _ in range(study.seeds.count)]


def assert_statistics(cells: pd.DataFrame, study: Study, ends: Ends) -> None:
    """Require the cells of these runs."""
    n_seeds, grid, limits = study.seeds.count, study.grid, limits_of(study)
    assert list(cells.columns) == [column.name for column in cells_columns(study)]
    assert list(cells["cell"]) == list(range(study.n_cells))
    for cell, row in enumerate(cells.to_dict("records")):
        runs = slice(cell * n_seeds, (cell + 1) * n_seeds)
        assert {name: row[name] for name in study.parameters} == grid.values(cell)
        assert_row(row, ends[runs], limits[runs])


@pytest.mark.parametrize("trials", [1, 2, 7, 40, 1000, 1_000_000, 2**32])
def test_wilson_interval_is_that_of_scipy(trials: int) -> None:
    """The interval agrees with scipy's. Its ends are exactly 0 without a success and 1 without a failure."""
    successes = np.unique(np.linspace(0, trials, 41).astype(np.int64))
    low, high = wilson_interval(successes, np.full(len(successes), trials))
    for k, count in enumerate(successes.tolist()):
        expected = stats.binomtest(count, trials).proportion_ci(0.95, method="wilson")
        assert low[k] == pytest.approx(expected.low, rel=1e-12, abs=1e-15)
        assert high[k] == pytest.approx(expected.high, rel=1e-12)
    assert (low[0], high[-1]) == (0.0, 1.0)
    assert np.all(low <= successes / trials)
    assert np.all(successes / trials <= high)


@st.composite
def outcomes(draw: st.DrawFn) -> tuple[Study, Ends]:
    """Draw the ends of the runs of a small study. Some statuses are missing, and steps repeat."""
    max_steps = draw(st.sampled_from([[5], [3, 9]]))
    rates = [0.5, 0.25, 1.0][: draw(st.integers(1, 3))]
    study = make_study(count=draw(st.integers(1, 9)), hidden=2, learning_rate=rates, max_steps=max_steps, patience=5)
    possible = draw(st.lists(st.sampled_from(STATUSES), min_size=1, unique=True))
    ends: Ends = []
    for run in range(study.n_runs):
        limit = int(study.grid.cell(run // study.seeds.count)["max_steps"])
        status = draw(st.sampled_from(possible))
        ends.append((status, limit if status == "exhausted" else draw(st.integers(0, limit))))
    return study, ends


@given(outcomes(), st.randoms(use_true_random=False))
def test_tally_by_its_definition(drawn: tuple[Study, Ends], random: Any) -> None:
    """A tally counts every end that occurs, sorted, whatever the order of runs."""
    study, ends = drawn
    runs = list(range(len(ends)))
    random.shuffle(runs)
    tally = tally_of(ends, study.seeds.count, runs)
    assert list(tally.itertuples(index=False, name=None)) == naive_tally(ends, study.seeds.count)
    assert [str(dtype) for dtype in tally.dtypes] == ["int64", "category", "int32", "int64"]
    assert list(tally["status"].cat.categories) == list(STATUSES)


@pytest.mark.slow
@pytest.mark.parametrize("first", [2**30 - 2, 2**30, 10**12, 2**62])
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(range(len(STATUSES))), st.integers(2**31 - 2, 2**31 - 1))))
def test_tally_of_cells_with_large_numbers(first: int, ends: list[tuple[int, int, int]]) -> None:
    """Large cell numbers are counted like small ones."""
    cell, status, steps = np.array(ends, np.int64).reshape(-1, 3).T
    tally, small = (tally_runs(cells, status, steps) for cells in (cell + first, cell))
    pd.testing.assert_frame_equal(tally, small.assign(cell=small["cell"] + first))


@pytest.mark.slow
@given(outcomes(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_tallies_of_any_split_add_up(drawn: tuple[Study, Ends], random: Any, n_parts: int) -> None:
    """Tallies of any parts, added up in any order and in any steps, are the tally of all runs."""
    study, ends = drawn
    parts: list[list[int]] = [[] for _ in range(n_parts)]
    for run in range(len(ends)):
        random.choice(parts).append(run)
    tallies = [tally_of(ends, study.seeds.count, part) for part in parts if part]
    random.shuffle(tallies)
    some = random.randint(1, len(tallies))
    whole = tally_of(ends, study.seeds.count)
    pd.testing.assert_frame_equal(merge(tallies), whole)
    pd.testing.assert_frame_equal(merge([merge(tallies[:some]), *tallies[some:]]), whole)


@pytest.mark.slow
@given(outcomes())
def test_tallies_survive_storing(drawn: tuple[Study, Ends]) -> None:
    """A tally written as a table of the documented schema and read back is the tally."""
    study, ends = drawn
    tally = tally_of(ends, study.seeds.count)
    table = tally_to_table(tally)
    assert table.schema.equals(arrow_schema(tally_columns()), check_metadata=True)
    pd.testing.assert_frame_equal(tally_from_table(table), tally)


@pytest.mark.slow
@given(outcomes())
def test_cells_by_their_definition(drawn: tuple[Study, Ends]) -> None:
    """Every statistic of every cell is that of its definition, whatever statuses occur."""
    study, ends = drawn
    assert_statistics(summarize(tally_of(ends, study.seeds.count), study.grid), study, ends)


@pytest.mark.slow
@given(outcomes())
def test_cells_are_stored_by_their_schema(drawn: tuple[Study, Ends]) -> None:
    """The table of cells has the documented columns, types and notes; what is missing is null."""
    study, ends = drawn
    cells = summarize(tally_of(ends, study.seeds.count), study.grid)
    table = cells_to_table(cells, study)
    assert table.schema.equals(arrow_schema(cells_columns(study)), check_metadata=True)
    rows = [
        {name: None if pd.isna(value) else value for name, value in row.items()} for row in cells.to_dict("records")
    ]
    assert table.to_pylist() == rows


def test_steps_beyond_32_bits_add_up() -> None:
    """Sums of steps are taken in 64 bits."""
    most = 2**31 - 1
    study = make_study(count=5, hidden=2, learning_rate=0.1, max_steps=most)
    ends: Ends = [("converged", most - 1), *[("exhausted", most)] * 4]
    (cell,) = summarize(tally_of(ends, 5), study.grid).to_dict("records")
    assert cell["expected_steps"] == pytest.approx(5 * most - 1, rel=1e-15)
    assert cell["restricted_mean_steps"] == pytest.approx((5 * most - 1) / 5, rel=1e-15)


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize(
    "scalars",
    [
        {"learning_rate": [0.2, 30.0, 1e-30], "hidden": [3, 1], "max_steps": [60, 10]},
        {"learning_rate": 1e-30, "hidden": [2]},
        {"learning_rate": 0.1, "hidden": 2, "threshold": 1e9},
        {"learning_rate": 1e30, "hidden": 2},
    ],
    ids=["mixed", "none converges", "all converge", "all diverge"],
)
def test_cells_of_a_result(tmp_path: Path, scalars: dict[str, Any]) -> None:
    """Cells and tally follow from the runs, whatever the parts, and however the result is kept."""
    study = make_study(count=25, **scalars)
    result = run_in_parts(study, part_runs=40)
    runs = result.runs()
    ends: Ends = list(zip(runs["status"].tolist(), runs["steps"].tolist(), strict=True))
    assert_statistics(result.cells, study, ends)
    others = [
        run_in_parts(study, keep="cells", part_runs=7),
        sweep.run(study, tmp_path / "runs"),
        run_in_parts(study, tmp_path / "cells", keep="cells", part_runs=9),
        sweep.open_result(tmp_path / "cells"),
    ]
    pd.testing.assert_frame_equal(result.tally, tally_of(ends, 25))
    for other in others:
        pd.testing.assert_frame_equal(other.cells, result.cells)
        pd.testing.assert_frame_equal(other.tally, result.tally)


@pytest.mark.wide
def test_many_tallies_are_added_up_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statistics do not depend on how often the tallies of parts are added up."""
    study = make_study(count=10)
    expected = sweep.run(study).cells
    monkeypatch.setattr("sweep.analysis.tally._LOOSE_ROWS", 1)
    pd.testing.assert_frame_equal(run_in_parts(study, part_runs=1).cells, expected)

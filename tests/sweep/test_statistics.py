"""Convergence statistics against scipy and against their definitions, spelled out run by run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import sweep
from sweep import Study
from sweep.plan import Plan
from sweep.schema import cells_columns
from sweep.statistics import Tally, merge, summarize, tally, tally_from_table, tally_to_table, wilson_interval
from tests.oracle import STATUSES
from tests.sweep.support import make_study

Ends = list[tuple[str, int]]  # status and steps of every run, in run order

STATISTICS = [
    "n_runs",
    "n_converged",
    "n_diverged",
    "n_stalled",
    "n_exhausted",
    "convergence_rate",
    "convergence_rate_low",
    "convergence_rate_high",
    "steps_q25",
    "steps_q50",
    "steps_q75",
    "restricted_mean_steps",
    "expected_steps",
]


def naive_quantile(ends: Ends, share: float) -> int | None:
    """Return the smallest s with (runs converged by s) / (all runs) >= share, by trying every s."""
    for s in range(max(steps for _, steps in ends) + 1):
        if sum(status == "converged" and steps <= s for status, steps in ends) >= share * len(ends):
            return s
    return None


def naive_statistics(ends: Ends, max_steps: int) -> dict[str, Any]:
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
        "restricted_mean_steps": sum(s if status == "converged" else max_steps for status, s in ends) / len(ends),
        "expected_steps": sum(s for _, s in ends) / successes if successes else math.inf,
    }


def tally_of(ends: Ends, n_seeds: int, chosen: Sequence[int] | None = None) -> Tally:
    """Tally some runs, those of a cell in a row, by default all."""
    runs = range(len(ends)) if chosen is None else chosen
    cells = [(cell, len(list(group))) for cell, group in groupby(run // n_seeds for run in runs)]
    status = np.array([STATUSES.index(ends[run][0]) for run in runs], np.int8)
    steps = np.array([ends[run][1] for run in runs], np.int32)
    return tally(*np.array(cells, np.int64).T, status, steps)


def assert_same_tally(one: Tally, other: Tally) -> None:
    """Require equal counts of equal ends."""
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left, right)


def assert_statistics(cells: pa.Table, study: Study, ends: Ends) -> None:
    """Require the cells table of these runs: counts exactly, intervals to rounding."""
    n_seeds, plan = study.seeds.count, Plan(study)
    assert cells.column_names == ["cell", *study.parameters, *STATISTICS]
    assert cells.column_names == [column.name for column in cells_columns(study)]
    rows = cells.to_pylist()
    for cell in range(study.n_cells):
        max_steps = plan.settings(cell)["max_steps"]
        expected = naive_statistics(ends[cell * n_seeds : (cell + 1) * n_seeds], int(max_steps))
        row = rows[cell]
        assert row["cell"] == cell
        assert {name: row[name] for name in study.parameters} == plan.values(cell)
        for name, value in expected.items():
            if name.startswith("convergence_rate_"):
                assert row[name] == pytest.approx(value, rel=1e-12, abs=1e-15)
            else:
                assert row[name] == value, name


@pytest.mark.parametrize("trials", [1, 2, 7, 40, 1000, 1_000_000])
def test_wilson_interval_is_that_of_scipy(trials: int) -> None:
    """The interval agrees with scipy's, and its ends at no success and no failure are exactly 0 and 1."""
    successes = np.unique(np.linspace(0, trials, 41).astype(np.int64))
    low, high = wilson_interval(successes, np.full(len(successes), trials))
    for k, count in enumerate(successes.tolist()):
        expected = stats.binomtest(count, trials).proportion_ci(0.95, method="wilson")
        assert low[k] == pytest.approx(expected.low, rel=1e-9, abs=1e-15)
        assert high[k] == pytest.approx(expected.high, rel=1e-9)
    assert (low[0], high[-1]) == (0.0, 1.0)
    assert np.all(low <= successes / trials)
    assert np.all(successes / trials <= high)


@st.composite
def outcomes(draw: st.DrawFn) -> tuple[Study, Ends]:
    """Draw how the runs of a small study ended; often whole statuses are missing, and steps repeat."""
    max_steps = draw(st.sampled_from([[5], [3, 9]]))
    rates = [0.5, 0.25, 1.0][: draw(st.integers(1, 3))]
    study = make_study(count=draw(st.integers(1, 9)), hidden=2, learning_rate=rates, max_steps=max_steps)
    possible = draw(st.lists(st.sampled_from(STATUSES), min_size=1, unique=True))
    plan, ends = Plan(study), []
    for run in range(study.n_runs):
        limit = int(plan.settings(run // study.seeds.count)["max_steps"])
        status = draw(st.sampled_from(possible))
        ends.append((status, limit if status == "exhausted" else draw(st.integers(0, limit))))
    return study, ends


@given(outcomes())
def test_cells_by_their_definition(drawn: tuple[Study, Ends]) -> None:
    """Every statistic of every cell is that of its definition, whatever statuses occur."""
    study, ends = drawn
    assert_statistics(summarize(tally_of(ends, study.seeds.count), Plan(study)), study, ends)


@given(outcomes(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_tallies_of_any_split_add_up(drawn: tuple[Study, Ends], random: Any, n_parts: int) -> None:
    """Tallies of any parts, in any order, merge to the tally of all."""
    study, ends = drawn
    parts: list[list[int]] = [[] for _ in range(n_parts)]
    for run in range(len(ends)):
        random.choice(parts).append(run)
    tallies = [tally_of(ends, study.seeds.count, part) for part in parts if part]
    random.shuffle(tallies)
    whole = merge([tally_of(ends, study.seeds.count)])
    assert_same_tally(merge(tallies), whole)
    assert whole.n.sum() == len(ends)
    assert (whole.n > 0).all()
    assert (np.diff(whole.ends) > 0).all()
    assert summarize(merge(tallies), Plan(study)) == summarize(whole, Plan(study))


@given(outcomes())
def test_order_of_cells_does_not_matter(drawn: tuple[Study, Ends]) -> None:
    """Cells may come in any order; those of which all runs end alike need no sorting of runs."""
    study, ends = drawn
    n_seeds = study.seeds.count
    by_cell = [range(cell * n_seeds, (cell + 1) * n_seeds) for cell in range(study.n_cells)]
    backwards = [run for runs in reversed(by_cell) for run in runs]
    assert_same_tally(tally_of(ends, n_seeds, backwards), tally_of(ends, n_seeds))


@given(outcomes())
def test_tallies_survive_storing(drawn: tuple[Study, Ends]) -> None:
    """A tally written as a table and read back is the tally."""
    study, ends = drawn
    counts = tally_of(ends, study.seeds.count)
    assert_same_tally(tally_from_table(tally_to_table(counts)), counts)


def test_example() -> None:
    """Numbers worked out by hand."""
    study = make_study(count=4, hidden=2, learning_rate=[0.1, 0.2], max_steps=100)
    ends: Ends = [("converged", 10), ("diverged", 3), ("converged", 30), ("exhausted", 100)]
    ends += [("stalled", 7), ("diverged", 0), ("stalled", 9), ("exhausted", 100)]
    cells = summarize(tally_of(ends, 4), Plan(study)).to_pylist()
    assert cells[0]["convergence_rate"] == 0.5
    assert (cells[0]["steps_q25"], cells[0]["steps_q50"]) == (10, 30)
    assert cells[0]["steps_q75"] is None
    assert cells[0]["restricted_mean_steps"] == (10 + 30 + 2 * 100) / 4
    assert cells[0]["expected_steps"] == (10 + 3 + 30 + 100) / 2
    assert cells[1]["expected_steps"] == math.inf
    assert cells[1]["restricted_mean_steps"] == 100
    assert all(cells[1][name] is None for name in ("steps_q25", "steps_q50", "steps_q75"))
    assert (cells[1]["convergence_rate"], cells[1]["convergence_rate_low"]) == (0, 0)


def test_steps_beyond_32_bits_add_up() -> None:
    """Sums of steps are taken in 64 bits."""
    most = 2**31 - 1
    study = make_study(count=5, hidden=2, learning_rate=0.1, max_steps=most)
    ends: Ends = [("converged", most - 1), *[("exhausted", most)] * 4]
    (cell,) = summarize(tally_of(ends, 5), Plan(study)).to_pylist()
    assert cell["expected_steps"] == 4 * most + most - 1
    assert cell["restricted_mean_steps"] == (4 * most + most - 1) / 5


@pytest.mark.parametrize(
    "scalars",
    [
        {"learning_rate": [0.2, 30.0, 1e-30], "hidden": [3, 1], "max_steps": [60, 10]},
        {"learning_rate": 1e-30, "hidden": [2]},
        {"learning_rate": 0.1, "hidden": 2, "below": 1e9},
        {"learning_rate": 1e30, "hidden": 2},
    ],
    ids=["mixed", "none converges", "all converge", "all diverge"],
)
def test_cells_of_a_result(scalars: dict[str, Any]) -> None:
    """The cells of a result are the statistics of its runs."""
    study = make_study(count=25, **scalars)
    result = sweep.run(study, shard_runs=40)
    runs = result.runs()
    cells = pa.Table.from_pandas(result.cells, preserve_index=False)
    assert_statistics(cells, study, list(zip(runs["status"].tolist(), runs["steps"].tolist(), strict=True)))

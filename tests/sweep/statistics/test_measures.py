"""Statistics of measures of runs, against plain NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import sweep
from sweep import StoreError, SweepError, open_result, verify
from sweep.analysis.cells import measured_statistics
from sweep.analysis.losses import LOSS_COLUMNS, CellLosses, rounded
from sweep.analysis.study_measures import most_correct
from sweep.statistics.estimates import Quantile
from sweep.statistics.runs import Correct, Runs
from sweep.store.digest import tally_digest
from sweep.study.model import Study
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import make_study

# Rates of 50 diverge, and 1e-9 hardly moves.
BUDGET = {"hidden": 2, "learning_rate": [0.1, 50.0, 1e-9], "criterion": "none", "max_steps": 60}
QUARTERS = {"q25": 0.25, "q50": 0.5, "q75": 0.75}


def naive(values: np.ndarray) -> dict[str, float]:
    """Return the statistics of losses of one cell, with loops and scipy's distributions."""
    n, ordered = len(values), sorted(values)
    found: dict[str, float] = {}
    for name, share in QUARTERS.items():
        below = [stats.binom.cdf(k, n, share) for k in range(n + 1)]
        low, high = (next(k for k in range(n + 1) if below[k] >= level - 1e-12) for level in (0.025, 0.975))
        found[f"final_loss_{name}"] = ordered[int(np.ceil(share * n)) - 1]
        found[f"final_loss_{name}_low"] = ordered[low - 1] if low else 0.0
        found[f"final_loss_{name}_high"] = ordered[high] if high < n else np.inf
    finite = values[np.isfinite(values)]
    wilson = stats.binomtest(len(finite), n).proportion_ci(method="wilson")
    return found | {"finite_rate": len(finite) / n, "finite_rate_low": wilson.low, "finite_rate_high": wilson.high}


def losses(random: np.random.Generator, n: int) -> np.ndarray:
    """Return losses, with ties, some infinite, and sometimes a 0."""
    values = np.exp(random.normal(-5, 3, n)).round(random.integers(3, 9))
    return np.where(random.random(n) < 0.2, np.inf, values)


@pytest.mark.parametrize("seed", range(8))
def test_statistics_of_losses(seed: int) -> None:
    """Statistics of groups of all sizes in any order, with infinite losses and losses of 0."""
    random = np.random.default_rng(seed)
    group = random.permutation(np.repeat([7, 2, 11, 30], [1, 2, 9, 150]))
    values = losses(random, len(group))
    table = measured_statistics("final_loss", group, values)
    assert list(table.columns) == LOSS_COLUMNS
    assert list(table.index) == [2, 7, 11, 30]
    for number, row in zip(table.index, table.to_dict("records"), strict=True):
        expected = naive(values[group == number])
        for name, value in expected.items():
            assert row[name] == pytest.approx(value, rel=1e-12, abs=1e-15, nan_ok=True), (number, name)


def test_counts_are_runs() -> None:
    """A value counts once for each run that has it."""
    random = np.random.default_rng(1)
    values, n = losses(random, 40), random.integers(1, 5, 40)
    one = measured_statistics("final_loss", np.zeros(40), values, n)
    other = measured_statistics("final_loss", np.zeros(n.sum()), np.repeat(values, n))
    pd.testing.assert_frame_equal(one, other)


def test_the_mean_of_right_outputs() -> None:
    """Student's interval is widened for unseen runs, which guess at the lower end and are correct at the upper."""
    values = np.array([4.0, 3.0, 4.0, 2.0, 4.0, 4.0])
    table = measured_statistics("n_correct", np.array([0, 0, 0, 0, 0, 1]), values, correct=Correct(4, 2))
    spread = stats.t.ppf(0.975, 4) * stats.sem(values[:5])
    unseen = 1 - 0.05 ** (1 / 5)
    low = 3.4 - np.hypot(spread, unseen * (3.4 - 2))
    assert table.loc[0].to_list() == pytest.approx([3.4, low, min(3.4 + np.hypot(spread, unseen * 0.6), 4.0)])
    assert table.loc[1, "n_correct_mean"] == 4.0
    assert table.loc[1, ["n_correct_mean_low", "n_correct_mean_high"]].isna().all()


def test_equal_means_of_half_or_less_have_two_ends() -> None:
    """Runs that are right with half of the patterns or fewer do not exclude that others are right with none."""
    table = measured_statistics(
        "test_accuracy", np.arange(3), np.array([0.25, 0.5, 0.75]), np.full(3, 4), Correct(1, 0.5)
    )
    unseen = 1 - 0.05 ** (1 / 4)
    np.testing.assert_allclose(
        table["test_accuracy_mean_low"], [0.25 * (1 - unseen), 0.5 * (1 - unseen), 0.75 - unseen / 4]
    )


def test_networks_that_guess_are_right_with_the_rarest_class() -> None:
    """A guess is right for half of the patterns, with classes for the rarest one, else for half of the outputs."""
    classes = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1], [1, 0, 0]]

    def guessed(targets: list[list[int]], measure: str, **options: str) -> Correct:
        data, network = {"inputs": [[k] for k in range(5)], "targets": targets}, {"hidden": 2, **options}
        training = {"learning_rate": 0.1} | ({"loss": "cross_entropy"} if options else {})
        study = Study(data=data, network=network, training=training)
        return most_correct(study, measure)

    assert guessed([[0], [1], [1], [1], [1]], "train_accuracy") == (1, 0.5)
    assert guessed(classes, "train_accuracy") == (1, 0.2)
    assert guessed(classes, "n_correct") == (15, 7.5)
    assert guessed(classes, "n_correct", output="softmax") == (5, 1)
    assert guessed(classes, "final_loss") == (0, 0)


def test_intervals_at_other_levels() -> None:
    """A lower level widens the interval, to 0 and infinity beyond the first and the last run."""
    values, n = np.arange(1.0, 101.0), np.ones(100, np.int64)

    def ends(values: np.ndarray, n: np.ndarray, level: float) -> tuple[float, float]:
        once = np.zeros(len(n), np.int64)
        low, high = Quantile(Runs(once, once, n), values, (1, 2)).ends(level)
        return float(low[0]), float(high[0])

    assert ends(values, n, 0.05) == (40.0, 61.0)
    assert ends(values, n, 0.05 / 20) == (35.0, 66.0)
    assert ends(values[:5], n[:5], 0.05) == (0.0, np.inf)


@given(st.lists(st.floats(0, allow_nan=False), min_size=1, max_size=20))
def test_rounded_losses(values: list[float]) -> None:
    """Rounding changes losses by at most 2^-9, keeps their order, and is idempotent."""
    exact = np.array(values)
    short = rounded(exact)
    plain = np.isfinite(exact) & (exact >= 2.0**-1022)
    assert (np.abs(short[plain] / exact[plain] - 1) <= 2.0**-9).all()
    assert (short[~plain] == exact[~plain]).all()
    assert np.isfinite(short[np.isfinite(exact)]).all()
    assert (rounded(short) == short).all()
    ordered = rounded(np.sort(exact))
    assert (ordered[1:] >= ordered[:-1]).all()
    assert all(int(m * 2**9) == m * 2**9 for m, _ in map(np.frexp, short[plain]))


def test_rows_come_in_pieces() -> None:
    """Statistics do not depend on how rows are divided into tables."""
    random = np.random.default_rng(2)
    cell = np.repeat([0, 1, 4, 5], [3, 50, 1, 20])
    values = losses(random, len(cell))
    whole = measured_statistics("final_loss", cell, values)
    for size in (1, 2, 7, 60, 100):
        cells = CellLosses()
        for start in range(0, len(cell), size):
            piece = slice(start, start + size)
            cells.take_in(pa.table({"cell": cell[piece], "final_loss": values[piece]}))
        pd.testing.assert_frame_equal(cells.statistics(), whole)
    assert CellLosses().statistics().empty


def test_a_very_large_cell_is_held_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statistics of more runs than are held exactly are those of rounded losses."""
    monkeypatch.setattr("sweep.analysis.losses._MOST_EXACT", 50)
    values = losses(np.random.default_rng(2), 200)
    cells = CellLosses()
    for start in range(0, 200, 40):
        cells.take_in(pa.table({"cell": np.zeros(40, np.int64), "final_loss": values[start : start + 40]}))
    expected = measured_statistics("final_loss", np.zeros(200), values)
    np.testing.assert_allclose(cells.statistics(), expected, rtol=2.0**-8)


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("keep", ["runs", "cells"])
def test_losses_of_cells(tmp_path: Path, keep: str) -> None:
    """Statistics on disk, in memory and of partial results are exact from rows and nearly so from counts."""
    study = make_study(count=50, **BUDGET)
    rows = sweep.run(study).runs()
    expected = pd.DataFrame([naive(each.to_numpy()) for _, each in rows.groupby("cell")["final_loss"]])
    stored = sweep.run(study, tmp_path / "r", keep=keep)
    in_memory = sweep.run(study, keep=keep)
    part = run_in_parts(study, max_runs=1, part_runs=100, keep=keep)
    assert not part.complete
    tolerance = 1e-9 if keep == "runs" else 2.0**-8
    for result in (stored, open_result(tmp_path / "r"), in_memory, part):
        cells = result.cells[result.cells["n_runs"] == 50]
        assert len(cells) >= 1
        np.testing.assert_allclose(cells[LOSS_COLUMNS], expected.loc[cells["cell"], LOSS_COLUMNS], rtol=tolerance)
    assert stored.cells["finite_rate"].iloc[1] < 1
    assert verify(tmp_path / "r", sample=150).intact


@pytest.mark.slow
@pytest.mark.compiled
def test_counts_by_loss_leave_the_tally(tmp_path: Path) -> None:
    """Counts by loss do not change the tally or its digest."""
    study = make_study(count=30, **BUDGET)
    result = sweep.run(study, tmp_path / "r", keep="cells")
    tally = sweep.run(study).tally
    pd.testing.assert_frame_equal(open_result(tmp_path / "r").tally, tally, check_categorical=False)
    columns = (tally["cell"], tally["status"].cat.codes, tally["steps"], tally["n"])
    assert result.facts["digest"] == tally_digest(*(each.to_numpy() for each in columns))


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("measure", ["final_loss", "max_error", "n_correct"])
@pytest.mark.parametrize("criterion", ["none", "loss"])
def test_measures_of_cells(measure: str, criterion: str) -> None:
    """Rows give all measures; counts give the final loss only."""
    study: Study = make_study(count=20, **{**BUDGET, "criterion": criterion})
    result = sweep.run(study)
    frame = result.runs()
    statistic = frame.groupby("cell")[measure]
    cells = result.measures.in_cells(measure, result.cells)
    if measure == "n_correct":
        assert cells["n_correct_mean"].to_list() == pytest.approx(statistic.mean().to_list())
    else:
        expected = statistic.apply(lambda values: np.sort(values)[9])
        assert cells[f"{measure}_q50"].to_list() == expected.to_list()
    with pytest.raises(SweepError, match=f"^unknown measure '{measure}s'; did you mean '{measure}'"):
        result.measures.of(f"{measure}s")
    values = result.measures.of(measure).values
    assert (values == frame[measure].to_numpy().reshape(values.shape)).all()
    if (measure, criterion) != ("final_loss", "none"):
        counted = sweep.run(study, keep="cells")
        with pytest.raises(StoreError, match="keep='runs'"):
            counted.measures.in_cells(measure, counted.cells)

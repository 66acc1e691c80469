"""Custom statistics in answers: cells, pools, ranks, figures, commands, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t

import sweep
from sweep.figures import draw
from sweep.statistics import of_cells
from sweep.statistics.of_cells import NAMED
from sweep.statistics.paired import holm
from tests.sweep.own import only_plugins
from tests.sweep.support import assert_refused, command, make_study

CODE = '''import sweep


@sweep.statistic(label="share of easy runs", unit="fraction", more_is_better=True)
def easy(runs):
    """Share of runs that converged within 20 updates.

    Not shown.
    """
    return ((runs["status"] == "converged") & (runs["steps"] <= 20)).mean()


@sweep.statistic
def longest(runs):
    return float(runs["steps"].max()), 0.0, 500.0
'''


# Each calls a function for every cell; the ends of an interval are the smallest and the largest of 39 values.
N_RESAMPLES = 39


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Load a plugin with statistics, of few resamples, and forget them afterward."""
    for module in ("statistics.by_function", "results.estimate"):
        monkeypatch.setattr(f"sweep.{module}.N_RESAMPLES", N_RESAMPLES)
    file = tmp_path / "mine.py"
    file.write_text(CODE)
    with only_plugins():
        assert sweep.load_plugin(file) == ["easy", "longest"]
        yield file


@pytest.fixture(scope="module")
def result() -> sweep.Result:
    """Return runs of six cells, of which some converge."""
    options = {"hidden": [2, 3], "learning_rate": [0.1, 0.2, 0.3], "max_steps": 100}
    return sweep.run(make_study(**options, count=20, threshold=0.3))


def test_cells_and_pools(result: sweep.Result) -> None:
    """Values are those of the function for the rows of each cell, and of pooled cells."""
    runs = result.runs()
    is_easy = (runs["status"] == "converged") & (runs["steps"] <= 20)
    table = result.statistic("easy")
    assert list(table) == ["cell", "hidden", "learning_rate", "n_runs", "easy", "easy_low", "easy_high"]
    assert np.allclose(table["easy"], is_easy.groupby(runs["cell"]).mean())
    assert ((table["easy_low"] <= table["easy"]) & (table["easy"] <= table["easy_high"])).all()
    pooled = result.summarize(["hidden", "easy", "longest"])
    assert np.allclose(pooled["easy"], is_easy.groupby(runs["hidden"]).mean())
    assert (pooled["longest"] == runs.groupby("hidden")["steps"].max().to_numpy()).all()
    assert (pooled["longest_high"] == 500).all()


def test_ranks(result: sweep.Result) -> None:
    """Cells are ranked by the value; p-values of similar cells count resamples in which a cell is as good."""
    ranked = result.best("easy")
    assert ranked["easy"].is_monotonic_decreasing
    easy = result.runs()
    easy["easy"] = (easy["status"] == "converged") & (easy["steps"] <= 20)
    by_cell = easy.pivot(index="cell", columns="seed", values="easy").to_numpy(float)
    drawn = np.random.default_rng(0).integers(0, 20, (N_RESAMPLES, 20))
    means = by_cell[:, drawn].mean(axis=2)[ranked["cell"]]
    p_values = (1 + (means >= means[0]).sum(axis=1)) / (1 + N_RESAMPLES)
    assert np.allclose(ranked["p_value"][1:], p_values[1:])
    assert np.allclose(ranked["p_value_holm"][1:], holm(ranked["p_value"].to_numpy())[1:])
    with pytest.raises(sweep.SweepError, match="easy has intervals at 95 % only"):
        result.best(["hidden", "easy"])


@pytest.mark.parametrize("kind", ["lines", "heatmap", "slice", "parallel"])
def test_figures(result: sweep.Result, kind: str) -> None:
    """Figures draw them by name."""
    assert draw(result, kind, value="easy").axes


def test_refusals(result: sweep.Result) -> None:
    """Results without rows, loss thresholds, and names that are taken are refused in a sentence."""
    counted = sweep.run(result.study, keep="cells")
    with pytest.raises(sweep.StoreError, match="this result keeps cells only; run the study with keep='runs'"):
        counted.statistic("easy")
    recorded = sweep.run(make_study(hidden=[2], count=3, max_steps=9, loss_thresholds=[1.0]))
    with pytest.raises(sweep.SweepError, match="use the result itself, not by_threshold"):
        recorded.by_threshold.statistic("easy")
    for name in ("hidden", "steps", "convergence_rate", "rate", "median_steps", "rate_within_half", "Easy"):

        def function(runs: pd.DataFrame) -> float:
            return 0.0

        function.__name__ = name
        with pytest.raises(sweep.StudyError, match=f"statistic '{name}': the name"):
            sweep.statistic(function)
    with pytest.raises(sweep.StudyError, match="statistic 'few': label must be a text of at most 200"):

        @sweep.statistic(label="a\nb")
        def few(runs: pd.DataFrame) -> float:
            return 0.0


def test_no_cell_has_a_value(result: sweep.Result) -> None:
    """Cells are not ranked by a statistic that is NaN in all of them; if it is in some, these come last."""

    @sweep.statistic
    def unknown(runs: pd.DataFrame) -> float:
        return np.nan

    @sweep.statistic
    def known_in_some(runs: pd.DataFrame) -> float:
        return float(runs["steps"].mean()) if (runs["hidden"] == 3).all() else np.nan

    with pytest.raises(sweep.SweepError, match="statistic 'unknown' is not a number in any cell"):
        result.best("unknown")
    assert list(result.best("known_in_some")["known_in_some"].isna()) == [False] * 3 + [True] * 3


def test_declared_again(result: sweep.Result) -> None:
    """A function that is declared again replaces the one of its name."""
    before = result.statistic("easy")["easy"]

    @sweep.statistic
    def easy(runs: pd.DataFrame) -> float:
        return -1.0

    assert (result.statistic("easy")["easy"] == -1).all()
    assert (before >= 0).all()


@pytest.mark.slow
def test_commands(result: sweep.Result, own: Path, tmp_path: Path) -> None:
    """`best`, `figure` and `explain` take plugins; without the file the name is unknown."""
    folder = tmp_path / "result"
    sweep.run(result.study, folder)
    ranked = command("best", folder, "--by", "easy", "--plugin", own)
    assert ranked.code == 0, ranked
    assert "share of easy runs" in " ".join(ranked.out.split())
    drawn = command("figure", folder, "lines", "--value", "easy", "--plugin", own)
    assert drawn.code == 0, drawn
    assert (folder / "lines_easy.png").is_file()
    assert "Share of runs that converged within 20 updates." in command("explain", "easy", "--plugin", own).out
    del NAMED["easy"]
    of_cells._of_all.cache_clear()
    assert_refused(command("best", folder, "--by", "easy"), ("unknown statistic 'easy'",))


def test_splits_are_resampled_like_seeds() -> None:
    """Values pool over splits; resamples draw seeds and splits, and with one seed the splits take its place."""
    options = {"hidden": [2, 3], "learning_rate": 0.2, "max_steps": 60, "threshold": 0.5}
    data = {"task": "parity", "bits": 3, "train_count": 6}
    found = sweep.run(make_study(**options, count=6, split_seed=list(range(5)), data=data))
    runs = found.runs()
    runs["easy"] = (runs["status"] == "converged") & (runs["steps"] <= 20)
    table = found.over_replicates.statistic("easy")
    assert list(table) == ["hidden", "n_runs", "easy", "easy_low", "easy_high"]
    assert np.allclose(table["easy"], runs.groupby("hidden")["easy"].mean())
    random = np.random.default_rng(0)
    drawn = [(random.integers(0, 6, 6), random.integers(0, 5, 5)) for _ in range(N_RESAMPLES)]
    crossed = runs.pivot_table(index=["hidden", "split_seed"], columns="seed", values="easy").to_numpy(float)
    crossed = crossed.reshape(2, 5, 6)
    means = np.array([crossed[:, splits][:, :, seeds].mean(axis=(1, 2)) for seeds, splits in drawn]).T
    tail = norm.cdf(-t.ppf(0.975, 4) * np.sqrt(5 / 4))
    for name, share in (("easy_low", tail), ("easy_high", 1 - tail)):
        assert np.allclose(table[name], np.quantile(means, share, axis=1, method="inverted_cdf"))
    ranked = found.best("easy")
    assert list(ranked["n_runs"]) == [30, 30]
    assert ranked["p_value"].iloc[1] >= 0.5**5
    assert np.allclose(found.summarize(["hidden", "easy"])["easy_low"], table["easy_low"])
    assert len(found.summarize(["split_seed", "easy"])) == 5

    splits = sweep.run(make_study(**options, count=1, split_seed=list(range(5)), data=data))
    ends = splits.over_replicates.statistic("easy")[["easy_low", "easy_high"]].to_numpy()
    assert (ends[:, 0] <= ends[:, 1]).all()

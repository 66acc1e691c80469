"""Figures of learning curves show the recorded points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sweep
from sweep import Result, SweepError, figures
from tests.sweep.support import command, make_study, write_study


@pytest.fixture(scope="module")
def result() -> Result:
    """Train a study in full batch with curves of 9 seeds, where some runs diverge."""
    rates = [0.05, 0.2, 40.0]
    return sweep.run(make_study(count=12, hidden=[1, 3], learning_rate=rates, threshold=0.1, curves={"seeds": 9}))


@pytest.mark.parametrize("value", ["train_loss", "n_correct"])
def test_medians_and_quartiles(result: Result, value: str) -> None:
    """Medians at each recorded step are values of runs; ended runs keep their last value."""
    ax = figures.learning_curves(result, value=value, color="learning_rate")
    curves = result.learning_curves()
    steps = [0, 1, 2, 5, 10, 20, 50, 60]
    assert [line.get_label() for line in ax.lines] == ["0.05", "0.2", "40"]
    for line, rate in zip(ax.lines, (0.05, 0.2, 40.0), strict=True):
        runs = [run for _, run in curves[curves["learning_rate"] == rate].groupby("run")]
        assert len(runs) == 18
        for step, drawn in zip(*line.get_data(), strict=True):
            ordered = sorted(run.loc[run["steps"] <= step, value].iloc[-1] for run in runs)
            assert drawn == ordered[8] or (np.isnan(drawn) and not 1e-30 <= ordered[8] <= 1e30)
        assert list(line.get_xdata()) == steps
    assert "quartiles of the first 9 seeds; ended runs keep their last value" in ax.get_title().replace("\n", " ")
    assert ax.get_yscale() == ("log" if value == "train_loss" else "linear")


def test_single_runs(result: Result) -> None:
    """Each run has a line to its end, colored by its status; at most 300 runs are drawn."""
    ax = figures.curves_of_runs(result, at={"hidden": [3]})
    curves = result.learning_curves(at={"hidden": [3]})
    drawn = 0
    for line in ax.lines:
        ended = curves[curves["status"] == line.get_label()]
        if len(ended):
            x, y = line.get_data()
            assert np.isnan(x).sum() == ended["run"].nunique() - 1
            finite = ended.loc[ended["train_loss"] < 1e30, "train_loss"].to_numpy()
            np.testing.assert_array_equal(y[np.isfinite(y)], finite)
            drawn += ended["run"].nunique()
    assert drawn == 27
    assert "27 runs of the first 9 seeds" in ax.get_title()
    many = sweep.run(make_study(count=400, hidden=2, learning_rate=0.1, max_steps=1, curves={"seeds": 400}))
    assert "300 of 400 runs" in figures.curves_of_runs(many).get_title()
    alone = sweep.run(make_study(count=1, hidden=2, learning_rate=0.1, max_steps=1, curves={"seeds": 1}))
    assert "each to its end" not in figures.curves_of_runs(alone).get_title()
    assert "quartiles of the first seed;" in figures.learning_curves(alone).get_title().replace("\n", " ")


@pytest.mark.wide
def test_epochs_of_different_length() -> None:
    """Steps at which a run under way has no point are left out."""
    curves = {"seeds": 3, "steps": [0, 1, 2, 4, 8, 12]}
    options = {"hidden": 2, "learning_rate": 0.01, "criterion": "none", "max_steps": 24, "curves": curves}
    result = sweep.run(make_study(count=3, batch=[1, 2], **options))
    ax = figures.learning_curves(result, at={"batch": [1]})
    assert list(ax.lines[0].get_xdata()) == [0, 4, 8, 12, 24]
    apart = figures.learning_curves(result, color="batch")
    assert [list(line.get_xdata()) for line in apart.lines] == [[0, 4, 8, 12, 24], [0, 2, 4, 8, 12, 24]]
    together = figures.learning_curves(
        sweep.run(make_study(count=3, batch=[1, 2], scale=[0.5, 1.0], **options)), color="scale"
    )
    assert all(list(line.get_xdata()) == [0, 4, 8, 12, 24] for line in together.lines)


def test_refusals_and_files(result: Result, tmp_path: Path) -> None:
    """Unknown values are refused. The command names files by kind and value, and `--overwrite` removes them."""
    for options, expected in (
        ({"value": "test_loss"}, "unknown value 'test_loss'"),
        ({"value": "n_corect"}, "did you mean 'n_correct'"),
        ({"color": "scale"}, "'scale' is not swept"),
        ({"at": {"hidden": [7]}}, "hidden.* 7"),
    ):
        with pytest.raises(SweepError, match=expected):
            figures.learning_curves(result, **options)
    path = write_study(tmp_path / "s.toml", make_study(count=2, curves={"seeds": 2}))
    place = tmp_path / "r"
    assert command("run", path, "--out", place).code == 0
    assert command("figure", place, "curves", "--value", "n_correct").code == 0
    assert command("figure", place, "runs").code == 0
    assert {"curves_n_correct.png", "runs.png"} <= {each.name for each in place.iterdir()}
    assert command("figure", place, "runs", "--value", "rate").code == 2
    assert command("run", path, "--out", place, "--overwrite").code == 0
    assert not list(place.glob("*.png"))


def test_training_and_test_curves_of_the_best_cell() -> None:
    """With test patterns the default shows both losses of the best cell, per pattern since their numbers differ."""
    data = {"task": "boolean", "bits": 3, "function": 232, "coding": "pm1", "train_count": 6}
    budget: dict[str, Any] = {"criterion": "none", "max_steps": 40, "curves": {"seeds": 5}}
    result = sweep.run(make_study(count=5, hidden=[2, 3], learning_rate=[0.01, 0.1], data=data, **budget))
    ax = figures.learning_curves(result)
    assert [line.get_label() for line in ax.lines[:2]] == ["training", "test"]
    best = int(result.best()["cell"].iloc[0])
    ends = result.learning_curves(best).groupby("run").last()
    for line, column, n in zip(ax.lines, ("train_loss", "test_loss"), (6, 2), strict=False):
        assert np.asarray(line.get_ydata())[-1] == pytest.approx(ends[column].median() / n)
    assert "loss per pattern" in ax.get_ylabel()
    assert "test loss: least " in ax.get_title()
    accuracy = figures.learning_curves(result, value="accuracy")
    assert np.asarray(accuracy.lines[1].get_ydata())[-1] == pytest.approx(100 * ends["test_accuracy"].median())
    with pytest.raises(SweepError, match="color: shows the patterns"):
        figures.learning_curves(result, value="loss", color="hidden")
    assert "training loss" in figures.learning_curves(result, color="hidden", value="train_loss").get_ylabel()


def test_replicates_get_no_colors_by_default() -> None:
    """Curves are pooled over splits, even if these are more than the values of other options."""
    data = {"task": "parity", "bits": 3, "train_count": 6}
    study = make_study(
        count=2, hidden=[1, 2], learning_rate=0.1, split_seed=[0, 1, 2, 3], data=data, max_steps=5, curves={"seeds": 2}
    )
    result = sweep.run(study)
    ax = figures.learning_curves(result, value="train_loss")
    assert [line.get_label() for line in ax.lines] == ["1", "2"]


def test_accuracies_need_classes() -> None:
    """Targets of more than two values have no accuracy; their losses are drawn."""
    points = np.random.default_rng(1).normal(size=(12, 2))
    data = {"inputs": points.tolist(), "targets": points.sum(axis=1).tolist(), "test_count": 4}
    result = sweep.run(make_study(count=2, hidden=2, data=data, criterion="none", max_steps=9, curves={"seeds": 2}))
    for value in ("accuracy", "test_accuracy"):
        with pytest.raises(SweepError, match=f"^value: '{value}' needs targets of classes, .*; draw a loss$"):
            figures.learning_curves(result, value=value)
    assert figures.learning_curves(result).lines


def test_axes_of_shares_of_patterns_fit_them() -> None:
    """A share of patterns fills its axis and its colors; a share of runs is drawn from 0 to 100 %."""
    data = {"task": "boolean", "bits": 3, "function": 232, "coding": "pm1", "train_count": 6}
    result = sweep.run(make_study(count=5, hidden=[2, 3], learning_rate=[0.01, 0.1], data=data, max_steps=40))
    means = 100 * result.runs().groupby("cell")["test_accuracy"].mean()
    bar = figures.heatmap(result).collections[0]
    assert bar.get_clim() == pytest.approx((means.min(), means.max()))
    low, high = figures.slice_plot(result, x="hidden").get_ylim()
    assert means.min() - 5 < low <= means.min() <= means.max() <= high < means.max() + 5
    assert figures.slice_plot(result, x="hidden", value="rate").get_ylim() == (-3, 103)

"""Answers of studies with held-out patterns: their measures come first, and the choice of a cell says by what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sweep
from sweep import Study, figures, open_result
from sweep.analysis.held_out import HeldOut, chosen_by_halves, held_out
from sweep.results import sentences
from sweep.statistics.of_cells import main_statistic_of
from sweep.statistics.outcomes import Measured
from sweep.terminal.printed import print_best
from tests.sweep.support import command, make_study

TESTED: dict[str, Any] = {
    "data": {"task": "boolean", "bits": 3, "function": 232, "coding": "pm1", "train_count": 5},
    "activation": "tanh",
    "max_steps": 30,
}


def test_measures_follow_the_targets() -> None:
    """Targets of many values have test losses, since they are of no class; without held-out patterns there is none."""
    numbers = {"inputs": [[0.0], [1.0], [2.0], [3.0]], "targets": [[0.0], [0.3], [0.7], [1.0]], "train_count": 3}
    assert held_out(make_study(data=numbers)) == HeldOut("test_loss", "test_loss")
    assert held_out(make_study(**TESTED)) == HeldOut("test_accuracy", "test_accuracy")
    assert held_out(make_study()) is None


@pytest.mark.parametrize("n_seeds", [4, 5, 20])
def test_halves_of_seeds_do_not_favor_the_best(n_seeds: int) -> None:
    """Among equal cells, the best looks better than it is; chosen by other seeds it does not."""
    rng = np.random.default_rng(n_seeds)
    statistic = main_statistic_of("test_accuracy")
    values = [rng.normal(0.5, 0.1, (30, n_seeds)) for _ in range(400)]
    looks = np.mean([each.mean(axis=1).max() for each in values])
    estimate = np.mean([chosen_by_halves(Measured(each), statistic) for each in values])
    assert looks > 0.5 + 0.15 / np.sqrt(n_seeds)
    assert estimate == pytest.approx(0.5, abs=4 * 0.1 / np.sqrt(400 * n_seeds))
    assert np.isnan(chosen_by_halves(Measured(values[0][:, :3]), statistic))


@pytest.mark.parametrize("n_splits", [1, 2])
def test_cells_have_what_ranks_them(n_splits: int, tmp_path: Path) -> None:
    """The table of cells has the accuracies of the ranking, also with splits and where the result is opened."""
    options = {"hidden": [2, 3], "learning_rate": 0.2, "split_seed": list(range(n_splits)), "criterion": "none"}
    sweep.run(make_study(count=6, **options, **TESTED), tmp_path / "r")
    result = open_result(tmp_path / "r")
    for cells, by in ((result.cells, ["hidden", "split_seed"]), (result.over_replicates.cells, ["hidden"])):
        means = result.runs().groupby(by)["test_accuracy"].mean()
        assert cells["test_accuracy_mean"].tolist() == pytest.approx(means.tolist())
        assert (cells["test_accuracy_mean_low"] < cells["test_accuracy_mean_high"]).all()
    assert set(result.over_replicates.cells) <= set(result.best())


def test_splits_are_pooled_as_seeds_are() -> None:
    """Rankings and figures pool over splits, with intervals within 0 and 100 %, unless an option names the splits."""
    study = make_study(count=6, hidden=[2, 3], learning_rate=0.2, split_seed=[0, 1, 2], criterion="none", **TESTED)
    result = sweep.run(study)
    means = result.runs().groupby("hidden")["test_accuracy"].mean()
    best = result.best().set_index("hidden")
    assert best["test_accuracy_mean"].to_dict() == pytest.approx(means.to_dict())
    assert (best["test_accuracy_mean_low"] >= 0).all()
    assert (best["test_accuracy_mean_high"] <= 1).all()
    (ax,) = figures.draw(result, "lines").axes
    assert list(ax.lines[0].get_ydata()) == pytest.approx(list(100 * means))
    assert figures.heatmap(result, x="split_seed", y="hidden").get_xlabel() == "split seed"


def test_nothing_is_chosen_from_equal_cells() -> None:
    """A best cell that equals all others is not called a choice that makes test accuracies optimistic."""
    study = make_study(count=3, learning_rate=[1e-300, 2e-300], hidden=2, criterion="none", **TESTED)
    text = "\n".join(sentences.answer(sweep.run(study)))
    assert "both cells are equal in every run" in text
    assert "chosen on" not in text


@pytest.mark.parametrize(("n_seeds", "n_splits"), [(1, 2), (2, 1)])
def test_contenders_of_two_seeds_or_splits(n_seeds: int, n_splits: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Two runs exclude no difference: both cells are shown, without an interval of their difference."""
    options = {"hidden": 4, "learning_rate": [1e-9, 1.5], "split_seed": list(range(n_splits))}
    print_best(sweep.run(make_study(count=n_seeds, criterion="none", **TESTED, **options)))
    shown = capsys.readouterr().out
    assert "2 of 2 cells may be the best" in shown
    assert "2 cells that may be the best of 2 (contenders)" in shown
    assert "only one cell" not in shown
    assert "inf" not in shown


def test_runs_that_test_patterns_end_have_optimistic_results() -> None:
    """The answer says which options look at test patterns while networks train."""
    study = make_study(count=4, hidden=[2, 3], criterion_on="test", **TESTED)
    text = "\n".join(sentences.answer(sweep.run(study)))
    assert "decided when runs end (criterion_on = 'test')" in text
    assert "criterion on test patterns: " in text
    assert "training: " not in text


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train two cells of which all runs diverge, with learning curves."""
    folder = tmp_path_factory.mktemp("lost") / "r"
    study = Study(
        data={"task": "parity", "bits": 3, "train_count": 5},
        network={"hidden": 2},
        training={"loss": "sse", "max_steps": 200},
        convergence={"criterion": "none"},
        record={"measures": ["margin", "mean_error"], "curves": {"seeds": 8}},
        parameters={"learning_rate": [1e6, 1e8]},
        seeds={"count": 8},
    )
    sweep.run(study, folder)
    return folder


@pytest.mark.parametrize("by", ["test_accuracy", "n_test_correct", "test_loss", "final_loss", "margin", "mean_error"])
def test_no_cell_is_the_best_where_all_diverged(lost: Path, by: str) -> None:
    """No ranking names a cell where all have the worst value."""
    statistic = main_statistic_of(by)
    label, is_mean = statistic.label.removesuffix(", %"), statistic.compared == "mean"
    why = f"the {label} is 0{' %' * statistic.percent} in every cell" if is_mean else f"no cell has a finite {label}"
    ranked = command("best", lost, "--by", by).out
    assert f"\n{why}, so no cell is better than another\n" in ranked
    assert "may be the best" not in ranked
    assert "contender" not in ranked
    assert f"\n{why}\n" in command("best", lost, "--by", f"learning_rate,{by}").out
    compared = command("compare", lost, "--vary", "learning_rate", "--by", by, "--each-at-best").out
    assert f"{why}, so no choice is better than another" in compared


def test_answers_and_curves_name_no_best_cell_where_all_diverged(lost: Path) -> None:
    """The answer says why there is none, and curves are those of all cells."""
    result = sweep.open_result(lost)
    answer = sentences.answer(result)
    assert "the mean test accuracy is 0 % in every cell" in answer
    assert not any("best cell" in sentence or "chosen" in sentence for sentence in answer)
    title = figures.learning_curves(result, value="accuracy").get_title().replace("\n", " ")
    assert "the mean test accuracy is 0 % in every cell: all cells are drawn" in title


def test_a_best_cell_may_have_diverged_after_the_best_validation() -> None:
    """Networks at the best validation may be good where all runs diverge later; the answer says so."""
    data = {"task": "parity", "bits": 4, "validation_count": 4}
    options = {"activation": "relu", "hidden": 2, "criterion": "none", "max_steps": 100, "data": data}
    result = sweep.run(make_study(count=10, learning_rate=[1e6, 1e8], **options))
    (best,) = (each for each in sentences.answer(result) if each.startswith("best cell: "))
    assert "of 10 runs at the best validation, which all diverged later; " in best

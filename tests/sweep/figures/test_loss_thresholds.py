"""Figures over recorded loss thresholds: curves by threshold or by a parameter show the numbers of the result."""

from __future__ import annotations

import numpy as np
import pytest

import sweep
from sweep import Result, SweepError, figures
from tests.sweep.figures.test_curves import drawn
from tests.sweep.support import make_study

THRESHOLDS = [3.0, 1.0, 0.3, 0.1]
RATES = [0.05, 0.2]


@pytest.fixture(scope="module")
def result() -> Result:
    """Train two widths at two learning rates with four loss thresholds."""
    return sweep.run(make_study(count=30, loss_thresholds=THRESHOLDS))


def test_curves_of_thresholds(result: Result) -> None:
    """Each threshold has a band and a curve that ends at the share of runs that reached it."""
    ax = figures.ecdf(result, color="loss_threshold")
    rows = result.runs()
    lines = drawn(ax)
    assert set(lines) == {"3", "1", "0.3", "0.1"}
    for label, (_, y) in lines.items():
        steps = rows[f"steps_to_{label}"]
        assert y[-1] == pytest.approx(100 * (steps >= 0).mean())
    legend = ax.get_legend()
    assert legend is not None
    assert legend.get_title().get_text() == "loss threshold"
    assert "pairs under way" in ax.get_xlabel()
    assert "pooled over all values of hidden and learning rate" in ax.get_title().replace("\n", " ")
    assert len(ax.collections) == 4


def test_curves_of_parameters_pool_thresholds(result: Result) -> None:
    """Curves by another parameter pool all thresholds, or the selected ones."""
    ax = figures.ecdf(result, color="hidden")
    curve = result.run_lengths("hidden").groupby("hidden")["incidence"].last()
    for label, (_, y) in drawn(ax).items():
        assert y[-1] == pytest.approx(100 * curve[int(label)])
    assert "learning rate and loss threshold" in ax.get_title().replace("\n", " ")
    few = figures.ecdf(result, color="hidden", at={"loss_threshold": [0.3]})
    for label, (_, y) in drawn(few).items():
        steps = result.runs().query(f"hidden == {label}")["steps_to_0.3"]
        assert y[-1] == pytest.approx(100 * (steps >= 0).mean())
    with pytest.raises(SweepError, match=r"3, 1, 0\.3, 0\.1"):
        figures.ecdf(result, at={"loss_threshold": [7]})
    with pytest.raises(SweepError, match=r"'threshold' is not swept.*loss_threshold"):
        figures.ecdf(result, color="threshold")


def test_thresholds_without_criterion() -> None:
    """If nothing else is swept, all thresholds together have a curve too. No criterion is needed."""
    study = make_study(count=20, loss_thresholds=THRESHOLDS, criterion="none", hidden=3, learning_rate=0.05)
    result = sweep.run(study)
    ax = figures.ecdf(result, bands="simultaneous")
    lines = drawn(ax)
    assert set(lines) == {"3", "1", "0.3", "0.1", "all thresholds"}
    reached = result.runs()[[f"steps_to_{threshold}" for threshold in ("3", "1", "0.3", "0.1")]] >= 0
    assert lines["all thresholds"][1][-1] == pytest.approx(100 * reached.to_numpy().mean())
    one = sweep.run(make_study(count=5, loss_thresholds=[0.3], criterion="none", hidden=3, learning_rate=0.05))
    assert len(figures.ecdf(one).lines) == 1
    never = sweep.run(make_study(count=5, loss_thresholds=[1e-300], hidden=2, learning_rate=1e-9))
    assert "no threshold was reached" in [text.get_text() for text in figures.ecdf(never).texts]


def test_profile_of_seeds_and_thresholds(result: Result) -> None:
    """A problem is a seed, a value of the other parameter and a threshold; curves end at the share that is reached."""
    ax = figures.profile(result, color="learning_rate")
    assert "240 problems" in ax.get_title()
    rows = result.runs()
    for label, (_, y) in drawn(ax).items():
        steps = rows[np.isclose(rows["learning_rate"], float(label))].filter(like="steps_to_")
        assert y[-1] == pytest.approx(100 * (steps >= 0).to_numpy().mean())
    with pytest.raises(SweepError, match="got loss_threshold"):
        figures.profile(result, color="loss_threshold")


def test_figures_of_cells_and_thresholds(result: Result) -> None:
    """Other kinds draw `by_threshold` with the threshold as a parameter."""
    ax = figures.draw(result.by_threshold, "lines", x="loss_threshold", color="hidden").axes[0]
    cells = result.by_threshold.summarize(["hidden", "loss_threshold"])
    for label, (x, y) in drawn(ax).items():
        if label.isdigit():
            expected = cells[cells["hidden"] == int(label)].sort_values("loss_threshold")
            assert x.tolist() == expected["loss_threshold"].tolist()
            assert y == pytest.approx(100 * expected["convergence_rate"].to_numpy())
    assert figures.draw(result.by_threshold, "heatmap", x="learning_rate", y="loss_threshold").axes

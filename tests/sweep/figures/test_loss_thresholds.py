"""Figures over recorded targets: the curves are the numbers of the result, by target or by a parameter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

import sweep
from sweep import Result, StudyError, SweepError, figures
from tests.sweep.support import assert_refused, command, make_study

TARGETS = [3.0, 1.0, 0.3, 0.1]
RATES = [0.05, 0.2]


@pytest.fixture(scope="module")
def result() -> Result:
    """Train two widths at two rates with four targets."""
    return sweep.run(make_study(count=30, loss_thresholds=TARGETS))


def drawn(ax: Axes) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the points of each line, by its label."""
    return {str(line.get_label()): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in ax.lines}


def test_curves_of_targets(result: Result) -> None:
    """Each target has a curve that ends at the share of runs that met it, and its band."""
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
    assert "all values of hidden and learning rate" in ax.get_title().replace("\n", " ")
    assert len(ax.collections) == 4


def test_curves_of_parameters_pool_targets(result: Result) -> None:
    """A parameter by color has the pairs of all targets, also of some of them."""
    ax = figures.ecdf(result, color="hidden")
    curve = result.run_lengths("hidden").groupby("hidden")["incidence"].last()
    for label, (_, y) in drawn(ax).items():
        assert y[-1] == pytest.approx(100 * curve[int(label)])
    assert "learning rate and loss threshold" in ax.get_title().replace("\n", " ")
    few = figures.ecdf(result, color="hidden", at={"loss_threshold": [0.3]})
    for label, (_, y) in drawn(few).items():
        own = result.runs().query(f"hidden == {label}")["steps_to_0.3"]
        assert y[-1] == pytest.approx(100 * (own >= 0).mean())
    with pytest.raises(SweepError, match=r"loss_threshold 7 given; its values are 3, 1, 0\.3, 0\.1"):
        figures.ecdf(result, at={"loss_threshold": [7]})


def test_targets_of_one_cell_and_of_unevaluated_runs() -> None:
    """Where nothing else is swept all targets have a curve besides each; the criterion does not matter."""
    study = make_study(count=20, loss_thresholds=TARGETS, criterion="none", hidden=3, learning_rate=0.05)
    result = sweep.run(study)
    ax = figures.ecdf(result, bands="simultaneous")
    lines = drawn(ax)
    assert set(lines) == {"3", "1", "0.3", "0.1", "all targets"}
    met = result.runs()[[f"steps_to_{target}" for target in ("3", "1", "0.3", "0.1")]] >= 0
    assert lines["all targets"][1][-1] == pytest.approx(100 * met.to_numpy().mean())
    one = sweep.run(make_study(count=5, loss_thresholds=[0.3], criterion="none", hidden=3, learning_rate=0.05))
    assert len(figures.ecdf(one).lines) == 1
    never = sweep.run(make_study(count=5, loss_thresholds=[1e-300], hidden=2, learning_rate=1e-9))
    assert "no target was reached" in [text.get_text() for text in figures.ecdf(never).texts]


def test_profile_of_seeds_and_targets(result: Result) -> None:
    """A problem is a seed, another parameter and a target; a curve ends at the share that is met."""
    ax = figures.profile(result, color="learning_rate")
    assert "240 problems" in ax.get_title()
    rows = result.runs()
    for label, (_, y) in drawn(ax).items():
        own = rows[np.isclose(rows["learning_rate"], float(label))].filter(like="steps_to_")
        assert y[-1] == pytest.approx(100 * (own >= 0).to_numpy().mean())
    with pytest.raises(SweepError, match="compares the values of a parameter"):
        figures.profile(result, color="loss_threshold")


def test_figures_of_cells_and_targets(result: Result) -> None:
    """Any figure of cells takes the runs evaluated by targets, with the target as a parameter."""
    ax = figures.draw(result.by_threshold, "lines", x="loss_threshold", color="hidden").axes[0]
    cells = result.by_threshold.summarize(["hidden", "loss_threshold"])
    for label, (x, y) in drawn(ax).items():
        own = cells[cells["hidden"] == int(label)].sort_values("loss_threshold") if label.isdigit() else None
        if own is not None:
            assert x.tolist() == own["loss_threshold"].tolist()
            assert y == pytest.approx(100 * own["convergence_rate"].to_numpy())
    assert figures.draw(result.by_threshold, "heatmap", x="learning_rate", y="loss_threshold").axes


def test_commands_draw_targets(tmp_path: Path) -> None:
    """The command needs no option, and takes the target by color or picked."""
    sweep.run(make_study(count=10, loss_thresholds=TARGETS), out=tmp_path / "r")
    for options in ((), ("--color", "loss_threshold"), ("--color", "hidden", "--at", "loss_threshold=1,0.3")):
        told = command("figure", tmp_path / "r", "ecdf", *options)
        assert told.code == 0
        assert (tmp_path / "r" / "ecdf.png").exists()
    assert command("figure", tmp_path / "r", "profile").code == 0
    assert_refused(command("figure", tmp_path / "r", "ecdf", "--color", "threshold"), ("threshold", "loss_threshold"))
    with pytest.raises(StudyError, match=r"keep 'cells' given with record\.loss_thresholds"):
        sweep.run(make_study(loss_thresholds=TARGETS), keep="cells")

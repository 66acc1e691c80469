"""Curves over steps: they show the numbers of the result, count runs under way, and refuse what they cannot draw."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

import sweep
from sweep import Result, SweepError, figures
from sweep.statistics.outcomes import Measured
from tests.sweep.invented import invented, outcomes_of, result_of
from tests.sweep.support import assert_refused, command, make_study

LIMIT = 5000


def converging(rates: list[float], **options: Any) -> Result:
    """Return a result of cells that converge with these rates."""
    return invented(make_study(**{"count": 60, "learning_rate": 0.1, "max_steps": LIMIT, **options}), rates)


def drawn(ax: Axes) -> dict[str, tuple[Any, Any]]:
    """Return the points of each line, by its label."""
    return {str(line.get_label()): (line.get_xdata(), line.get_ydata()) for line in ax.lines}


@pytest.fixture(scope="module")
def thresholds() -> Result:
    """Return invented runs of two widths and three thresholds."""
    return converging([0.9, 0.5, 0.2, 0.95, 0.7, 0.6], hidden=[2, 3], threshold=[0.1, 0.01, 0.001])


def test_pointwise_and_simultaneous_bands() -> None:
    """The bands equal those of the table, and the title names their kind."""
    result = converging([0.3, 0.9], hidden=[2, 3])
    for bands, ends in (("pointwise", ("low", "high")), ("simultaneous", ("band_low", "band_high"))):
        ax = figures.incidence(result, bands=bands)
        assert bands in ax.get_title()
        curve = result.incidence("hidden").groupby("hidden").last()
        for k, hidden in enumerate((2, 3)):
            points = ax.collections[k].get_paths()[0].vertices
            assert points[points[:, 0] == LIMIT, 1].min() == pytest.approx(100 * curve.loc[hidden, ends[0]])
            assert points[points[:, 0] == LIMIT, 1].max() == pytest.approx(100 * curve.loc[hidden, ends[1]])
    with pytest.raises(SweepError, match="unknown bands 'both'"):
        figures.incidence(result, bands="both")


def test_parallel_runs_are_drawn() -> None:
    """Each number of runs has a curve, or one number has curves by color; each ends at the convergence rate."""
    result = converging([0.3, 0.6], hidden=[2, 3])
    lines = drawn(figures.incidence(result, parallel_runs=[16, 1, 4]))
    assert list(lines) == ["1", "4", "16"]
    for label, (_, y) in lines.items():
        expected = result.parallel_runs(int(label), by=[])["convergence_rate"].item()
        assert y[-1] == pytest.approx(100 * expected)
    ax = figures.incidence(result, parallel_runs=4)
    expected = result.parallel_runs(4)["convergence_rate"]
    assert [y[-1] for _, y in drawn(ax).values()] == pytest.approx(100 * expected)
    assert "any of 4 parallel runs" in ax.get_ylabel()
    with pytest.raises(SweepError, match="color: must be left out"):
        figures.incidence(result, parallel_runs=[1, 4], color="hidden")
    for number in (0, 61, 1.5, "a"):
        with pytest.raises(SweepError, match="from 1 to 60"):
            figures.incidence(result, parallel_runs=number)  # type: ignore[arg-type]


@pytest.mark.parametrize("rates", [[0.5, 0.9], [0.0, 0.0], [1.0, 1.0]])
def test_runs_under_way_stand_below_ticks(rates: list[float]) -> None:
    """Below each tick is the number of runs that take at least that many steps."""
    result = converging(rates, hidden=[2, 3])
    ax = figures.incidence(result)
    ax.figure.canvas.draw()
    steps = result.outcomes.steps
    labels = dict(zip(ax.get_xticks(), (label.get_text() for label in ax.get_xticklabels()), strict=True))
    assert len(labels) >= 2
    for tick, label in labels.items():
        assert label.split("\n")[1] == f"{(steps >= tick).sum():,}"
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def test_run_lengths_are_drawn(thresholds: Result) -> None:
    """Curves are colored by another parameter; if only thresholds vary, each has a curve beside that of all."""
    lines = drawn(figures.ecdf(thresholds))
    curves = thresholds.run_lengths("hidden")
    for hidden in (2, 3):
        curve = curves[curves["hidden"] == hidden]
        assert lines[str(hidden)][1][-1] == pytest.approx(100 * curve["incidence"].iloc[-1])
    ax = figures.ecdf(thresholds, at={"hidden": [2]})
    assert list(drawn(ax)) == ["0.001", "0.01", "0.1", "all thresholds"]
    ends = [y[-1] for _, y in drawn(ax).values()]
    assert np.mean(ends[:3]) == pytest.approx(ends[3])
    assert ax.get_xscale() == "log"
    assert set(drawn(figures.ecdf(thresholds, color="threshold"))) == {"0.1", "0.01", "0.001"}
    with pytest.raises(SweepError, match="threshold"):
        figures.ecdf(thresholds, at={"threshold": [0.1]})
    with pytest.raises(SweepError, match="unknown bands"):
        figures.ecdf(thresholds, bands="none")


def test_profile_is_drawn() -> None:
    """A curve starts at the share of problems where its value is best and ends at the share where it converges."""
    result = converging([0.5, 0.7, 0.9], hidden=[2, 3, 4])
    profile, lines = result.performance_profile("hidden"), drawn(figures.profile(result))
    last = profile["factor"].max()
    for hidden, curve in profile.groupby("hidden"):
        x, y = lines[str(hidden)]
        assert (x[0], x[-1]) == (1.0, last)
        assert [y[0], y[-1]] == pytest.approx(100 * curve["share"].iloc[[0, -1]].to_numpy())
    two = drawn(figures.profile(result, at={"hidden": [2, 4]}))
    assert set(two) == {"2", "4"}
    assert two["2"][1][0] >= lines["2"][1][0]  # with fewer rivals it is the best more often
    with pytest.raises(SweepError, match="hidden"):
        figures.profile(result, color="hidden", at={"hidden": [2]})


def test_degenerate_curves() -> None:
    """If all runs converge at step 1, all values are best; if none converges, the figure says so."""
    study = make_study(count=20, hidden=[2, 3], learning_rate=0.1)
    at_one = result_of(study, Measured.of_ends(np.ones((2, 20), np.int32), np.ones((2, 20), bool)))
    assert [set(y) for _, y in drawn(figures.profile(at_one)).values()] == [{100.0}, {100.0}]
    never = result_of(study, Measured.of_ends(np.full((2, 20), 60, np.int32), np.zeros((2, 20), bool)))
    for kind in ("incidence", "profile"):
        (text,) = figures.draw(never, kind).axes[0].texts
        assert text.get_text() == "no run converged"


def test_values_without_runs() -> None:
    """Values without runs in a partial result are refused if selected; otherwise the other values are drawn."""
    outcomes = outcomes_of(np.random.default_rng(3), np.array([0.5, 0.7]), 20, 0.5)
    steps = outcomes.steps.copy()
    steps[0] = -1
    result = result_of(
        make_study(count=20, hidden=[2, 3], learning_rate=0.1), Measured.of_ends(steps, outcomes.converged)
    )
    with pytest.raises(SweepError, match="no run is trained yet at these values"):
        figures.incidence(result, at={"hidden": [2]})
    assert len(drawn(figures.incidence(result))) == 1
    with pytest.raises(SweepError, match="hidden"):
        figures.profile(result)


def test_commands_draw_curves(tmp_path: Path) -> None:
    """The command draws each kind with its options, and refuses bad options in one sentence."""
    sweep.run(
        make_study(count=20, hidden=[8], learning_rate=[0.03, 0.1], threshold=[0.5, 0.1], max_steps=200), out=tmp_path
    )
    for options in (
        ("ecdf", "--bands", "simultaneous"),
        ("profile", "--color", "learning_rate"),
        ("incidence", "--parallel-runs", "1,4", "--bands", "pointwise"),
    ):
        assert command("figure", tmp_path, *options).code == 0
        assert (tmp_path / f"{options[0]}.png").exists()
    refused: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
        (("incidence", "--parallel-runs", "1,x"), ("--parallel-runs", "whole numbers from 1", "'1,x'")),
        (("incidence", "--parallel-runs", "0"), ("whole numbers from 1", "'0'")),
        (("incidence", "--parallel-runs", "4,4"), ("different", "'4,4'")),
        (("incidence", "--parallel-runs", "21"), ("21", "from 1 to 20")),
        (("incidence", "--bands", "wide"), ("unknown bands 'wide'", "pointwise")),
        (("lines", "--bands", "pointwise"), ("bands", "'lines'", "x, color, facet")),
        (("profile", "--color", "hidden"), ("hidden",)),
    )
    for options, expected in refused:
        assert_refused(command("figure", tmp_path, *options), expected)

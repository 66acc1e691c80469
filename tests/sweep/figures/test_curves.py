"""Curves that are drawn: the numbers of the result, how many runs are under way, and what cannot be drawn."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

import sweep
from sweep import Result, SweepError, figures
from sweep.statistics.outcomes import Outcomes
from tests.sweep.invented import outcomes_of, result_of
from tests.sweep.support import assert_refused, command, make_study

LIMIT = 5000


def invented(rates: list[float], n_seeds: int = 60, **words: Any) -> Result:
    """Return a result of cells that converge with these rates."""
    study = make_study(**{"count": n_seeds, "learning_rate": 0.1, "max_steps": LIMIT, **words})
    return result_of(study, outcomes_of(np.random.default_rng(3), np.array(rates), n_seeds, 0.5, LIMIT))


def drawn(ax: Axes) -> dict[str, tuple[Any, Any]]:
    """Return the points of each line, by its label."""
    return {str(line.get_label()): (line.get_xdata(), line.get_ydata()) for line in ax.lines}


@pytest.fixture(scope="module")
def targets() -> Result:
    """Invent runs of two widths and three targets."""
    return invented([0.9, 0.5, 0.2, 0.95, 0.7, 0.6], hidden=[2, 3], threshold=[0.1, 0.01, 0.001])


def test_bands_that_hold_whole_curves() -> None:
    """The band is that of the numbers, and the title says which it is."""
    result = invented([0.3, 0.9], hidden=[2, 3])
    for bands, ends, words in (
        ("pointwise", ("low", "high"), "each step by itself"),
        ("simultaneous", ("band_low", "band_high"), "for whole curves"),
    ):
        ax = figures.incidence(result, bands=bands)
        assert words in ax.get_title()
        curve = result.incidence("hidden").groupby("hidden").last()
        for k, hidden in enumerate((2, 3)):
            points = ax.collections[k].get_paths()[0].vertices
            assert points[points[:, 0] == LIMIT, 1].min() == pytest.approx(100 * curve.loc[hidden, ends[0]])
            assert points[points[:, 0] == LIMIT, 1].max() == pytest.approx(100 * curve.loc[hidden, ends[1]])
    with pytest.raises(SweepError, match="unknown bands 'both'"):
        figures.incidence(result, bands="both")


def test_parallel_runs_are_drawn() -> None:
    """A curve for each number of runs, or one number by color; each ends at the share of choices."""
    result = invented([0.3, 0.6], hidden=[2, 3])
    lines = drawn(figures.incidence(result, parallel_runs=[16, 1, 4]))
    assert list(lines) == ["1", "4", "16"]
    for label, (_, y) in lines.items():
        expected = result.parallel_runs(int(label), by=[])["convergence_rate"].item()
        assert y[-1] == pytest.approx(100 * expected)
    ax = figures.incidence(result, parallel_runs=4)
    expected = result.parallel_runs(4)["convergence_rate"]
    assert [y[-1] for _, y in drawn(ax).values()] == pytest.approx(100 * expected)
    assert "any of 4 parallel runs" in ax.get_ylabel()
    with pytest.raises(SweepError, match="color hidden given with several numbers of parallel runs"):
        figures.incidence(result, parallel_runs=[1, 4], color="hidden")
    for number in (0, 61, 1.5, "a"):
        with pytest.raises(SweepError, match="must be a whole number from 1 to 60"):
            figures.incidence(result, parallel_runs=number)  # type: ignore[arg-type]


@pytest.mark.parametrize("rates", [[0.5, 0.9], [0.0, 0.0], [1.0, 1.0]])
def test_runs_under_way_stand_below_ticks(rates: list[float]) -> None:
    """At each tick so many runs are told as take that many steps or more."""
    result = invented(rates, hidden=[2, 3])
    ax = figures.incidence(result)
    ax.figure.canvas.draw()
    steps = result.outcomes.steps
    labels = dict(zip(ax.get_xticks(), (label.get_text() for label in ax.get_xticklabels()), strict=True))
    assert len(labels) >= 2
    for tick, label in labels.items():
        assert label.split("\n")[1] == f"{(steps >= tick).sum():,}"
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def test_run_lengths_are_drawn(targets: Result) -> None:
    """By color of what is not the target; where only targets are swept, of each target and of all."""
    lines = drawn(figures.ecdf(targets))
    curves = targets.run_lengths("hidden")
    for hidden in (2, 3):
        own = curves[curves["hidden"] == hidden]
        assert lines[str(hidden)][1][-1] == pytest.approx(100 * own["incidence"].iloc[-1])
    ax = figures.ecdf(targets, at={"hidden": [2]})
    assert list(drawn(ax)) == ["0.001", "0.01", "0.1", "all targets"]
    ends = [y[-1] for _, y in drawn(ax).values()]
    assert np.mean(ends[:3]) == pytest.approx(ends[3])
    assert ax.get_xscale() == "log"
    assert set(drawn(figures.ecdf(targets, color="threshold"))) == {"0.1", "0.01", "0.001"}
    with pytest.raises(SweepError, match="threshold has 1 value"):
        figures.ecdf(targets, at={"threshold": [0.1]})
    with pytest.raises(SweepError, match="unknown bands"):
        figures.ecdf(targets, bands="none")


def test_profile_is_drawn() -> None:
    """Curves begin with how often a value is best and end with how often it converges."""
    result = invented([0.5, 0.7, 0.9], hidden=[2, 3, 4])
    profile, lines = result.performance_profile("hidden"), drawn(figures.profile(result))
    last = profile["factor"].max()
    for hidden, own in profile.groupby("hidden"):
        x, y = lines[str(hidden)]
        assert (x[0], x[-1]) == (1.0, last)
        assert (y[0], y[-1]) == (pytest.approx(100 * own["share"].iloc[0]), pytest.approx(100 * own["share"].iloc[-1]))
    two = drawn(figures.profile(result, at={"hidden": [2, 4]}))
    assert set(two) == {"2", "4"}
    assert two["2"][1][0] >= lines["2"][1][0]  # without a rival it is the best one more often
    with pytest.raises(SweepError, match="hidden has 1 value; a performance profile"):
        figures.profile(result, color="hidden", at={"hidden": [2]})


def test_degenerate_curves() -> None:
    """Where all converge at step 1 all are the best one, and where none does the picture says so."""
    study = make_study(count=20, hidden=[2, 3], learning_rate=0.1)
    at_one = result_of(study, Outcomes(np.ones((2, 20), np.int32), np.ones((2, 20), bool)))
    assert [set(y) for _, y in drawn(figures.profile(at_one)).values()] == [{100.0}, {100.0}]
    never = result_of(study, Outcomes(np.full((2, 20), 60, np.int32), np.zeros((2, 20), bool)))
    for kind in ("incidence", "profile"):
        (text,) = figures.draw(never, kind).axes[0].texts
        assert text.get_text() == "no run converged"


def test_values_without_runs() -> None:
    """In a partial result, values that have no runs yet are told, and others are drawn."""
    outcomes = outcomes_of(np.random.default_rng(3), np.array([0.5, 0.7]), 20, 0.5)
    steps = outcomes.steps.copy()
    steps[0] = -1
    result = result_of(make_study(count=20, hidden=[2, 3], learning_rate=0.1), Outcomes(steps, outcomes.converged))
    with pytest.raises(SweepError, match="no run is trained yet at these values"):
        figures.incidence(result, at={"hidden": [2]})
    assert len(drawn(figures.incidence(result))) == 1
    with pytest.raises(SweepError, match="no seed is trained at all values of hidden yet"):
        figures.profile(result)


def test_commands_draw_curves(tmp_path: Path) -> None:
    """Every kind and option of curves from the command line, and refusals in a sentence."""
    sweep.run(
        make_study(count=20, hidden=[8], learning_rate=[0.03, 0.1], threshold=[0.5, 0.1], max_steps=200), out=tmp_path
    )
    for given in (
        ("ecdf", "--bands", "simultaneous"),
        ("profile", "--color", "learning_rate"),
        ("incidence", "--parallel-runs", "1,4", "--bands", "pointwise"),
    ):
        assert command("figure", tmp_path, *given).code == 0
        assert (tmp_path / f"{given[0]}.png").exists()
    refused: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
        (("incidence", "--parallel-runs", "1,x"), ("--parallel-runs '1,x' given", "whole numbers from 1 on")),
        (("incidence", "--parallel-runs", "0"), ("whole numbers from 1 on",)),
        (("incidence", "--parallel-runs", "4,4"), ("each once",)),
        (("incidence", "--parallel-runs", "21"), ("21 parallel runs asked for", "from 1 to 20")),
        (("incidence", "--bands", "wide"), ("unknown bands 'wide'", "pointwise")),
        (("lines", "--bands", "pointwise"), ("option bands given, which figure 'lines' does not take",)),
        (("profile", "--color", "hidden"), ("hidden has 1 value",)),
    )
    for given, expected in refused:
        assert_refused(command("figure", tmp_path, *given), expected)

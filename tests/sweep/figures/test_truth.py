"""Figures do not mislead: rare cells, counts, open bands, bins of steps, and missing training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep import Result, figures
from sweep.statistics.outcomes import Measured
from tests.sweep.figures.test_looks import brightness
from tests.sweep.in_parts import run_in_parts
from tests.sweep.invented import invented, result_of
from tests.sweep.support import make_study

RATES = [0.05, 0.1, 0.2, 0.4]


@pytest.fixture(scope="module")
def many() -> Result:
    """Return a result with more cells than a figure draws, of which four have a median."""
    study = make_study(count=1, hidden=2, learning_rate=RATES, scale=[0.001 * k for k in range(1, 1501)])
    result = invented(study, [0.0] * study.n_cells)
    steps = pd.Series(pd.NA, range(len(result.cells)), "Int64")
    steps[[7, 1234, 4321, 5998]] = [20, 30, 40, 70]
    result.cells["steps_q50"] = steps
    return result


def test_rare_cells_are_drawn(many: Result) -> None:
    """All four of 6,000 cells with a median are drawn."""
    ax = figures.slice_plot(many, x="scale", value="steps_q50")
    assert sorted(ax.collections[0].get_offsets()[:, 1]) == [20, 30, 40, 70]
    assert "not drawn: 5,996 of 6,000 cells" in ax.get_title().replace("\n", " ")
    assert not ax.texts
    assert "diamonds" not in ax.get_title()  # pooled cells have no median
    lines = figures.parallel(many, value="steps_q50")
    bar = next(axes for axes in lines.figure.axes if axes.get_label() == "<colorbar>")
    assert bar.get_ylim() == (20, 70)
    assert "500 of 6,000 cells" in lines.get_title()


def test_slices_share_an_axis(many: Result) -> None:
    """Slices are side by side on one scale, which is labeled once."""
    figure = figures.draw(many, "slice")
    figure.draw_without_rendering()
    left, right = figure.axes
    assert left.get_ylim() == right.get_ylim()
    assert (left.get_ylabel(), right.get_ylabel()) == ("runs converged, %", "")
    assert not [text for text in right.get_yticklabels() if text.get_visible() and text.get_text()]


def test_slices_of_many_cells(many: Result) -> None:
    """The title counts the drawn cells; the best and the worst cell are among them."""
    many.cells["convergence_rate"] = np.where(np.arange(6000) == 3001, 1.0, 0.0)
    ax = figures.slice_plot(many, x="scale")
    assert "5,000 of 6,000 cells" in ax.get_title()
    assert set(ax.collections[0].get_offsets()[:, 1]) == {0, 100}


@pytest.mark.parametrize(("status", "rate"), [("diverged", 1e5), ("exhausted", 1e-9)])
def test_counts_have_colors_of_their_share(status: str, rate: float) -> None:
    """The scale ends at all runs: a map is dark if all runs diverge and bright if none does."""
    result = sweep.run(make_study(count=4, learning_rate=[rate, 2 * rate], max_steps=40, threshold=1e-9))
    assert result.cells[f"n_{status}"].eq(4).all()
    ax = figures.heatmap(result, value="n_diverged")
    (mesh,) = ax.collections
    assert (mesh.norm.vmin, mesh.norm.vmax) == (0, 4)
    (shade,) = {brightness(mesh.to_rgba(number)) for number in mesh.get_array().ravel()}
    assert shade < 0.2 if status == "diverged" else shade > 0.7
    panel = figures.draw(result, value="n_diverged").axes[0]
    assert (panel.get_yscale(), panel.get_ylim()[0] <= 0) == ("linear", True)
    figure = ax.figure
    figure.draw_without_rendering()
    bar = next(axes for axes in figure.axes if axes.get_label() == "<colorbar>")
    assert {text.get_text() for text in bar.get_yticklabels()} <= set("01234")


def test_ends_of_curves() -> None:
    """A curve extends to the end if all runs converged, but only to the limit of exhausted runs."""
    study = make_study(count=4, hidden=2, learning_rate=0.2, threshold=[1e9, 1e-9], max_steps=60)
    ax = figures.incidence(sweep.run(study), color="threshold")
    ends = {line.get_label(): (line.get_xdata()[-1], line.get_ydata()[-1]) for line in ax.lines}
    assert ends == {"1e+09": (60, 100), "1e-09": (60, 0)}
    limits = make_study(count=4, hidden=2, learning_rate=0.2, threshold=1e-9, max_steps=[10, 60])
    ends = {line.get_label(): line.get_xdata()[-1] for line in figures.incidence(sweep.run(limits)).lines}
    assert ends == {"10": 10, "60": 60}


def test_band_of_a_curve_that_stays_at_zero() -> None:
    """If none of 4 runs converged, the band reaches above 40 % from the first step on."""
    result = sweep.run(make_study(count=4, hidden=2, learning_rate=[1e-9, 1e-8], threshold=1e-9))
    for band in figures.incidence(result).collections:
        corners = band.get_paths()[0].vertices
        assert corners[corners[:, 0] == 0, 1].max() == corners[corners[:, 0] == 60, 1].max() > 40


@pytest.mark.parametrize(("first", "last"), [(0, 0), (100, 200), (0, 5000)])
def test_bins_of_steps(first: int, last: int) -> None:
    """Runs that converge at once are at 0; bins have edges between integers, and equal widths on a linear axis."""
    steps = np.linspace(first, last, 200).astype(np.int32)
    converged = np.arange(200) % 4 > 0
    study = make_study(count=200, hidden=2, learning_rate=0.1, max_steps=5000)
    ax = figures.steps_distribution(result_of(study, Measured.of_ends(steps[None], converged[None])))
    (stairs,) = ax.patches
    shares, edges, _ = stairs.get_data()
    np.testing.assert_allclose(shares, 100 * np.histogram(np.maximum(steps[converged], edges[0]), edges)[0] / 200)
    assert (edges % 1 == 0.5).all()
    assert (ax.get_xscale() == "log") == (last == 5000)
    if last < 5000:
        assert len(set(np.diff(edges))) == 1
        assert ax.get_xlim()[0] >= -0.5
    if last == 0:
        assert edges.tolist() == [-0.5, 0.5]


@pytest.mark.parametrize("x", ["learning_rate", "distribution"])
def test_bands_without_an_upper_end_reach_the_top(x: str) -> None:
    """If fewer than three quarters of all runs converged, the band of the median is open, and the title says so."""
    values = {"learning_rate": RATES} if x == "learning_rate" else {"distribution": ["normal", "uniform"]}
    result = sweep.run(make_study(**{"count": 8, "hidden": 2, "learning_rate": 0.2, **values}))
    result.cells["steps_q25"], result.cells["steps_q50"] = 10, 20
    result.cells["steps_q75"] = pd.Series([pd.NA, *[40] * (len(result.cells) - 1)], dtype="Int64")
    figure = figures.draw(result, value="steps_q50")
    (axes,) = figure.axes
    top = axes.get_ylim()[1]
    assert top > 40
    ends = [path.vertices[:, 1].max() for each in axes.collections for path in each.get_paths()]
    assert ends == ([top] if x == "learning_rate" else [top, 40])
    assert "bands that reach the top have no upper end" in figure.get_suptitle()
    assert "bands that reach the top have no upper end" in figures.line_plot(result, value="steps_q50").get_title()
    result.cells["steps_q75"] = 40
    assert "reach the top" not in figures.draw(result, value="steps_q50").get_suptitle()


def test_untrained_cells(tmp_path: Path) -> None:
    """Empty panels and fields of a partial result say that no run is trained."""
    study = make_study(count=8, hidden=[2, 3, 4, 5], learning_rate=RATES, distribution=["normal", "uniform"])
    result = run_in_parts(study, tmp_path / "r", max_runs=16, part_runs=8)
    assert not result.complete
    figure = figures.draw(result, x="learning_rate", color="distribution", facet=("hidden",))
    texts = [text.get_text().replace("\n", " ") for axes in figure.axes for text in axes.texts]
    assert "nothing to draw: in every cell no run is trained yet" in texts
    assert "gray where no run is trained yet" in figures.heatmap(result, x="learning_rate", y="hidden").get_title()


def test_titles_name_pooled_values() -> None:
    """Titles name pooled parameters and selected values; one cell has seeds, not seeds per cell."""
    one = figures.incidence(sweep.run(make_study(count=3, hidden=2, learning_rate=0.2))).get_title()
    assert one.split("\n")[0] == "small: 3 seeds"
    result = sweep.run(make_study(count=3, hidden=[2, 3], learning_rate=RATES, scale=[0.5, 1.0]))
    title = figures.incidence(result, color="hidden").get_title().replace("\n", " ")
    assert title.startswith("small: 3 seeds per cell, pooled over all values of learning rate and scale")
    title = figures.incidence(result, color="hidden", at={"scale": ["1"], "learning_rate": ["0.1", "0.2"]}).get_title()
    assert title.replace("\n", " ").startswith(
        "small, scale 1: 3 seeds per cell, pooled over learning rate 0.1 and 0.2"
    )


def test_titles_name_no_parameter_that_a_shown_one_decides() -> None:
    """Of a zipped list, a parameter with one value for each value shown is not pooled, one with two is."""
    zipped = {"learning_rate": [0.1, 0.2, 0.2], "scale": [0.5, 1.0, 1.0], "threshold": [0.1, 0.1, 0.2]}
    tables = {"data": {"task": "xor"}, "network": {"hidden": 2}, "training": {"max_steps": 9}, "seeds": {"count": 3}}
    result = sweep.run(sweep.Study(zip=[zipped], **tables))
    title = figures.incidence(result, color="learning_rate").get_title().replace("\n", " ")
    assert "per cell, pooled over all values of threshold" in title
    assert "pooled" not in figures.incidence(result, color="threshold", at={"scale": [1.0]}).get_title()


def test_the_diagonal_leaves_room_for_the_points() -> None:
    """The diagonal does not extend the axis of final losses; dots of the legend have a fixed size."""
    result = sweep.run(make_study(count=20, hidden=2, scale=100.0, learning_rate=[1e-9, 1e-8], max_steps=3))
    runs = result.runs()
    large = runs["initial_loss"].max()
    assert large > 1e4
    ax = figures.losses(sweep.run(make_study(count=20, hidden=2, scale=[0.1, 30.0], learning_rate=0.02, max_steps=400)))
    ends = np.concatenate([each.get_offsets() for each in ax.collections])
    (diagonal,) = ax.lines
    assert diagonal.get_ydata().max() <= max(ends[:, 1].max(), 3 * ends[:, 0].min()) < ends[:, 0].max()
    legend = ax.get_legend()
    assert {float(handle.get_sizes()[0]) for handle in legend.legend_handles if hasattr(handle, "get_sizes")} == {30.0}


def test_titles_are_above_the_labels() -> None:
    """The label at the top of the axis does not overlap a title that is wider than the axes."""
    ax = figures.losses(sweep.run(make_study(name="study-" * 12, count=4, hidden=2, learning_rate=0.2)))
    ax.set_ylim(1e-5, 1e70)
    ax.figure.draw_without_rendering()
    title = ax.title.get_window_extent()
    labels = [label for label in ax.get_yticklabels() if label.get_text()]
    assert labels
    assert not [label.get_text() for label in labels if label.get_window_extent().overlaps(title)]

"""Lines and panels for any number of swept parameters show the numbers of the cells."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sweep import Result, SweepError
from sweep.figures import draw, heatmap
from sweep.figures.channels import Channels, choose_channels
from sweep.study.selection import Values
from tests.sweep.invented import invented
from tests.sweep.support import make_study

RATES = [0.05, 0.1, 0.2, 0.4, 0.8]
NAMES = ["normal", "uniform"]


def pretend(name: str = "pretended", **parameters: Any) -> Result:
    """Return invented runs of a study that sweeps these parameters alone, in their order."""
    fixed = {"hidden": 2, "learning_rate": 0.1, "count": 8, "name": name}
    return invented(make_study(**{**parameters, **{key: fixed[key] for key in fixed if key not in parameters}}))


def panels(figure: Figure) -> list[Axes]:
    """Return the visible panels."""
    return [axes for axes in figure.axes if axes.get_visible()]


def labels(figure: Figure) -> list[str]:
    """Return the labels of the legend."""
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def lines_of(axes: Axes) -> np.ndarray:
    """Return the heights of all lines, (lines, points)."""
    return np.array([line.get_ydata() for line in axes.lines])


@pytest.mark.parametrize("others", [[2], [2, 3]])
def test_lines_show_the_rates(others: list[int]) -> None:
    """Each value of the other parameter has a line with the rates of its cells in percent, and a band."""
    result = pretend(hidden=others, learning_rate=RATES)
    figure = draw(result)
    (axes,) = panels(figure)
    assert len(axes.lines) == len(axes.collections) == len(others)
    for line in axes.lines:
        np.testing.assert_array_equal(line.get_xdata(), RATES)
    np.testing.assert_array_equal(lines_of(axes), 100 * result.cells["convergence_rate"].to_numpy().reshape(-1, 5))
    assert figure.get_supxlabel() == "learning rate"
    assert axes.get_xscale() == "log"
    assert "8 seeds per cell, 95 % intervals" in figure.get_suptitle()
    assert labels(figure) == ([str(value) for value in others] if len(others) > 1 else [])


def test_third_parameter_makes_panels() -> None:
    """With three parameters, each value of one has a panel with a line for each value of another."""
    result = pretend(hidden=[2, 3], threshold=[0.01, 0.1, 0.3], learning_rate=RATES)
    figure = draw(result)
    assert [axes.get_title() for axes in panels(figure)] == ["hidden 2", "hidden 3"]
    rates = 100 * result.cells["convergence_rate"].to_numpy().reshape(2, 3, len(RATES))
    for axes, of_panel in zip(panels(figure), rates, strict=True):
        np.testing.assert_array_equal(lines_of(axes), of_panel)
    assert labels(figure) == ["0.01", "0.1", "0.3"]


def test_fourth_parameter_goes_down() -> None:
    """Of two parameters of panels, the first goes across and the second down."""
    result = pretend(hidden=[2, 4], activation=["relu", "tanh", "elu"], bias=[True, False], learning_rate=RATES)
    figure = draw(result, facet=("bias", "activation"))
    expected = [f"bias {bias}, activation {name}" for name in ("relu", "tanh", "elu") for bias in (True, False)]
    assert [axes.get_title().replace("\n", " ") for axes in panels(figure)] == expected
    cells = result.cells
    chosen = cells[(cells["bias"] == False) & (cells["activation"] == "tanh") & (cells["hidden"] == 4)]  # noqa: E712
    np.testing.assert_array_equal(lines_of(panels(figure)[3])[1], 100 * chosen["convergence_rate"])


def test_channels_and_selected_values() -> None:
    """Channels can be chosen, and values selected as they are printed."""
    result = pretend(hidden=[2, 4, 8], learning_rate=[0.0017782794, 0.1, 1.0])
    figure = draw(result, x="hidden", at={"learning_rate": ["0.001778", "1"]})
    (axes,) = panels(figure)
    rates = 100 * result.cells["convergence_rate"].to_numpy().reshape(3, 3)
    np.testing.assert_array_equal(lines_of(axes), rates.T[[0, 2]])
    assert labels(figure) == ["0.001778", "1"]
    assert figure.get_supxlabel() == "hidden, units"
    single = draw(result, at={"hidden": [4]})
    np.testing.assert_array_equal(lines_of(panels(single)[0])[0], rates[1])
    assert "pretended, hidden 4: 8 seeds" in single.get_suptitle()


def test_replicates_are_pooled() -> None:
    """Splits have no channel by default, and one where they are named or alone; maps take them last."""
    values: Values = {"split_seed": (0, 1, 2, 3), "hidden": (2, 4), "learning_rate": (0.1, 0.2, 0.3)}
    assert choose_channels(values, Channels()) == Channels("learning_rate", "hidden")
    assert choose_channels(values, Channels(color="split_seed")).assigned().keys() == values.keys()
    assert choose_channels({"split_seed": (0, 1)}, Channels()) == Channels("split_seed")
    assert choose_channels({"split_seed": (0, 1), "hidden": (2, 4)}, Channels("hidden")) == Channels("hidden")
    data = {"task": "parity", "bits": 3, "train_count": 6}
    result = pretend(data=data, **{name: list(entries) for name, entries in values.items()})
    (panel,) = panels(draw(result, x="learning_rate", color="hidden", value="expected_steps"))
    expected = result.summarize(["hidden", "learning_rate"])["expected_steps"].to_numpy().reshape(2, 3)
    np.testing.assert_array_equal(lines_of(panel), np.where(np.isfinite(expected), expected, np.nan))
    ends = result.summarize(["hidden", "learning_rate"])[["expected_steps_low", "expected_steps_high"]]
    drawn = [collection.get_paths()[0].vertices[:, 1] for collection in panel.collections]
    assert np.isin(ends.to_numpy()[np.isfinite(ends)], np.concatenate(drawn)).all()
    axes = heatmap(result)
    assert {axes.get_xlabel(), axes.get_ylabel()} == {"learning rate", "hidden, units"}


def test_more_values_than_colors_make_panels() -> None:
    """If there are too many lines for one panel, each has its own."""
    figure = draw(pretend(hidden=list(range(1, 15)), scale=[k / 9 for k in range(1, 14)]))
    assert [len(axes.lines) for axes in panels(figure)] == [1] * 13
    assert not figure.legends


@pytest.mark.parametrize(
    ("swept", "places"),
    [({"distribution": NAMES}, NAMES), ({"bias": [True, False]}, ["True", "False"]), ({}, ["all runs"])],
)
def test_points_where_the_axis_has_no_order(swept: dict[str, Any], places: list[str]) -> None:
    """Names and booleans are separate points with bars, not a line."""
    result = pretend(**swept)
    (axes,) = panels(draw(result))
    (container,) = axes.containers
    assert [label.get_text() for label in axes.get_xticklabels()] == places
    assert container.lines[0].get_linestyle() == "None"
    np.testing.assert_array_equal(container.lines[0].get_ydata(), 100 * result.cells["convergence_rate"])


def test_points_of_different_colors_are_side_by_side() -> None:
    """Bars of several colors at one name do not overlap."""
    (axes,) = panels(draw(pretend(activation=["relu", "tanh"], bias=[True, False])))
    places = [tuple(container.lines[0].get_xdata()) for container in axes.containers]
    assert len(set(itertools.chain(*places))) == 4


@pytest.mark.parametrize("statistic", ["convergence_rate", "steps_q50", "expected_steps"])
def test_missing_values_are_gaps(statistic: str) -> None:
    """Missing medians and infinite expectations are gaps, and the title says so."""
    result = pretend(hidden=[2, 3], learning_rate=[0.01 * k for k in range(1, 30)])
    figure = draw(result, value=statistic)
    column = result.cells[statistic].astype("Float64").to_numpy(np.float64, na_value=np.nan).reshape(2, -1)
    expected = np.where(np.isinf(column), np.nan, column) * (100 if statistic == "convergence_rate" else 1)
    drawn = lines_of(panels(figure)[0])
    np.testing.assert_array_equal(drawn, expected)
    assert np.isnan(drawn).any() == (statistic != "convergence_rate") == ("gaps" in figure.get_suptitle())


def test_end_of_a_band_alone_is_not_drawn() -> None:
    """If in no cell half of the runs converged, the figure of medians is empty although the quartile exists."""
    result = pretend(learning_rate=RATES)
    result.cells["steps_q25"], result.cells["steps_q50"] = 100, pd.NA
    figure = draw(result, value="steps_q50")
    figure.draw_without_rendering()
    (text,) = panels(figure)[0].texts
    sentence = "nothing to draw: in every cell fewer than half of all runs converged"
    assert text.get_text().replace("\n", " ") == sentence


@pytest.mark.parametrize("dpi", [72, 160])  # of vector and of raster formats
@pytest.mark.parametrize("count", [1, 12])
def test_legend_and_titles_are_never_cut(dpi: int, count: int) -> None:
    """Long names and many lines enlarge the figure, such that all texts are within it."""
    names = ["-".join("2" * layers) for layers in range(1, 9)] + ["-".join("3" * layers) for layers in range(5, 9)]
    result = pretend("study-" * 20, hidden=names[-count:], learning_rate=RATES, distribution=NAMES)
    figure = draw(result, x="learning_rate", color="hidden")
    figure.set_dpi(dpi)
    figure.draw_without_rendering()
    whole = figure.bbox
    shown = [*figure.legends, *figure.texts, *(axes.title for axes in panels(figure))]
    assert len(labels(figure)) == count
    for box in (artist.get_window_extent() for artist in shown):
        assert whole.x0 <= box.x0
        assert whole.y0 <= box.y0
        assert box.x1 <= whole.x1
        assert box.y1 <= whole.y1
    (legend,) = figure.legends
    assert all(axes.get_window_extent().x1 <= legend.get_window_extent().x0 for axes in panels(figure))


def test_lines_go_from_left_to_right() -> None:
    """Lines connect values in ascending order, whatever their order in the study."""
    (line,) = panels(draw(pretend(learning_rate=[0.4, 0.05, 0.1])))[0].lines
    assert list(line.get_xdata()) == [0.05, 0.1, 0.4]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([2, 3, 4], "linear"),
        (list(range(1, 101)), "linear"),
        ([2, 4, 8, 16], "log"),
        ([1e-3, 1e-2, 1e-1], "log"),
        ([0.1, 1.5], "log"),
        ([0.1, 0.5], "linear"),
        ([7], "linear"),
    ],
)
def test_axis_is_logarithmic_where_values_are(values: list[Any], scale: str) -> None:
    """Evenly spaced values have a linear axis; values that grow by a factor have a logarithmic one."""
    assert panels(draw(pretend(scale=values)))[0].get_xscale() == scale


@pytest.mark.parametrize(
    ("parameters", "options", "expected"),
    [
        ({"hidden": [2, 3]}, {"x": "hidden", "color": "hidden"}, ("x and color: must be different",)),
        ({"hidden": [2, 3]}, {"x": "hidden", "facet": ("hidden",)}, ("x and facet: must be different",)),
        ({"hidden": [2, 3]}, {"value": "steps_q5"}, ("unknown statistic 'steps_q5'", "median_steps")),
        ({"hidden": [2, 3]}, {"at": {"scale": ["4"]}}, ("'scale' is not swept",)),
        ({}, {"x": "hidden"}, ("nothing is swept",)),
        ({"scale": RATES, "hidden": [*range(1, 14)]}, {"color": "hidden"}, ("hidden", "12", "13")),
        (
            {"scale": list(range(1, 31)), "threshold": list(range(1, 28))},
            {"facet": ("threshold",)},
            ("at most 25 panels", "got 27", "--at threshold="),
        ),
        ({"hidden": [1, 2]}, {"facet": ("a", "b", "c")}, ("'a' is not swept",)),
        ({"hidden": [1, 2]}, {"at": {"hidden": ["2", "2"]}}, ("hidden", "2, 2")),
        ({"scale": [0.10001, 0.10002]}, {"at": {"scale": ["0.1"]}}, ("0.10001", "0.10002")),
    ],
)
def test_refusals(parameters: dict[str, Any], options: dict[str, Any], expected: tuple[str, ...]) -> None:
    """Unknown or repeated names and too many lines or panels are refused in one sentence with a remedy."""
    with pytest.raises(SweepError) as refused:
        draw(pretend(**parameters), **options)
    assert len(str(refused.value).splitlines()) == 1
    assert all(text in str(refused.value) for text in expected)

"""Figures: files for any number of swept parameters, and lines that show the rates of the cells."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread

import sweep
from sweep import Result, SweepError
from sweep.figures import draw_convergence_rate
from tests.sweep.support import make_study

RATES = [0.05, 0.1, 0.2, 0.4, 0.8]

STUDIES: dict[str, dict[str, Any]] = {
    "nothing swept": {"hidden": 2, "learning_rate": 0.1},
    "one value swept": {"hidden": [2], "learning_rate": [0.1]},
    "one parameter": {"hidden": 2, "learning_rate": RATES},
    "two parameters": {"hidden": [2, 3], "learning_rate": RATES},
    "three parameters": {"hidden": [2, 3], "below": [0.01, 0.1, 0.3], "learning_rate": RATES},
    "names alone": {"hidden": 2, "learning_rate": 0.1, "distribution": ["normal", "uniform"]},
    "truth values alone": {"hidden": 2, "learning_rate": 0.1, "bias": [True, False]},
    "names and truth values": {
        "hidden": 2,
        "learning_rate": 0.1,
        "bias": [True, False],
        "distribution": ["normal", "uniform"],
    },
    "names and numbers": {"hidden": [2, 3], "learning_rate": 0.1, "distribution": ["normal", "uniform"]},
    "values out of order": {"hidden": 2, "learning_rate": [0.4, 0.05, 0.1]},
}


def run(name: str) -> Result:
    """Train one of the studies."""
    return sweep.run(make_study(count=20, **STUDIES[name]))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Collect the figures that are written."""
    figures: list[Figure] = []
    save = Figure.savefig

    def collect(figure: Figure, *args: Any, **kwargs: Any) -> None:
        figures.append(figure)
        save(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", collect)
    return figures


def axes_of(drawn: list[Figure]) -> Axes:
    """Return the axes of the one figure that was written."""
    ((axes,),) = (figure.axes for figure in drawn)
    return axes


@pytest.mark.parametrize("name", STUDIES)
def test_figure_is_written(tmp_path: Path, name: str) -> None:
    """A picture that is not blank is written, whatever is swept."""
    draw_convergence_rate(run(name), tmp_path / "rate.png")
    image = imread(tmp_path / "rate.png")
    assert image.shape[0] > 300
    assert image.shape[1] > 500
    assert len(np.unique(image[..., :3].reshape(-1, 3), axis=0)) > 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rate.png"]


@pytest.mark.parametrize("name", ["one parameter", "two parameters", "three parameters"])
def test_lines_show_the_rates(tmp_path: Path, drawn: list[Figure], name: str) -> None:
    """Each combination of the other parameters is a line with the rates of its cells, in percent."""
    result = run(name)
    draw_convergence_rate(result, tmp_path / "rate.svg")
    axes = axes_of(drawn)
    others = [list(values) for key, values in result.study.parameters.items() if key != "learning_rate"]
    combinations = list(itertools.product(*others))
    assert len(axes.lines) == len(axes.collections) == len(combinations)
    rates = 100 * result.cells["convergence_rate"].to_numpy().reshape(len(combinations), len(RATES))
    for line, expected in zip(axes.lines, rates, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), RATES)
        np.testing.assert_array_equal(line.get_ydata(), expected)
    assert axes.get_xlabel() == "learning rate"
    assert axes.get_xscale() == "log"
    legend = axes.get_legend()
    labels = [text.get_text() for text in legend.get_texts()] if legend else []
    assert labels == ([", ".join(f"{value:.4g}" for value in key) for key in combinations] if others else [])


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("names alone", ["normal", "uniform"]),
        ("truth values alone", ["True", "False"]),
        ("nothing swept", ["all runs"]),
    ],
)
def test_points_where_the_axis_has_no_order(tmp_path: Path, drawn: list[Figure], name: str, places: list[str]) -> None:
    """Names and truth values are points with bars beside each other, not a line."""
    result = run(name)
    draw_convergence_rate(result, tmp_path / "rate.svg")
    axes = axes_of(drawn)
    assert len(axes.containers) == 1
    assert [label.get_text() for label in axes.get_xticklabels()] == places
    line = axes.containers[0].lines[0]
    assert line.get_linestyle() == "None"
    np.testing.assert_array_equal(line.get_ydata(), 100 * result.cells["convergence_rate"])


def test_lines_go_from_left_to_right(tmp_path: Path, drawn: list[Figure]) -> None:
    """Values listed out of order do not make a zigzag."""
    draw_convergence_rate(run("values out of order"), tmp_path / "rate.svg")
    (line,) = axes_of(drawn).lines
    assert list(line.get_xdata()) == [0.05, 0.1, 0.4]


def test_narrow_axis_is_linear(tmp_path: Path, drawn: list[Figure]) -> None:
    """Values within a decade are drawn on a linear axis."""
    result = sweep.run(make_study(count=5, hidden=[2, 3, 4], learning_rate=0.1))
    draw_convergence_rate(result, tmp_path / "rate.svg")
    assert axes_of(drawn).get_xscale() == "linear"


def test_too_many_lines(tmp_path: Path) -> None:
    """More lines than can be told apart are refused, and no file is written."""
    result = sweep.run(
        make_study(count=1, hidden=2, below=[k / 10 for k in range(1, 26)], scale=[k / 9 for k in range(1, 27)])
    )
    with pytest.raises(SweepError, match=r"\d+ lines for"):
        draw_convergence_rate(result, tmp_path / "rate.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["rate.docx", "gone/rate.png"])
def test_figure_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    """An unknown suffix or a missing folder is told with the path."""
    with pytest.raises(SweepError, match=name):
        draw_convergence_rate(run("one parameter"), tmp_path / name)
    assert list(tmp_path.iterdir()) == []

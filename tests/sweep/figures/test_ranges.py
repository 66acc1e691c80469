"""Figures of options that vary together: ranges of values, fields without cells, and bars of importance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sweep import Result, Study
from sweep.figures import draw, heatmap, importance_bars, line_plot, slice_plot
from sweep.results.sentences import answer
from tests.sweep.invented import invented

TABLES: dict[str, Any] = {"data": {"task": "xor"}, "network": {"hidden": 2}, "seeds": {"count": 20}}
OPTIONS = {"learning_rate": {"geomspace": [0.01, 1.0]}, "scale": {"min": 0.0001, "max": 2.0}}


def growing(**tables: Any) -> Result:
    """Return invented runs with rates that grow with the learning rate."""
    study = Study(**{**TABLES, **tables})
    return invented(study, [study.grid.cell(cell)["learning_rate"] for cell in range(study.n_cells)])


@pytest.fixture(scope="module")
def sample() -> Result:
    """Return runs of a sample of two options."""
    return growing(samples=[{"count": 128, **OPTIONS}])


def in_ranges(values: Any, low: float, high: float, n: int) -> Any:
    """Return the range of each value."""
    return np.clip(((values - low) / (high - low) * n).astype(int), 0, n - 1)


def test_lines_pool_cells_in_ranges(sample: Result) -> None:
    """A line has a point for each range: the rate of all its runs."""
    axes = line_plot(sample, x="learning_rate")
    x, y = axes.lines[0].get_data()
    runs = sample.cells
    logs = np.log(runs["learning_rate"].to_numpy())
    place = in_ranges(logs, logs.min(), logs.max(), 24)
    pooled = runs[["n_converged", "n_runs"]].groupby(place).sum()
    centers = np.exp(logs.min() + (np.unique(place) + 0.5) * (logs.max() - logs.min()) / 24)
    assert np.asarray(x, float) == pytest.approx(centers)
    assert np.asarray(y, float) == pytest.approx(100 * (pooled["n_converged"] / pooled["n_runs"]).to_numpy())
    assert "cells pooled in 24 ranges of learning rate" in axes.get_title()


def test_heat_map_pools_cells_in_ranges(sample: Result) -> None:
    """Two options of one axis have fewer ranges each; fields show the rates of all their runs."""
    axes = heatmap(sample, x="learning_rate", y="scale")
    drawn = axes.collections[0].get_array()
    assert drawn.shape == (5, 5)
    cells = sample.cells
    columns = np.log(cells["learning_rate"].to_numpy()), cells["scale"].to_numpy()
    across, down = (in_ranges(values, values.min(), values.max(), 5) for values in columns)
    for (row, column), shown in np.ndenumerate(np.ma.filled(drawn, np.nan)):
        field = cells[(down == row) & (across == column)]
        expected = 100 * field["n_converged"].sum() / field["n_runs"].sum() if len(field) else np.nan
        assert shown == pytest.approx(expected, nan_ok=True)


def test_slices_show_cells_and_ranges(sample: Result) -> None:
    """Each cell is a point at its value; the line pools ranges."""
    axes = slice_plot(sample, x="learning_rate")
    assert len(axes.collections[0].get_offsets()) == 128
    assert "pooled in each of 24 ranges" in axes.get_title()
    for kind in ("contour", "parallel", "incidence", "steps", "lines", "slice"):
        assert draw(sample, kind).axes


def test_fields_without_cells_are_named() -> None:
    """A field without cells is gray, and the title says why."""
    result = growing(zip=[{"learning_rate": [0.1, 0.2, 0.9], "scale": [1.0, 2.0, 1.0]}])
    axes = heatmap(result, x="learning_rate", y="scale")
    assert np.ma.getmaskarray(axes.collections[0].get_array()).sum() == 3
    assert "gray where no cell has both values" in axes.get_title()
    assert "trained" not in axes.get_title()


def test_importance_of_options_that_vary_together(sample: Result) -> None:
    """The axis has one bar, and each of its options another, with the shares of the answer."""
    table = sample.importance().set_index("term")["share"]
    axes = importance_bars(sample, value="convergence_rate")
    labels = [label.get_text() for label in axes.get_yticklabels()]
    widths = dict(zip(labels, (bar.get_width() for bar in axes.patches), strict=True))
    assert widths["learning rate & scale"] == pytest.approx(100 * table["learning_rate & scale"])
    assert widths["learning rate by itself"] == pytest.approx(100 * table["learning_rate"])
    matters = next(sentence for sentence in answer(sample) if "what matters" in sentence)
    share, alone = (f"{100 * table[name]:.0f} ± " for name in ("learning_rate & scale", "learning_rate"))
    assert f"learning_rate & scale explains {share}" in matters
    assert f"(learning_rate by itself {alone}" in matters

"""Figures of one run: without steps, with numbers too large to draw, and with equal outputs."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import sweep
from sweep.figures.traced_run import draw_run
from sweep.training.networks.trajectory import outputs_plane, weights_path
from tests.sweep.support import make_study


def drawn(**scalars: Any) -> tuple[sweep.Trace, Figure]:
    """Train one run and draw it."""
    trace = sweep.trace(make_study(**{"hidden": 2, "learning_rate": 0.2, **scalars}), 3)
    figure = draw_run(trace, weights_path(trace), outputs_plane(trace))
    figure.draw_without_rendering()
    return trace, figure


def test_run_without_steps() -> None:
    """Initial weights are points, and the axis of steps has only whole steps from 0."""
    trace, figure = drawn(threshold=1e9)
    assert trace.steps == 0
    for axes in figure.axes[:2]:
        assert all(line.get_marker() == "." for line in axes.lines)
        assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "1"]


def test_run_that_diverges() -> None:
    """Losses and weights have the same axis of steps, and labels of large weights do not overlap."""
    trace, figure = drawn(learning_rate=1.0, max_steps=1000)
    assert trace.status == "diverged"
    for axes in figure.axes[:2]:
        assert axes.get_xlim()[1] >= trace.steps
        assert axes.get_xlim()[0] <= 0
    labels = [label for label in figure.axes[1].get_yticklabels() if label.get_text()]
    low, high = figure.axes[1].get_ylim()
    boxes = [label.get_window_extent() for label in labels if low <= label.get_position()[1] <= high]
    assert len(boxes) >= 3
    assert not [1 for first, second in itertools.combinations(boxes, 2) if first.overlaps(second)]


@pytest.mark.wide
def test_several_hidden_layers() -> None:
    """The legend names the layers, and dashed lines show the units of the first hidden layer."""
    trace, figure = drawn(hidden="4-3", activation="tanh")
    labels = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert labels[:2] == ["weights of hidden layer 1", "weights of hidden layer 2"]
    assert "biases of hidden layer 2" in labels
    assert figure.axes[2].get_title() == "output; dashed: units of hidden layer 1"
    plane = outputs_plane(trace)
    assert plane is not None
    np.testing.assert_array_equal(plane.units, np.column_stack([trace.weights["w1"].T, trace.weights["b1"]]))


@pytest.mark.wide
def test_equal_outputs() -> None:
    """If all outputs are nearly equal, the color scale has a readable range."""
    _, figure = drawn(output="sigmoid", learning_rate=1e-9, scale=1e-9, max_steps=1)
    bar = figure.axes[-1]
    assert np.ptp(bar.get_ylim()) >= 0.05
    assert not bar.yaxis.get_offset_text().get_text()

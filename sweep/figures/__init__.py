"""Figures of results: functions that draw into axes and return them, and :func:`draw` for a whole figure."""

from __future__ import annotations

from sweep.figures.distributions import losses, steps_distribution
from sweep.figures.files import figure_path, save_figure
from sweep.figures.heatmap import contour, heatmap
from sweep.figures.importance import importance_bars
from sweep.figures.incidence import ecdf, incidence
from sweep.figures.kinds import KINDS, draw
from sweep.figures.learning_curves import curves_of_runs, learning_curves
from sweep.figures.lines import draw_figure, line_plot
from sweep.figures.profiles import profile
from sweep.figures.slices import parallel, slice_plot

__all__ = [
    "KINDS",
    "contour",
    "curves_of_runs",
    "draw",
    "draw_figure",
    "ecdf",
    "figure_path",
    "heatmap",
    "importance_bars",
    "incidence",
    "learning_curves",
    "line_plot",
    "losses",
    "parallel",
    "profile",
    "save_figure",
    "slice_plot",
    "steps_distribution",
]

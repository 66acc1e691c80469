"""Figures of results: functions that draw into axes and return them, and :func:`draw` for a whole figure."""

from __future__ import annotations

from sweep.figures.canvas import figure_path, save_figure
from sweep.figures.kinds import KINDS, draw
from sweep.figures.kinds.contour_figure import contour
from sweep.figures.kinds.curves_figure import learning_curves
from sweep.figures.kinds.ecdf_figure import ecdf
from sweep.figures.kinds.heatmap_figure import heatmap
from sweep.figures.kinds.importance_figure import importance_bars
from sweep.figures.kinds.incidence_figure import incidence
from sweep.figures.kinds.lines_figure import line_plot
from sweep.figures.kinds.loss_figure import losses
from sweep.figures.kinds.parallel_figure import parallel
from sweep.figures.kinds.profile_figure import profile
from sweep.figures.kinds.ridgeline_figure import ridgeline
from sweep.figures.kinds.runs_figure import curves_of_runs
from sweep.figures.kinds.slice_figure import slice_plot
from sweep.figures.kinds.steps_figure import steps_distribution

__all__ = [
    "KINDS",
    "contour",
    "curves_of_runs",
    "draw",
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
    "ridgeline",
    "save_figure",
    "slice_plot",
    "steps_distribution",
]

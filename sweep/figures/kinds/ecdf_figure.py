"""Run-length distributions: the share of pairs of a run and a threshold that are reached by each step."""

from __future__ import annotations

from matplotlib.axes import Axes

from sweep.figures.canvas import new_axes, say_why
from sweep.figures.figure_kind import FigureKind, figure_function
from sweep.figures.groups import Groups, counts_fault, finish, rows_fault
from sweep.figures.step_curves import StepLine, check_bands, draw_curves, under_way
from sweep.figures.ticks import annotate_ticks
from sweep.results.curves import check_thresholds, thresholds_fault
from sweep.results.result import Result
from sweep.results.threshold_runs import LOSS_THRESHOLD
from sweep.study.selection import At


@figure_function(
    "no thresholds are recorded and ``threshold`` has one value, there are too many lines, or there is no criterion",
    store="thresholds are recorded but rows of runs are not kept",
    color="A parameter with at most 12 values; by default the one with the most, if possible not ``loss_threshold`` or "
    "``threshold``.",
)
def ecdf(
    result: Result, ax: Axes | None = None, *, color: str | None = None, at: At | None = None, bands: str = "pointwise"
) -> Axes:
    """Draw the run-length distribution: the share of pairs of a run and a threshold that are reached by each step.

    Thresholds are the recorded loss thresholds of the study, or else the swept values of ``threshold``. If nothing else
    is swept, each threshold has a curve, beside the curve of all thresholds.
    """
    check_bands(bands)
    are_recorded = bool(result.study.record.loss_thresholds)
    runs = result.by_threshold if are_recorded else result
    threshold = LOSS_THRESHOLD if are_recorded else "threshold"
    groups = Groups(runs, color, at, avoid=threshold)
    if not are_recorded:
        check_thresholds(result, groups.values.get(threshold, ()))
    lines = [StepLine(tally, style) for tally, style in groups]
    if color is None and groups.color == threshold:
        lines = [line._replace(style={**line.style, "linewidth": 1.0}) for line in lines]
        lines.append(StepLine(groups.tally, {"color": "black", "linewidth": 2.6, "label": "all thresholds"}))
    ax = ax or new_axes()
    drawn, notes = draw_curves(ax, groups.runs, lines, bands, logarithmic=True)
    annotate_ticks(ax.xaxis, under_way(groups.tally))
    if not drawn:
        say_why(ax, "no threshold was reached" if are_recorded else "no run converged")
    labels = (
        f"steps, and {'pairs' if are_recorded else 'runs'} under way",
        "pairs of run and threshold reached by this step, %",
    )
    finish(ax, groups.runs, groups, labels, notes=notes)
    return ax


def _refusal(result: Result) -> str | None:
    if result.study.record.loss_thresholds:
        return rows_fault(result)
    return thresholds_fault(result.study) or counts_fault(result)


KIND = FigureKind(
    ecdf,
    80,
    "share of runs that reached a loss threshold, recorded or swept, by each step (run-length distribution)",
    _refusal,
)

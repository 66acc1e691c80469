"""Performance profiles: how often each value of a parameter needs at most a multiple of the steps of the best value."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sweep.errors import SweepError
from sweep.figures.canvas import new_axes, say_why
from sweep.figures.colors import line_styles
from sweep.figures.figure_kind import FigureKind, figure_function
from sweep.figures.groups import Groups, finish, rows_fault, usual_color
from sweep.figures.step_curves import draw_steps
from sweep.figures.ticks import number_ticks, scale_numbers
from sweep.results.answers import alone_fault, criterion_fault
from sweep.results.curves import profile_of
from sweep.results.result import Result
from sweep.results.threshold_runs import LOSS_THRESHOLD
from sweep.study.selection import At
from sweep.system.formatting import short

# Least factor at the end of the axis, even if all values need the same steps.
_LEAST = 1.2
_NEEDED = "color: a performance profile needs a swept parameter with 2 to 12 values"


@figure_function(
    "there are fewer than 2 or more than 12 values, there is no criterion, no problem has runs at all values, or rows "
    "of runs are not kept",
    color="The parameter, with 2 to 12 values; by default the one with the most.",
)
def profile(result: Result, ax: Axes | None = None, *, color: str | None = None, at: At | None = None) -> Axes:
    """Draw the share of problems that each value of a parameter solves within a factor of the steps of the best value.

    A problem is a seed, a combination of all other parameters, and a loss threshold if the study records some. A curve
    starts at the share of problems in which a value is the best, ties included. It ends at the share in which the value
    converges, or reaches the threshold.
    """
    runs = result.by_threshold if result.study.record.loss_thresholds else result
    groups = Groups(runs, color, at, avoid=LOSS_THRESHOLD)
    if groups.color in (None, LOSS_THRESHOLD):
        raise SweepError(f"{_NEEDED}, {'and none here has' if color is None else f'got {color}'}")
    values = groups.values[groups.color]
    table = profile_of(groups.runs, groups.color, values, np.sort(groups.cells))
    ax = ax or new_axes()
    last = max(float(table["factor"].max()), _LEAST)
    for value, style in line_styles(values).items():
        curve = table[table[groups.color] == value]
        whole = pd.concat([curve, curve.tail(1).assign(factor=last)], ignore_index=True)
        draw_steps(ax, whole["factor"], 100 * whole[["share", "low", "high"]], {**style, "label": short(value)})
    scale_numbers(ax, "x", np.array([1.0, last]))
    ax.set_xlim(1.0, last**1.02)
    number_ticks(ax.xaxis)
    ax.set_ylim(-3, 103)
    if not table["share"].max():
        say_why(ax, "no run converged" if runs is result else "no threshold was reached")
    n_problems, n_unsolved = (int(table[name].iloc[0]) for name in ("n_problems", "n_unsolved"))
    notes = [f"{n_problems:,} problems; no value solves {n_unsolved:,} of them"]
    if table["low"].notna().any():
        notes.append("bands: pointwise 95 % intervals")
    labels = "steps, as a multiple of the steps of the best value", "problems solved, %"
    finish(ax, groups.runs, groups, labels, notes=notes)
    return ax


def _refusal(result: Result) -> str | None:
    """Return why a complete result has no profile. Of a partial one, no seed may be trained at all values yet."""
    has_thresholds = bool(result.study.record.loss_thresholds)
    fault = rows_fault(result) if has_thresholds else criterion_fault(result.study) or rows_fault(result)
    study = result.over_replicates.study
    color = usual_color(study.parameters)
    if color is None:
        return fault or f"{_NEEDED}, and none here has"
    return fault or alone_fault(study, color)


KIND = FigureKind(
    profile,
    90,
    "share of problems (seeds with the values of other options) that each value of a parameter solves within a factor "
    "of the fewest steps (performance profile)",
    _refusal,
)

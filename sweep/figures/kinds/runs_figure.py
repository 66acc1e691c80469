"""Learning curves of single runs."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from sweep.figures.canvas import new_axes
from sweep.figures.figure_kind import FigureKind, figure_function
from sweep.figures.groups import STATUS_COLORS, finish
from sweep.figures.kinds.curves_figure import drawable, first_seeds, label_of, scale_curves, selected_curves
from sweep.results.learning_curves import curves_fault
from sweep.results.result import Result
from sweep.study.selection import At

# Most curves, and the number above which they are fainter.
_MOST_RUNS = 300
_MANY_RUNS = 40


@figure_function(
    store="no learning curves were recorded, or the result is partial",
    value='A column of the learning curves, such as ``"train_loss"`` or ``"test_accuracy"``.',
)
def curves_of_runs(result: Result, ax: Axes | None = None, *, value: str = "train_loss", at: At | None = None) -> Axes:
    """Draw the learning curve of each run as a thin line, colored by its status.

    At most 300 evenly spaced runs are drawn. The infinite last loss of a diverged run is not drawn.
    """
    curves, shown = selected_curves(result, None, value, at)
    shown = shown._replace(color=None)
    runs = curves["run"].unique()
    chosen = runs[np.linspace(0, len(runs) - 1, min(len(runs), _MOST_RUNS)).round().astype(np.int64)]
    curves = curves[curves["run"].isin(chosen)]
    ax = ax or new_axes()
    drawn = drawable(curves[value].to_numpy(np.float64), value)
    faint = 0.35 if len(chosen) > _MANY_RUNS else 0.7
    for status, paint in STATUS_COLORS.items():
        has_status = (curves["status"] == status).to_numpy()
        if has_status.any():
            run, steps = (curves[name].to_numpy()[has_status] for name in ("run", "steps"))
            values = drawn[has_status]
            gaps = np.flatnonzero(np.diff(run)) + 1  # lines are broken between runs
            x, y = (np.insert(each.astype(np.float64), gaps, np.nan) for each in (steps, values))
            ax.plot(x, y, color=paint, linewidth=0.8, alpha=faint, label=status)
            ends = np.diff(run, append=-1) != 0
            ax.plot(steps[ends], values[ends], color=paint, linestyle="none", marker=".", markersize=4, alpha=faint)
    scale_curves(ax, value, curves["steps"].to_numpy(), drawn)
    some = f"{len(chosen):,} of {len(runs):,}" if len(chosen) < len(runs) else f"{len(runs):,}"
    notes = [f"{some} runs of {first_seeds(result)}, each to its end"] if len(runs) > 1 else []
    finish(ax, result, shown, ("steps", label_of(value)), notes=notes)
    return ax


KIND = FigureKind(
    curves_of_runs,
    130,
    "learning curves of single runs, of a value as for curves",
    curves_fault,
    shows_statistics=False,
)

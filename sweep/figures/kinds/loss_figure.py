"""Final losses of runs against their initial losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sweep.analysis.cells import cells_of
from sweep.errors import StoreError, SweepError, shown
from sweep.figures.axis import heading
from sweep.figures.canvas import new_axes, plain, put_legend, say_why
from sweep.figures.figure_kind import Caption, FigureKind, figure_function
from sweep.figures.groups import STATUS_COLORS, rows_fault
from sweep.figures.ticks import number_ticks
from sweep.figures.traced_run import loss_curve
from sweep.results.result import Result
from sweep.study.selection import At, cells_at, values_at
from sweep.system.formatting import count_text

if TYPE_CHECKING:
    from sweep.training.networks.trace import Trace

# Most points, and the number above which they are smaller.
_MOST_POINTS = 20_000
_MANY_POINTS = 1000
# The diagonal covers at least this factor.
_SEEN = 3
# Losses above this, or below its inverse, are not drawn.
_LARGEST = 1e100
_NOT_DRAWN = "below 1e-100 or above 1e100"


@figure_function(
    "``result`` is neither a result nor a trace, or rows of runs are not kept",
    result="A result, with at most 20,000 evenly spaced runs drawn; or a trace, whose loss is drawn at each step.",
)
def losses(result: Result | Trace, ax: Axes | None = None, *, at: At | None = None) -> Axes:
    """Draw the final loss of each run against its initial loss, colored by status."""
    if not isinstance(result, Result):
        if not hasattr(result, "evaluated_at"):
            raise SweepError(f"losses: must be a Result or a Trace, got {shown(result)}")
        return loss_curve(result, ax)
    fault = rows_fault(result)
    if fault:
        raise StoreError(fault)
    values = values_at(result.study, at)
    runs, n_runs = _some_runs(result, cells_at(cells_of(result.study.grid), values)["cell"])
    is_drawn = [runs[name].between(1 / _LARGEST, _LARGEST) for name in ("initial_loss", "final_loss")]
    drawn = runs[is_drawn[0] & is_drawn[1]]
    ax = ax or new_axes()
    for status, color in STATUS_COLORS.items():
        chosen = drawn[drawn["status"] == status]
        if len(chosen):
            size = 5 if len(drawn) > _MANY_POINTS else 16
            look: dict[str, Any] = {"s": size, "alpha": 0.5, "linewidths": 0, "rasterized": True}
            ax.scatter(chosen["initial_loss"], chosen["final_loss"], color=color, label=status, **look)
    if len(drawn):
        ax.set(xscale="log", yscale="log")
        number_ticks(ax.xaxis)
        number_ticks(ax.yaxis)
        _draw_diagonal(ax, drawn)
        put_legend(ax, points=30)
    else:
        ax.set(xticks=[], yticks=[])
        say_why(ax, f"nothing to draw: all runs have a loss {_NOT_DRAWN}")
    notes = [f"{len(runs):,} of {n_runs:,} runs"] if len(runs) < n_runs else []
    hidden = len(runs) - len(drawn)
    of_these = "of these not drawn" if notes else "not drawn"
    notes += [f"{of_these}: {count_text(hidden, 'run')} with a loss {_NOT_DRAWN}"] if hidden else []
    ax.set(xlabel="initial loss", ylabel="final loss")
    plain(ax)
    title = heading(result, values, list(result.study.parameters), notes)
    ax.set_title(title, fontsize=10, pad=9)  # above the label of a power of ten at the top of the axis
    return ax


def _some_runs(result: Result, cells: pd.Series) -> tuple[pd.DataFrame, int]:
    """Return the runs of some cells, at most 20,000 evenly spaced ones, and the number of all their runs."""
    n_runs = int(result.tally.loc[result.tally["cell"].isin(cells), "n"].sum())
    chosen = np.linspace(0, n_runs - 1, min(n_runs, _MOST_POINTS)).round().astype(np.int64)
    found = []
    n_before = 0
    for runs in result.batches(["cell", "status", "initial_loss", "final_loss"]):
        runs = runs[runs["cell"].isin(cells)]
        first, last = np.searchsorted(chosen, [n_before, n_before + len(runs)])
        found.append(runs.iloc[chosen[first:last] - n_before])
        n_before += len(runs)
    return pd.concat(found, ignore_index=True), n_runs


def _draw_diagonal(ax: Axes, drawn: pd.DataFrame) -> None:
    """Draw the diagonal of unchanged losses within the range of the points, so that these fill the figure."""
    first, last = drawn["initial_loss"].min(), drawn["initial_loss"].max()
    ends = [first, min(last, max(drawn["final_loss"].max(), _SEEN * first))]
    ax.plot(ends, ends, color="0.5", linewidth=0.8, linestyle=":", label="no change")


KIND = FigureKind(
    losses,
    110,
    "final loss of each run against its initial loss",
    rows_fault,
    (Caption("Final loss against initial loss", 80),),
)

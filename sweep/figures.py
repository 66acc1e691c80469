"""Figures of a result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import SweepError
from sweep.result import Result
from sweep.tables import short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MAX_LINES = 24


def draw_convergence_rate(result: Result, path: Path) -> None:
    """Draw the convergence rate with its 95 % interval over the swept parameters.

    The parameter with the most values goes along the axis; each combination of the
    others is a line.

    Parameters
    ----------
    result : Result
    path
        File to write; its suffix decides the format.

    Raises
    ------
    SweepError
        If there are too many lines to tell apart, or the file cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    swept = {name: values for name, values in result.study.parameters.items() if len(values) > 1}
    axis = max(swept, key=lambda name: (_is_number(swept[name][0]), len(swept[name])), default=None)
    others = [name for name in swept if name != axis]
    groups = list(result.cells.groupby(others, sort=False)) if others else [((), result.cells)]
    if len(groups) > _MAX_LINES:
        raise SweepError(f"{len(groups)} lines for {', '.join(others)}; a figure shows {_MAX_LINES} at most, set some")
    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = figure.add_subplot()
    colors = mpl.colormaps["viridis"].resampled(max(len(groups), 2))
    for k, (key, cells) in enumerate(groups):
        label = ", ".join(short(value) for value in key) if others else None
        _draw_line(axes, cells, axis, colors(k * 0.9 / max(len(groups) - 1, 1)), label)
    _decorate(axes, result, axis, others)
    try:
        figure.savefig(path, dpi=160)
    except (OSError, ValueError) as error:
        raise SweepError(f"figure {str(path)!r} cannot be written: {error}") from None


def _draw_line(axes: Axes, cells: pd.DataFrame, axis: str | None, color: Any, label: str | None) -> None:
    """Draw one line with its band, or points with bars where the axis has no order."""
    rate = 100 * cells["convergence_rate"].to_numpy()
    low, high = 100 * cells["convergence_rate_low"].to_numpy(), 100 * cells["convergence_rate_high"].to_numpy()
    if axis is not None and _is_number(cells[axis].iloc[0]):
        order = np.argsort(cells[axis].to_numpy())
        cells, rate, low, high = cells.iloc[order], rate[order], low[order], high[order]
        axes.plot(cells[axis].to_numpy(), rate, "o-", color=color, label=label, markersize=3.5, linewidth=1.4)
        axes.fill_between(cells[axis].to_numpy(), low, high, color=color, alpha=0.2, linewidth=0)
        return
    places = [short(value) for value in cells[axis]] if axis else ["all runs"] * len(cells)
    bars = [(rate - low).tolist(), (high - rate).tolist()]  # matplotlib before 3.11 warns of arrays of one number
    axes.errorbar(places, rate, bars, fmt="o", color=color, label=label, capsize=4)


def _decorate(axes: Axes, result: Result, axis: str | None, others: list[str]) -> None:
    """Set scales, labels and legend."""
    if axis is not None:
        axes.set_xlabel(axis.replace("_", " "))
        values = result.study.parameters[axis]
        if _is_number(values[0]) and _is_logarithmic([float(value) for value in values]):
            axes.set_xscale("log")
    axes.set_ylim(-3, 103)
    axes.set_ylabel("runs converged, %")
    axes.set_title(
        f"{result.study.name}: {result.study.seeds.count:,} seeds a cell, 95 % Wilson intervals", fontsize=10
    )
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if others:
        axes.legend(
            title=", ".join(others).replace("_", " "), frameon=False, loc="center left", bbox_to_anchor=(1, 0.5)
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, np.bool_))


def _is_logarithmic(values: list[float]) -> bool:
    """Tell whether values spread over more than a decade."""
    return min(values) > 0 and max(values) / min(values) > 10

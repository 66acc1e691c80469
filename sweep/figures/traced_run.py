"""Figures of one run: losses and weights over steps, and the decision surface over two inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sweep.figures.canvas import new_axes, new_figure, plain, put_legend_below
from sweep.figures.colors import NAMED_COLORS
from sweep.figures.ticks import number_ticks
from sweep.system.formatting import short

if TYPE_CHECKING:
    from sweep.training.networks.trace import Trace
    from sweep.training.networks.trajectory import Path, Plane

_PARAMETERS = {
    "w": "input weights",
    "v": "output weights",
    "b": "hidden biases",
    "c": "output biases",
    "k": "skip connections",
}
_COLORS = dict(zip(_PARAMETERS, NAMED_COLORS, strict=False))
# Line styles of hidden layers, from the inputs up.
_STYLES = ("-", "--", ":", "-.", (0, (6, 1)), (0, (1, 3)), (0, (5, 1, 1, 1, 1, 1)), (0, (8, 4)))
# Most lines of hidden units, and of parameters of a kind. The first ones are drawn.
_MOST_UNITS, _MOST_LINES = 32, 200
# Numbers above the first are not drawn. Weights above the second make their axis logarithmic.
_LARGEST, _WIDE = 1e100, 1e3
# Least half range of the colors of outputs around the center of the targets, relative to their span.
_LEAST_REACH = 0.05


def draw_run(trace: Trace, path: Path, plane: Plane | None) -> Figure:
    """Draw the losses and weights of a run, and its decision surface if it has two inputs, into a new figure."""
    n_panels = 3 if plane is not None else 2
    figure = new_figure(4.4 * n_panels, 4.2)
    panels = figure.subplots(1, n_panels)
    loss_curve(trace, panels[0])
    weights_curves(path, panels[1])
    if plane is not None:
        decision_surface(trace, plane, panels[2])
    values = ", ".join(f"{name.replace('_', ' ')} {short(value)}" for name, value in trace.parameters.items())
    ended = f"{trace.status} after {trace.steps:,} steps, final loss {trace.final_loss:.4g}"
    run = ", ".join(part for part in (trace.study.name, values, f"seed {trace.seed}") if part)
    figure.suptitle(f"{run}\n{ended}", fontsize=10)
    return figure


def loss_curve(trace: Trace, ax: Axes | None = None) -> Axes:
    """Draw the loss at each evaluation, and return the axes."""
    ax = ax or new_axes()
    losses = _drawable(trace.losses)
    ax.plot(trace.evaluated_at, losses, color=NAMED_COLORS[0], linewidth=1.4, marker="." if len(losses) == 1 else None)
    if np.nanmin(losses, initial=np.inf) > 0 and np.nanmax(losses, initial=0) > 0:
        ax.set_yscale("log")
        number_ticks(ax.yaxis)
    ax.set(xlabel="steps", ylabel="loss", title="loss")
    _show_steps(ax, trace.steps)
    return plain(ax)


def weights_curves(path: Path, ax: Axes) -> Axes:
    """Draw the weights and biases over steps, colored by kind, and return the axes."""
    weights = _drawable(path.weights)
    for kind in dict.fromkeys(path.names):
        drawn = weights[:, [k for k, name in enumerate(path.names) if name == kind][:_MOST_LINES]]
        marker = "." if len(path.steps) == 1 else None
        style: Any = _STYLES[int(kind[1:] or 1) - 1]
        look: dict[str, Any] = {"linestyle": style, "color": _COLORS[kind[0]], "marker": marker}
        lines = ax.plot(path.steps, drawn, linewidth=1.1, alpha=0.8, **look)
        of_layer = {"w": "weights", "b": "biases", "k": "skip connections"}.get(kind[0])
        lines[0].set_label(f"{of_layer} of hidden layer {kind[1:]}" if kind[1:] else _PARAMETERS[kind])
    if path.steps[-1] > 200:
        ax.set_xscale("symlog", linthresh=10)
        ax.set_xlim(0, path.steps[-1])
    else:
        _show_steps(ax, int(path.steps[-1]))
    largest = float(np.nanmax(np.abs(weights), initial=0.0))
    if largest > _WIDE:
        ax.set_yscale("symlog", linthresh=1)
        powers = [10.0 ** (np.log10(largest) * part // 1) for part in (0.5, 1)]
        number_ticks(ax.yaxis, [*(-power for power in powers), 0.0, *powers])
    ax.set(xlabel="steps", ylabel="weight", title="weights")
    put_legend_below(ax)
    return plain(ax)


def decision_surface(trace: Trace, plane: Plane, ax: Axes | None = None) -> Axes:
    """Draw the first output over two inputs, with the patterns and the zero lines of hidden units."""
    ax = ax or new_axes()
    outputs = np.ma.masked_invalid(plane.outputs)
    targets = trace.targets[:, 0]
    center = (targets.min() + targets.max()) / 2
    if outputs.count():
        span = max(float(targets.max() - targets.min()), 0.5)
        reach = min(max(float(np.abs(outputs - center).max()), _LEAST_REACH * span), 2 * span)
        reach = max(reach, 1e-9 * abs(center))  # levels must differ
        levels = np.linspace(center - reach, center + reach, 17)
        surface = ax.contourf(plane.x, plane.y, outputs, levels, cmap="PuOr", extend="both")
        bar = ax.figure.colorbar(surface, ax=ax, label="output")
        number_ticks(bar.ax.yaxis)
        if outputs.min() < center < outputs.max():
            ax.contour(plane.x, plane.y, outputs, [center], colors="black", linewidths=1.4)
    _draw_units(plane, ax)
    for target, marker in zip(np.unique(targets), "os^vD" * len(targets), strict=False):
        points = trace.inputs[targets == target]
        face: Any = "white" if target <= center else "black"
        look: dict[str, Any] = {"marker": marker, "s": 55, "edgecolors": "black", "zorder": 3}
        ax.scatter(points[:, 0], points[:, 1], color=face, label=f"target {short(float(target))}", **look)
    ax.set(xlim=plane.x[[0, -1]], ylim=plane.y[[0, -1]], xlabel="input 0", ylabel="input 1")
    units = "units of hidden layer 1" if "w1" in trace.weights else "hidden units"
    ax.set_title(f"output; dashed: {units}" if len(plane.units) else "output")
    if len(np.unique(targets)) <= 4:
        put_legend_below(ax)
    return ax


def _draw_units(plane: Plane, ax: Axes) -> None:
    """Draw the line where the weighted sum of each hidden unit is 0."""
    for first, second, bias in plane.units[:_MOST_UNITS]:
        if not np.isfinite([first, second, bias]).all() or (first == 0 and second == 0):
            continue
        if abs(second) >= abs(first):
            ax.plot(plane.x, -(first * plane.x + bias) / second, color="0.25", linewidth=0.8, linestyle="--")
        else:
            ax.plot(-(second * plane.y + bias) / first, plane.y, color="0.25", linewidth=0.8, linestyle="--")


def _drawable(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values, with NaN for those that are not finite or exceed 1e100."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(np.abs(values) < _LARGEST, values, np.nan)


def _show_steps(ax: Axes, last: int) -> None:
    """Extend the axis to all steps of a run, also those without drawn values."""
    room = 0.04 * max(last, 1)
    ax.set_xlim(-room, max(last, 1) + room)
    number_ticks(ax.xaxis, whole=True)

"""How runs end: the share that has converged by each step, the steps that it took, and their losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.answers import check_judged, check_swept, pairs_seeds
from sweep.errors import StoreError, SweepError, shown
from sweep.figures.axis import heading
from sweep.figures.canvas import new_axes, put_legend, say_why
from sweep.figures.panels import NAMED_COLORS, line_styles
from sweep.figures.roles import MAX_LINES
from sweep.figures.run import loss_curve
from sweep.figures.ticks import number_ticks, scale_numbers
from sweep.picks import At, cells_at, values_at
from sweep.plan import Plan
from sweep.result import Result
from sweep.schema import STATUSES
from sweep.statistics.cells import cells_of
from sweep.statistics.incidence import EVENTS, cumulative_incidence
from sweep.wording import count_text, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sweep.replay import Trace

_STATUS_COLORS = dict(zip(STATUSES, (NAMED_COLORS[0], NAMED_COLORS[1], NAMED_COLORS[3], "0.55"), strict=True))
_MOST_POINTS, _FEW_POINTS = 20_000, 1000
_BINS = 40
# A diagonal from a loss to so many times of it is seen at least.
_SEEN = 3
# Steps of a curve that can be told apart: parts of the whole height, and of a factor e across.
_HEIGHTS, _WIDTHS = 300, 60
# Losses that are drawn are at most so large, and at least one over that.
_LARGEST = 1e100
_NOT_DRAWN = "below 1e-100 or above 1e100"


def incidence(result: Result, ax: Axes | None = None, *, color: str | None = None, at: At | None = None) -> Axes:
    """Draw the share of runs that has converged by each step, with its 95 % band, by color of a parameter.

    Parameters
    ----------
    result
    ax
        Where to draw; by default a figure of its own.
    color
        A parameter of at most 12 values; by default the one of them with the most. Where none is swept, the shares that
        have diverged and stalled are drawn too.
    at
        Only these values of some parameters.

    Raises
    ------
    SweepError
        If a name or a value is unknown, there are too many lines, or convergence is not judged.
    """
    groups = _Groups(result, color, at)
    ax = ax or new_axes()
    tallies = [("converged", tally, style) for tally, style in groups]
    if groups.color is None:
        tallies = [(event, groups.tally, {"color": _STATUS_COLORS[event], "label": event}) for event in EVENTS]
    last, steps, highest = max(int(groups.tally["steps"].max()), 1), [], 0.0
    outcomes = result.outcomes if pairs_seeds(result) else None
    for event, tally, style in tallies:
        curve = cumulative_incidence(tally, event, outcomes.at(tally["cell"].unique()) if outcomes else None)
        steps.append(curve["steps"].to_numpy())
        highest = max(highest, curve["incidence"].max() if len(curve) else 0.0)
        start = _start_of(curve)
        end = (curve if len(curve) else start).tail(1).assign(steps=_known_until(tally, last))
        curve = pd.concat([start, _thin(curve), end], ignore_index=True)
        x, y, low, high = curve["steps"], *(100 * curve[name] for name in ("incidence", "low", "high"))
        ax.step(x, y, where="post", linewidth=1.4, **{**style, "marker": None})
        ax.fill_between(x, low, high, step="post", alpha=0.15, linewidth=0, color=style["color"])
    _scale_steps(ax, np.concatenate(steps), last)
    ax.set_ylim(-3, 103)
    if not highest:
        say_why(ax, "no run converged" if groups.color else "no run converged, diverged or stalled")
    _finish(
        ax, result, groups, "steps", "runs converged by this step, %" if groups.color else "runs ended by this step, %"
    )
    return ax


def steps_distribution(
    result: Result, ax: Axes | None = None, *, color: str | None = None, at: At | None = None
) -> Axes:
    """Draw how many of all runs converge after how many steps, by color of a parameter.

    Parameters and errors are those of :func:`incidence`.
    """
    groups = _Groups(result, color, at)
    ax = ax or new_axes()
    converged = groups.tally[groups.tally["status"] == "converged"]
    if not len(converged):
        say_why(ax, "nothing to draw: no run converged")
        ax.set(xticks=[], yticks=[])
    else:
        bins, wide = _bins_of(converged["steps"].to_numpy())
        for tally, style in groups:
            own = tally[tally["status"] == "converged"]
            counts, _ = np.histogram(np.maximum(own["steps"], bins[0]), bins, weights=own["n"])
            shares = 100 * counts / max(int(tally["n"].sum()), 1)
            look = {name: style[name] for name in ("color", "linestyle", "label") if name in style}
            ax.stairs(shares, bins, linewidth=1.4, fill=groups.color is None, **look)
        if wide:
            scale_numbers(ax, "x", bins)
        else:
            room = max(0.05 * (bins[-1] - bins[0]), 1.5)
            ax.set_xlim(max(bins[0] - room, -0.5), bins[-1] + room)
            number_ticks(ax.xaxis, whole=True)
    _finish(ax, result, groups, "steps to converge", "runs, %")
    return ax


def losses(result: Result | Trace, ax: Axes | None = None, *, at: At | None = None) -> Axes:
    """Draw the loss at the end over that at the start, a point for each run, colored by how it ended.

    Parameters
    ----------
    result, ax, at
        As of :func:`incidence`. Of more than 20,000 runs, so many in even steps are drawn. Of a trace, which is one
        run, the loss at each step is drawn.

    Raises
    ------
    SweepError
        If a name or a value is unknown, or it is no result.
    StoreError
        If runs were not kept.
    """
    if not isinstance(result, Result):
        if not hasattr(result, "judged_at"):
            raise SweepError(f"{shown(result)} given; losses are drawn of a result or of a trace")
        return loss_curve(result, ax)
    if not result.keeps_runs:
        raise StoreError(
            "this result keeps no rows of runs, and losses are in them; run the study with keep='runs' (--keep runs)"
        )
    values = values_at(result.study.parameters, at or {})
    runs, n_runs = _some_runs(result, cells_at(cells_of(Plan(result.study)), values)["cell"])
    seen = [runs[name].between(1 / _LARGEST, _LARGEST) for name in ("initial_loss", "final_loss")]
    drawn = runs[seen[0] & seen[1]]
    ax = ax or new_axes()
    for status, color in _STATUS_COLORS.items():
        own = drawn[drawn["status"] == status]
        if len(own):
            size = 5 if len(drawn) > _FEW_POINTS else 16
            look: dict[str, Any] = {"s": size, "alpha": 0.5, "linewidths": 0, "rasterized": True}
            ax.scatter(own["initial_loss"], own["final_loss"], color=color, label=status, **look)
    if len(drawn):
        ax.set(xscale="log", yscale="log")
        number_ticks(ax.xaxis)
        number_ticks(ax.yaxis)
        _draw_diagonal(ax, drawn)
        put_legend(ax, points=30)
    else:
        ax.set(xticks=[], yticks=[])
        say_why(ax, f"nothing to draw: every run has a loss {_NOT_DRAWN}")
    notes = [f"{len(runs):,} of {n_runs:,} runs"] if len(runs) < n_runs else []
    hidden = len(runs) - len(drawn)
    of_these = "of these not drawn" if notes else "not drawn"
    notes += [f"{of_these}: {count_text(hidden, 'run')} with a loss {_NOT_DRAWN}"] if hidden else []
    ax.set(xlabel="initial loss", ylabel="final loss")
    ax.grid(alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)
    title = heading(result, values, list(result.study.parameters), notes)
    ax.set_title(title, fontsize=10, pad=9)  # above the label of a power of ten at the end of the axis
    return ax


def _some_runs(result: Result, cells: pd.Series) -> tuple[pd.DataFrame, int]:
    """Return the runs of some cells, of many so many in even steps, and how many there are."""
    n_runs = int(result.tally.loc[result.tally["cell"].isin(cells), "n"].sum())
    chosen = np.linspace(0, n_runs - 1, min(n_runs, _MOST_POINTS)).round().astype(np.int64)
    found, n_before = [], 0
    for runs in result.batches(["cell", "status", "initial_loss", "final_loss"]):
        runs = runs[runs["cell"].isin(cells)]
        first, last = np.searchsorted(chosen, [n_before, n_before + len(runs)])
        found.append(runs.iloc[chosen[first:last] - n_before])
        n_before += len(runs)
    return pd.concat(found, ignore_index=True), n_runs


def _start_of(curve: pd.DataFrame) -> pd.DataFrame:
    """Return the row before the first step; of a curve that stays at 0, with the interval that it has at its end."""
    if len(curve) and not curve["incidence"].any():
        return curve.tail(1).assign(steps=0)
    return pd.DataFrame({name: [0] for name in curve})


def _known_until(tally: pd.DataFrame, last: int) -> int:
    """Return the step until which a curve is known: the last of all where every run has ended before its limit."""
    return int(tally["steps"].max()) if (tally["status"] == "exhausted").any() else last


def _bins_of(steps: NDArray[np.int64]) -> tuple[NDArray[np.float64], bool]:
    """Return edges of bins between whole numbers of steps, and whether they grow by a factor."""
    low, high = int(steps.min()), int(steps.max())
    wide = high > 20 * max(low, 1)
    if wide:  # runs that have converged before the first step are in the first bin, as 0 is on no such axis
        edges = np.unique(np.geomspace(max(low, 1), high + 1, _BINS + 1).round())
    else:
        width = -(-(high + 1 - low) // _BINS)
        edges = np.arange(low, high + width + 1, width).astype(np.float64)
    return edges - 0.5, wide


def _thin(curve: pd.DataFrame) -> pd.DataFrame:
    """Leave out steps between which nobody could see a share change."""
    heights = (curve["incidence"] * _HEIGHTS).round().diff()
    widths = np.log(curve["steps"].clip(lower=1)).mul(_WIDTHS).round().diff()
    kept: pd.DataFrame = curve.loc[(heights != 0) | (widths != 0)]
    return kept


def _draw_diagonal(ax: Axes, drawn: pd.DataFrame) -> None:
    """Draw where the loss is what it was, no further than the other points go, so that these fill the figure."""
    first, last = drawn["initial_loss"].min(), drawn["initial_loss"].max()
    ends = [first, min(last, max(drawn["final_loss"].max(), _SEEN * first))]
    ax.plot(ends, ends, color="0.5", linewidth=0.8, linestyle=":", label="no change")


class _Groups:
    """Tallies to draw in a color each.

    Attributes
    ----------
    color : str or None
        The parameter by color.
    tally : DataFrame
        Of all runs that are drawn.
    """

    def __init__(self, result: Result, color: str | None, at: At | None) -> None:
        check_judged(result.study)
        self.values = values_at(result.study.parameters, at or {})
        if color is not None:
            check_swept(result.study, [color])
        fit = [name for name, entries in self.values.items() if 1 < len(entries) <= MAX_LINES]
        self.color = color or (max(fit, key=lambda name: len(self.values[name])) if fit else None)
        plan = Plan(result.study)
        tally = result.tally
        self.tally = tally[tally["cell"].isin(cells_at(cells_of(plan), self.values)["cell"])]
        if self.color is not None:
            entries = self.values[self.color]
            if len(entries) > MAX_LINES:
                raise SweepError(
                    f"color {self.color} has {len(entries)} values and a figure shows {MAX_LINES} lines at most; pick "
                    f"some of them with --at {self.color}=VALUE,VALUE"
                )
            self._styles = line_styles(entries)
            self._entries = plan.column(self.color, self.tally["cell"].to_numpy())

    def __iter__(self) -> Any:
        """Yield the tally and the style of each color."""
        if self.color is None:
            yield self.tally, {"color": NAMED_COLORS[0]}
            return
        for entry, style in self._styles.items():
            tally = self.tally[self._entries == entry]
            if len(tally):
                yield tally, {**style, "label": short(entry)}


def _scale_steps(ax: Axes, steps: Any, last: int) -> None:
    """Make the axis of steps logarithmic where they are wide apart."""
    positive = steps[steps > 0]
    if positive.size > 1 and last > 50 * np.quantile(positive, 0.05):
        scale_numbers(ax, "x", np.array([max(np.quantile(positive, 0.01), 1), last], np.float64))
        ax.set_xlim(max(np.quantile(positive, 0.01) / 1.5, 0.8), last * 1.1)
    else:
        number_ticks(ax.xaxis, whole=True)


def _finish(ax: Axes, result: Result, groups: _Groups, x: str, y: str) -> None:
    """Write names, legend and title."""
    ax.set(xlabel=x, ylabel=y)
    ax.grid(alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)
    if ax.get_legend_handles_labels()[0]:
        put_legend(ax, (groups.color or "").replace("_", " ") or None)
    shown = [groups.color] if groups.color else []
    ax.set_title(heading(result, groups.values, shown), fontsize=10)

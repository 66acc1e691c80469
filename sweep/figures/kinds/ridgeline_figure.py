"""Ridgeline: a histogram of the steps to converge for each value of a parameter, one above the other."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from sweep.errors import SweepError
from sweep.figures.axis import label_of
from sweep.figures.canvas import new_axes, say_why
from sweep.figures.colors import NAMED_COLORS
from sweep.figures.figure_kind import FigureKind, figure_function, pools_replicates
from sweep.figures.groups import Groups, Shown, counts_fault, finish
from sweep.figures.kinds.steps_figure import bins_of, shares_of
from sweep.figures.statistics import in_ranges
from sweep.figures.ticks import name_ticks, number_ticks, scale_numbers
from sweep.results.answers import check_swept
from sweep.results.result import Result
from sweep.study.selection import At, Values
from sweep.system.formatting import short
from sweep.system.plain_values import is_number

# Most ridges of a figure.
_MOST_RIDGES = 40
# Height of the highest bin, in distances between ridges.
_OVERLAP = 1.6
_EDGE, _FILL = NAMED_COLORS[0], NAMED_COLORS[4]


@pools_replicates
@figure_function(
    "the parameter has more than 40 values, or there is no criterion",
    y="A parameter with at most 40 values, or a sampled one, which is drawn in ranges; by default the one with the "
    "most.",
)
def ridgeline(result: Result, ax: Axes | None = None, *, y: str | None = None, at: At | None = None) -> Axes:
    """Draw a histogram of the steps to converge for each value of a parameter, and the share that did not converge.

    All ridges have the same bins and the same scale. Heights are shares of all runs, so the area of a ridge is the
    share of runs that converged; that of the others is written beside it, on a second vertical axis.
    """
    groups = Groups(result, None, at, colored=False)
    ridges, parameter, notes = _ridges(result, groups, y)
    ax = ax or new_axes(6.2, min(max(0.34 * len(ridges) + 1.6, 3.2), 10.0))
    names = list(ridges)
    ax.set_ylim(-0.3, len(names) - 1 + _OVERLAP + 0.1)
    converged = groups.tally[groups.tally["status"] == "converged"]
    if not len(converged):
        say_why(ax, "nothing to draw: no run converged")
        ax.set(xticks=[], yticks=[])
    else:
        bins, wide = bins_of(converged["steps"].to_numpy())
        shares = [shares_of(tally, bins) for tally in ridges.values()]
        highest = max(share.max() for share in shares)
        for k, share in reversed(list(enumerate(shares))):  # lower ridges are in front
            heights = k + _OVERLAP * share / highest
            ax.stairs(heights, bins, baseline=k, fill=True, color=_FILL)
            ax.stairs(heights, bins, baseline=k, color=_EDGE, linewidth=0.8)
        if wide:
            scale_numbers(ax, "x", bins)
        else:
            number_ticks(ax.xaxis, whole=True)
        name_ticks(ax.yaxis, names, turn=False)
        _write_shares(ax, [100 - share.sum() for share in shares])
        notes = [*notes, f"the highest bin holds {highest:.2g} % of the runs of its ridge"]
    vertical = "" if parameter is None else label_of(parameter)
    finish(ax, result, Shown(parameter, groups.values), ("steps to converge", vertical), notes=notes)
    return ax


def _ridges(result: Result, groups: Groups, y: str | None) -> tuple[dict[str, pd.DataFrame], str | None, list[str]]:
    """Return the tally of each ridge by its label from the lowest, the parameter if any, and notes on ranges."""
    if y is not None:
        check_swept(result.study, [y])
    parameter = y or _usual_parameter(result, groups.values)
    if parameter is None:
        return {"all runs": groups.tally}, None, []
    grid, ranges = in_ranges(result.study, groups.values, [parameter])
    values = ranges.get(parameter, groups.values[parameter])
    if len(values) > _MOST_RIDGES:
        raise SweepError(
            f"y: {parameter} must have at most {_MOST_RIDGES} values, got {len(values)}; choose another parameter, or "
            f"pick some values with --at {parameter}=VALUE,VALUE"
        )
    ordered = sorted(values) if is_number(values[0]) else values[::-1]  # names from the top
    entries = (grid or result.study.grid).column(parameter, groups.tally["cell"].to_numpy())
    tallies = {short(value): groups.tally[entries == value] for value in ordered}
    notes = [f"cells pooled in {len(values)} ranges of {parameter.replace('_', ' ')}"] if ranges else []
    return {name: tally for name, tally in tallies.items() if len(tally)}, parameter, notes


def _usual_parameter(result: Result, values: Values) -> str | None:
    """Return the parameter with the most values that can be drawn, if any has several."""
    sizes = {name: len(in_ranges(result.study, values, [name])[1].get(name, values[name])) for name in values}
    fit = [name for name, size in sizes.items() if 1 < size <= _MOST_RIDGES]
    return max(fit, key=sizes.__getitem__) if fit else None


def _write_shares(ax: Axes, shares: list[float]) -> None:
    """Write beside each ridge the percentage of runs that did not converge."""
    right = ax.twinx()
    right.set_ylim(ax.get_ylim())
    right.set_ylabel("not converged, %")
    right.spines[:].set_visible(False)
    right.tick_params(length=0)
    name_ticks(right.yaxis, [_percent(share) for share in shares], turn=False)


def _percent(share: float) -> str:
    """Return a percentage without decimals, and 0 and 100 only if they are exact.

    >>> [_percent(share) for share in (0.0, 0.01, 12.4, 99.99, 100.0)]
    ['0', '<1', '12', '>99', '100']
    """
    if 0 < share < 0.5:
        return "<1"
    return ">99" if 99.5 <= share < 100 else f"{share:.0f}"


KIND = FigureKind(
    ridgeline,
    105,
    "histograms of the steps to converge for each value of a parameter, one above the other, and shares not converged",
    counts_fault,
)

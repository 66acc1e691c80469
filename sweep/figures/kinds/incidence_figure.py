"""Cumulative incidence of convergence: the share of runs that converged by each step."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from sweep.analysis.incidence import EVENTS
from sweep.errors import SweepError
from sweep.figures.canvas import new_axes, say_why
from sweep.figures.colors import line_styles
from sweep.figures.figure_kind import Caption, FigureKind, figure_function
from sweep.figures.groups import STATUS_COLORS, Groups, counts_fault, finish
from sweep.figures.step_curves import StepLine, check_bands, draw_curves, under_way
from sweep.figures.ticks import annotate_ticks
from sweep.results.curves import check_parallel
from sweep.results.result import Result
from sweep.study.selection import At


@figure_function(
    "there are too many lines, there is no criterion, there are more parallel runs than a cell has, or ``color`` is "
    "combined with several numbers of parallel runs",
    color="A parameter with at most 12 values; by default the one with the most. If there is none, the shares of runs "
    "that diverged, stalled or ended on a plateau are drawn too.",
    parallel_runs="If k is above 1, how often at least one of k runs of a cell has converged. Each of several numbers "
    "has a curve, pooled over all cells.",
)
def incidence(
    result: Result,
    ax: Axes | None = None,
    *,
    color: str | None = None,
    at: At | None = None,
    bands: str = "pointwise",
    parallel_runs: int | Sequence[int] = 1,
) -> Axes:
    """Draw the cumulative incidence of convergence with its 95 % band, colored by a parameter.

    It is the share of runs that converged by each step. Exhausted runs are right-censored. Below each tick is the
    number of runs under way right before that step, over all curves.
    """
    numbers = [parallel_runs] if isinstance(parallel_runs, int | float | str) else list(parallel_runs)
    check_bands(bands)
    groups = Groups(result, color, at, colored=len(numbers) == 1, pools_replicates=numbers == [1])
    if numbers != [1]:
        check_parallel(groups.tally, numbers)
    if len(numbers) > 1 and color is not None:
        raise SweepError(f"color: must be left out with several numbers of parallel runs, got {color!r}")
    lines = _lines(result, groups, numbers)
    ax = ax or new_axes()
    drawn, notes = draw_curves(ax, groups.runs, lines, bands)
    annotate_ticks(ax.xaxis, under_way(groups.tally))
    ended = "converged" if groups.color or numbers != [1] else "ended"
    if not drawn:
        say_why(ax, "no run converged" if ended == "converged" else "no run ended before its limit")
    any_of = f"any of {numbers[0]:,} parallel runs" if len(numbers) == 1 else "any of K parallel runs"
    y = f"{'runs' if numbers == [1] else any_of} {ended} by this step, %"
    legend = "parallel runs" if len(numbers) > 1 else None
    finish(ax, groups.runs, groups, ("steps, and runs under way", y), notes=notes, legend=legend)
    return ax


def _lines(result: Result, groups: Groups, numbers: Sequence[int]) -> list[StepLine]:
    """Return a curve for each number of parallel runs, for each color, or for each event."""
    if len(numbers) > 1:
        ordered = sorted(set(numbers))
        styles = zip(ordered, line_styles(ordered).values(), strict=True)
        return [StepLine(groups.tally, {**style, "label": f"{k:,}"}, parallel_runs=k) for k, style in styles]
    if groups.color is None and list(numbers) == [1]:
        found = {EVENTS[0], *groups.tally["status"]}  # convergence also where it never occurs
        events = [event for event in EVENTS if event in found]
        return [StepLine(groups.tally, {"color": STATUS_COLORS[event], "label": event}, event) for event in events]
    return [StepLine(tally, style, parallel_runs=numbers[0]) for tally, style in groups]


KIND = FigureKind(
    incidence,
    70,
    "share of runs that converged by each step (cumulative incidence)",
    counts_fault,
    (Caption("Cumulative incidence of convergence", 40),),
)

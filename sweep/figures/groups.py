"""Groups of runs with one color each, for figures of curves or bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes

from sweep.analysis.cells import cells_of
from sweep.columns import STATUSES
from sweep.errors import SweepError
from sweep.figures.axis import heading
from sweep.figures.canvas import plain, put_legend, title_center
from sweep.figures.channels import MAX_LINES, check_color
from sweep.figures.colors import NAMED_COLORS, line_styles
from sweep.results.answers import check_has_criterion, check_swept, criterion_fault
from sweep.results.pooled_cells import pooled_tally
from sweep.results.queries import Queries
from sweep.study.axes.grid import REPLICATES
from sweep.study.selection import At, Values, cells_at, values_at
from sweep.system.formatting import short

_BLUE, _RED, _, _PINK, _, _, _AMBER = NAMED_COLORS
STATUS_COLORS = dict(zip(STATUSES, (_BLUE, _RED, _PINK, "0.55", _AMBER), strict=True))


class Shown(NamedTuple):
    """The parameter that a figure shows by color, if any, and the selected values of each swept parameter."""

    color: str | None
    values: Values


def usual_color(values: Values, avoid: str | None = None) -> str | None:
    """Return the parameter with the most values, 12 at most; ``avoid``, or else replicates, if there is no other."""
    fit = [name for name, entries in values.items() if 1 < len(entries) <= MAX_LINES]
    order = {name: (name not in REPLICATES, name != avoid, len(values[name])) for name in fit}
    return max(fit, key=order.__getitem__) if fit else None


def styles_of(color: str, values: Values) -> dict[Any, dict[str, Any]]:
    """Return the style of each value of a parameter; SweepError if there are more than 12."""
    check_color(color, values)
    return line_styles(values[color])


def counts_fault(result: Queries) -> str | None:
    """Return why a result has no counts of converged runs by steps, or None if it has."""
    if not result.has_parts:
        return "counts of runs by steps are missing: the result was published with its cells only"
    return criterion_fault(result.study)


def rows_fault(result: Queries) -> str | None:
    """Return why a result has no rows of runs, or None if it has."""
    if result.keeps_runs:
        return None
    return "rows of runs are needed, which this result does not keep; run the study with keep='runs' (--keep runs)"


class Groups:
    """Tallies of runs by the values of a parameter. Iteration yields the tally and the style of each color.

    ``runs`` are those of the result, pooled over replicates that are not named, ``cells`` the numbers of the drawn
    cells, ``tally`` is that of all their runs, and ``values`` has the selected values of each swept parameter. At most
    12 values have colors.
    """

    def __init__(
        self,
        result: Queries,
        color: str | None,
        at: At | None,
        *,
        colored: bool = True,
        avoid: str | None = None,
        pools_replicates: bool = True,
    ) -> None:
        """Group by ``color``, or else by the parameter of :func:`usual_color` if ``colored``."""
        check_has_criterion(result.study)
        if pools_replicates:
            result = result.naming([*filter(None, [color]), *(at or ())])
        self.runs = result
        self.values = values_at(result.study, at)
        if color is not None:
            check_swept(result.study, [color])
        self.color = color or (usual_color(self.values, avoid) if colored else None)
        grid = result.study.grid
        tally = pooled_tally(result)
        self.cells = cells_at(cells_of(grid), self.values)["cell"].to_numpy()
        self.tally = tally[tally["cell"].isin(self.cells)]
        if self.tally.empty:
            raise SweepError("no run is trained yet at these values; run the study again to train more runs")
        if self.color is not None:
            self._styles = styles_of(self.color, self.values)
            self._entries = grid.column(self.color, self.tally["cell"].to_numpy())

    def __iter__(self) -> Iterator[tuple[pd.DataFrame, dict[str, Any]]]:
        if self.color is None:
            yield self.tally, {"color": NAMED_COLORS[0]}
            return
        for entry, style in self._styles.items():
            tally = self.tally[self._entries == entry]
            if len(tally):
                yield tally, {**style, "label": short(entry)}


def finish(
    ax: Axes,
    result: Queries,
    groups: Groups | Shown,
    names: tuple[str, str],
    *,
    legend: str | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Write the labels of both axes, the legend, by default titled by the parameter shown by color, and the title."""
    ax.set(xlabel=names[0], ylabel=names[1])
    plain(ax)
    if ax.get_legend_handles_labels()[0]:
        put_legend(ax, legend or (groups.color or "").replace("_", " ") or None)
    shown = [groups.color] if groups.color else []
    ax.set_title(heading(result, groups.values, shown, notes), fontsize=10, x=title_center(ax))

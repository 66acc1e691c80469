"""Groups of runs that a figure of curves or bars draws in one color each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sweep.errors import SweepError
from sweep.figures.axis import heading
from sweep.figures.canvas import put_legend, title_center
from sweep.figures.channels import MAX_LINES
from sweep.figures.panels import NAMED_COLORS, line_styles
from sweep.results.answers import check_has_criterion, check_swept
from sweep.results.result import Result
from sweep.statistics.cells import cells_of
from sweep.study.columns import STATUSES
from sweep.study.selection import At, Values, cells_at, values_at
from sweep.system.formatting import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BLUE, _RED, _, _PINK, _, _, _AMBER = NAMED_COLORS
STATUS_COLORS = dict(zip(STATUSES, (_BLUE, _RED, _PINK, "0.55", _AMBER), strict=True))


class Shown(NamedTuple):
    """What a figure shows by color, if anything, and the selected values of each swept parameter."""

    color: str | None
    values: Values


def usual_color(values: Values, but: str | None = None) -> str | None:
    """Return the parameter with the most values, up to 12, that a figure shows by color; ``but`` only if none else."""
    fit = [name for name, entries in values.items() if 1 < len(entries) <= MAX_LINES]
    fit = [name for name in fit if name != but] or fit
    return max(fit, key=lambda name: len(values[name])) if fit else None


def styles_of(color: str, values: Values) -> dict[Any, dict[str, Any]]:
    """Return the style of each value of a parameter; SweepError if there are more than 12."""
    entries = values[color]
    if len(entries) > MAX_LINES:
        raise SweepError(
            f"color {color} has {len(entries)} values and a figure shows {MAX_LINES} lines at most; pick some of them "
            f"with --at {color}=VALUE,VALUE"
        )
    return line_styles(entries)


class Groups:
    """Tallies of runs by the values of a parameter; iterating yields the tally and the style of each color.

    Attributes
    ----------
    color : str or None
        The parameter that is shown by color.
    cells : (cells,)
        Numbers of the cells that are drawn.
    tally : DataFrame
        The tally of all of their runs.
    values : dict
        The selected values of each swept parameter.

    Raises
    ------
    SweepError
        If a name or a value is unknown, there is no criterion, no run is trained at these values, or the color has
        more than 12 values.
    """

    def __init__(
        self, result: Result, color: str | None, at: At | None, *, colored: bool = True, but: str | None = None
    ) -> None:
        """Choose by default the parameter with the most values, up to 12; ``but`` only if there is no other."""
        check_has_criterion(result.study)
        self.values = values_at(result.study, at)
        if color is not None:
            check_swept(result.study, [color])
        self.color = color or (usual_color(self.values, but) if colored else None)
        grid = result.study.grid
        tally = result.pooled_tally
        self.cells = cells_at(cells_of(grid), self.values)["cell"].to_numpy()
        self.tally = tally[tally["cell"].isin(self.cells)]
        if self.tally.empty:
            raise SweepError("no run is trained yet at these values; run the same study again to go on")
        if self.color is not None:
            self._styles = styles_of(self.color, self.values)
            self._entries = grid.column(self.color, self.tally["cell"].to_numpy())

    def __iter__(self) -> Any:
        """Yield the tally and the style of each color."""
        if self.color is None:
            yield self.tally, {"color": NAMED_COLORS[0]}
            return
        for entry, style in self._styles.items():
            tally = self.tally[self._entries == entry]
            if len(tally):
                yield tally, {**style, "label": short(entry)}


def finish(
    ax: Axes,
    result: Result,
    groups: Groups | Shown,
    names: tuple[str, str],
    *,
    legend: str | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Write labels of the axes, legend and title.

    Parameters
    ----------
    ax, result, groups
        The axes, and the groups of the result that they show.
    names
        Labels of the horizontal and the vertical axis.
    legend
        Title of the legend; by default the parameter that is shown by color.
    notes
        More lines of the title.
    """
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.grid(alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)
    if ax.get_legend_handles_labels()[0]:
        put_legend(ax, legend or (groups.color or "").replace("_", " ") or None)
    shown = [groups.color] if groups.color else []
    ax.set_title(heading(result, groups.values, shown, notes), fontsize=10, x=title_center(ax))

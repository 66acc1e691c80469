"""The figure of a benchmark."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.bench.measurement import Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def kinds(comparisons: Iterable[Comparison]) -> list[str]:
    """Return the kinds of case that were measured, in order: cases that differ only in size are of one kind."""
    return list(dict.fromkeys(c.case.title for c in comparisons))


def draw(comparisons: list[Comparison], path: Path) -> None:
    """Draw the speed of xor-sweep divided by that of each peer, in one panel for each kind of case.

    There is at least one comparison; the suffix of the file decides the format.
    """
    from matplotlib.figure import Figure

    panels = kinds(comparisons)
    chosen = [[c for c in comparisons if c.case.title == title] for title in panels]
    heights = [1.0 + 0.45 * len({c.title for c in panel}) for panel in chosen]
    figure = Figure(figsize=(8, sum(heights) + 0.6), layout="constrained")
    all_axes = figure.subplots(len(panels), squeeze=False, height_ratios=heights, sharex=True)[:, 0]
    for axes, title, panel in zip(all_axes, panels, chosen, strict=True):
        _draw_panel(axes, panel)
        axes.set_title(title, fontsize=10)
    all_axes[-1].set_xlabel("speed of xor-sweep / speed of the peer (median and range of interleaved pairs)")
    figure.savefig(path, dpi=150)


def _draw_panel(axes: Axes, comparisons: list[Comparison]) -> None:
    """Draw one row for each peer, with a bar for each hidden size."""
    rows = [c.summary() for c in comparisons]
    sizes = list(dict.fromkeys(row["hidden"] for row in rows))
    titles = list(dict.fromkeys(row["title"] for row in rows))
    thickness = 0.8 / len(sizes)
    for k, size in enumerate(sizes):
        shown = [row for row in rows if row["hidden"] == size]
        places = [titles.index(row["title"]) + (k - (len(sizes) - 1) / 2) * thickness for row in shown]
        ratios = [row["ratio"] for row in shown]
        below = [row["ratio"] - row["ratio_low"] for row in shown]
        above = [row["ratio_high"] - row["ratio"] for row in shown]
        style = {"elinewidth": 0.8, "ecolor": "0.3"}
        axes.barh(
            places, ratios, 0.92 * thickness, xerr=(below, above), label=f"hidden {size}", color=f"C{k}", error_kw=style
        )
        for place, row in zip(places, shown, strict=True):
            axes.text(row["ratio_high"] * 1.08, place, f"{row['ratio']:,.3g}", va="center", fontsize=6)
    axes.axvline(1, color="0.3", linewidth=0.8)
    axes.set_yticks(range(len(titles)), titles)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.margins(x=0.1)
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)

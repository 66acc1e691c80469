"""Draw what a benchmark found."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.bench.measure import Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def kinds(comparisons: Iterable[Comparison]) -> list[tuple[str, str]]:
    """Return the pairs of dtype and activation that were measured, in order."""
    return list(dict.fromkeys((c.case.dtype, c.case.activation) for c in comparisons))


def draw(comparisons: list[Comparison], path: Path) -> None:
    """Draw rates as bars on a logarithmic axis, a panel for each dtype and activation.

    Parameters
    ----------
    comparisons
        At least one.
    path
        File to write; its suffix decides the format.
    """
    from matplotlib.figure import Figure

    panels = kinds(comparisons)
    chosen = [[c for c in comparisons if (c.case.dtype, c.case.activation) == kind] for kind in panels]
    heights = [1.2 + 0.4 * len({c.title for c in panel}) for panel in chosen]
    figure = Figure(figsize=(8, sum(heights) + 0.4), layout="constrained")
    all_axes = figure.subplots(len(panels), squeeze=False, height_ratios=heights)[:, 0]
    for axes, (dtype, activation), panel in zip(all_axes, panels, chosen, strict=True):
        _draw_panel(axes, panel)
        axes.set_title(f"{activation}, {dtype}", fontsize=10)
    all_axes[-1].set_xlabel("million network-steps a second")
    figure.savefig(path, dpi=150)


def _draw_panel(axes: Axes, comparisons: list[Comparison]) -> None:
    """Draw peers down, a bar for each hidden size, xor-sweep on top."""
    rows = [c.summary() for c in comparisons]
    sizes = sorted({row["hidden"] for row in rows})
    titles = ["xor-sweep", *dict.fromkeys(row["title"] for row in rows)]
    thickness = 0.8 / len(sizes)
    for k, size in enumerate(sizes):
        own = max(row["own_rate"] for row in rows if row["hidden"] == size)
        rates = {row["title"]: row["rate"] for row in rows if row["hidden"] == size} | {"xor-sweep": own}
        shown = [n for n, title in enumerate(titles) if title in rates]
        places = [n + (k - (len(sizes) - 1) / 2) * thickness for n in shown]
        values = [rates[titles[n]] / 1e6 for n in shown]
        bars = axes.barh(places, values, 0.92 * thickness, label=f"hidden {size}", color=f"C{k}")
        axes.bar_label(bars, [f"{value:,.3g}" for value in values], padding=2, fontsize=6)
    axes.set_yticks(range(len(titles)), titles)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.margins(x=0.12)
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)

"""Figures of a report, as SVG elements of the page."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

from sweep.analysis.importance import LEAST_SEEDS
from sweep.errors import StoreError, SweepError
from sweep.figures import draw
from sweep.figures.colors import MISSING, PAPER
from sweep.results.answers import has_criterion, swept
from sweep.results.result import Result

# Smallest text in a figure, in pixels: narrow screens scroll the figure instead of scaling it further.
_LEAST_LETTERS = 7.0
# A wider figure, in points, takes the full width of the page.
_WIDE = 620
# Foreground and background become colors of the page, so that figures follow its dark mode.
_PAINTS = {"#000000": "currentColor", MISSING: "var(--missing)", PAPER: "var(--page)"}
_STYLE: dict[str, Any] = {
    **{"svg.fonttype": "none", "font.family": "sans-serif"},
    **{"figure.facecolor": "none", "savefig.facecolor": "none", "axes.facecolor": "none"},
}

# Kinds of figures with their options and captions.
_FIGURES: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("heatmap", {}, "Share of runs that converged"),
    ("heatmap", {"value": "steps_q50"}, "Median steps to converge"),
    ("lines", {}, "Share of runs that converged, with 95 % intervals"),
    ("incidence", {}, "Cumulative incidence of convergence"),
    ("importance", {}, "What explains the variance between runs"),
    ("slice", {}, "One parameter at a time"),
    ("parallel", {}, "All cells in parallel coordinates"),
    ("loss", {}, "Final loss against initial loss"),
)
# Figures of studies with recorded learning curves, and of studies without a criterion.
_OF_CURVES: tuple[tuple[str, dict[str, Any], str], ...] = (("curves", {}, "Training loss, medians and quartiles"),)
_OF_LOSSES: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("heatmap", {}, "Median final loss"),
    ("lines", {}, "Median final loss, with 95 % intervals"),
    ("slice", {}, "One parameter at a time"),
    ("parallel", {}, "All cells in parallel coordinates"),
    ("loss", {}, "Final loss against initial loss"),
)
# Figures that need counts of runs, and the least number of swept parameters that a kind needs.
_OF_COUNTS = ("incidence", "steps")
_LEAST_VARIED = {"heatmap": 2, "lines": 1, "importance": 1, "slice": 2, "parallel": 3}


def report_figures(result: Result) -> list[dict[str, str]]:
    """Return the figures of a result, each a dict of ``title``, ``svg``, and ``wide`` (a CSS class)."""
    n_varied = len(swept(result.study))
    figures = _FIGURES if has_criterion(result.study) else _OF_LOSSES
    if result.study.record.curves and result.complete:
        figures += _OF_CURVES
    found = []
    for number, (kind, options, title) in enumerate(figures):
        if n_varied < _LEAST_VARIED.get(kind, 0) or (kind == "loss" and not result.keeps_runs):
            continue
        few = not result.complete or result.study.seeds.count < LEAST_SEEDS  # to estimate importance
        if (kind == "importance" and few) or (kind in _OF_COUNTS and not result.has_parts):
            continue
        try:
            svg, across = _svg(result, kind, options, f"{kind}{number}", title)
            found.append({"title": title, "svg": svg, "wide": "wide" if across > _WIDE else ""})
        except StoreError:
            raise
        except SweepError:  # this kind cannot show the study, for example because of too many lines
            continue
    return found


def _svg(result: Result, kind: str, options: dict[str, Any], salt: str, title: str) -> tuple[str, float]:
    """Return a figure as an SVG element, and its width in points.

    Text stays text, and ``title`` is the accessible name. Identifiers contain ``salt``, so that no two figures share
    one.
    """
    import matplotlib as mpl
    from matplotlib.text import Text

    drawn = StringIO()
    with mpl.rc_context({**_STYLE, "svg.hashsalt": salt}):
        figure = draw(result, kind, **options)
        figure.savefig(drawn, format="svg", dpi=110, metadata={"Date": None, "Creator": None})
    across = 72 * float(figure.get_figwidth())
    letters = min(float(text.get_fontsize()) for text in figure.findobj(Text) if text.get_text() and text.get_visible())
    element = drawn.getvalue()
    element = element[element.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, count=1, flags=re.DOTALL)
    for paint, of_page in _PAINTS.items():
        element = element.replace(paint, of_page)
    least = round(across * _LEAST_LETTERS / letters)
    element = element.replace("<svg", f'<svg role="img" aria-label="{title}" style="min-width: {least}px"', 1)
    for side in ("width", "height"):  # the page sets the size
        element = re.sub(rf'(<svg[^>]*?) {side}="[^"]*"', r"\1", element, count=1)
    return re.sub(r'\bid="((?!C\d)[A-Za-z][\w.]*_\d+)"', rf'id="{salt}-\1"', element), across

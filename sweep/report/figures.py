"""Figures of a report, as SVG elements of the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import StringIO
from typing import Any

from sweep.figures import KINDS, draw
from sweep.figures.colors import MISSING, PAPER
from sweep.figures.figure_kind import Caption
from sweep.results.result import Result
from sweep.statistics.of_cells import main_statistic_of

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


def suitable_figures(result: Result) -> list[tuple[Caption, str]]:
    """Return the captions and kinds of figures that suit a result, in the order of the page."""
    suitable = [
        (caption, name)
        for name, kind in KINDS.items()
        if kind.captions and kind.refusal(kind.shown(result)) is None
        for caption in kind.captions
        if caption.suits(kind.shown(result))
    ]
    return sorted(suitable, key=lambda each: each[0].place)


def report_figures(result: Result) -> list[dict[str, str]]:
    """Return the figures of a result, each a dict of ``title``, ``svg``, and ``wide`` (a CSS class)."""
    measures = result.held_out
    headline = main_statistic_of(measures.reported) if measures else None
    found = []
    for number, (caption, kind) in enumerate(suitable_figures(result)):
        title, options = caption.title, dict(caption.options)
        if caption.held_out and headline:
            label = headline.label.removesuffix(", %")
            title = title.format(headline=label[:1].upper() + label[1:])
            if KINDS[kind].shows_statistics:
                options["value"] = headline.name
        svg, across = _svg(result, kind, options, f"{kind}{number}", title)
        found.append({"title": title, "svg": svg, "wide": "wide" if across > _WIDE else ""})
    return found


def _svg(result: Result, kind: str, options: Mapping[str, Any], salt: str, title: str) -> tuple[str, float]:
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

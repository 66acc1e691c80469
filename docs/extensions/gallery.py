"""Finds the figures of the gallery's examples: they do not belong to pyplot, where sphinx-gallery looks for them."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

_DPI = 120


def scrape_figures(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the figure that a block of code leaves in the name ``figure``, and return the lines that show it."""
    figure = block_vars["example_globals"].pop("figure", None)
    if not isinstance(figure, Figure):
        return ""
    path = next(block_vars["image_path_iterator"])
    figure.savefig(path, dpi=_DPI)
    return figure_rst([path], gallery_conf["src_dir"])

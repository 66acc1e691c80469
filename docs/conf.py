"""Configuration of the manual: ``make docs`` builds it with Sphinx."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "docs" / "extensions"), str(ROOT)]

import sweep  # noqa: E402
from sweep.explore.flight import write_page  # noqa: E402

project = "xor-sweep"
author = "The xor-sweep authors"
copyright = "The xor-sweep authors, MIT license"
release = version = sweep.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "reference",
    "links",
]
exclude_patterns = ["examples", "gallery", "reference/formats", "_templates", "upstream"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
smartquotes = False  # they turn the option --by into a dash and "by"
suppress_warnings = ["config.cache"]  # sphinx-gallery's settings hold functions

# Public objects are documented where users import them from.
autosummary_generate = True
autodoc_typehints = "none"  # numpydoc shows the types
numpydoc_show_class_members = False  # the template of classes has them in full

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "figures",
    "filename_pattern": r"plot_",
    "image_scrapers": ("gallery.scrape_figures",),
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "min_reported_time": 3600,
    "show_signature": False,
    "write_computation_times": False,
    "within_subsection_order": "FileNameSortKey",
}
# Figures do not belong to pyplot, so matplotlib cannot show them by itself in a process without a display.
warnings.filterwarnings("ignore", message=".*cannot be shown", category=UserWarning)

html_theme = "pydata_sphinx_theme"
html_title = "xor-sweep"
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["manual.css"]
html_js_files = ["manual.js"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
copybutton_exclude = ".linenos, .gp, .go"


def setup(app: Any) -> None:
    """Write the page of maps beside their tiles, once the static files are there."""
    app.connect("build-finished", lambda app, error: error or write_pages_of_maps(Path(app.outdir)), priority=100)


def write_pages_of_maps(out: Path) -> None:
    """Write the page of each map in the folder of static files."""
    for flight in (out / "_static" / "maps").glob("*/flight.json"):
        write_page(flight.parent)

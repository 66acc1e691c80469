"""Checks the links between the pages that were built: each target is a file, and has the place that is named."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sphinx.application import Sphinx
from sphinx.util.logging import getLogger

logger = getLogger(__name__)


class _Page(HTMLParser):
    """The links of a page, and the places in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places = {"", "top"}
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read a tag."""
        values = dict(attrs)
        self.links += [link for name in ("href", "src") if (link := values.get(name))]
        self.places |= {values.get("id") or ""}


def broken_links(folder: Path) -> Iterator[str]:
    """Yield the links of pages that lead nowhere."""
    pages = {path: _Page(path) for path in folder.rglob("*.html") if "_static" not in path.parts}
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                yield f"{path.relative_to(folder)}: {link}"
            elif target in pages and unquote(parts.fragment) not in pages[target].places:
                yield f"{path.relative_to(folder)}: {link} (no such place)"


def _check(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        for link in dict.fromkeys(broken_links(Path(app.outdir).resolve())):
            logger.warning("broken link in %s", link)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

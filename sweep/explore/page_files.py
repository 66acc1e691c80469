"""The files of the page, which the server answers and a flight holds."""

from __future__ import annotations

from pathlib import Path

_PAGE = Path(__file__).parent / "page"


def page_files(index: str, flight: str = "") -> dict[str, bytes]:
    """Return the files of the page by path. The page itself is at ``index``; a flight is read from a file.

    The page names all its modules, so that a browser requests them at once, not each after the one that imports it.
    """
    import xstatic.pkg.leaflet

    own = [path for path in sorted(_PAGE.iterdir()) if path.suffix in (".js", ".css")]
    leaflet = [Path(xstatic.pkg.leaflet.BASE_DIR, name) for name in ("leaflet.js", "leaflet.css")]
    files = {
        f"{folder}/{path.name}": path.read_bytes()
        for folder, paths in (("page", own), ("leaflet", leaflet))
        for path in paths
    }
    preloads = "".join(f'<link rel="modulepreload" href="page/{path.name}">\n' for path in own if path.suffix == ".js")
    text = (_PAGE / "explore.html").read_text("utf-8").replace("<title>", f"{preloads}<title>")
    if flight:
        text = text.replace("<body>", f'<body data-flight="{flight}">')
    return {index: text.encode(), **files}

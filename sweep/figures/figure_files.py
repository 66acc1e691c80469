"""Files of figures."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.errors import SweepError
from sweep.store.contents import figure_title
from sweep.system.atomic_files import check_parent, replace_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# Formats that need other programs or are not images.
_UNUSABLE = ("pgf", "raw", "rgba")


def figure_path(out: Path, name: str) -> Path:
    """Return the file of a figure: ``out``, or a PNG file of this name in that folder; refuse other formats."""
    from matplotlib.figure import Figure

    path = out / f"{name}.png" if os.path.isdir(out) else out
    known = sorted(f".{suffix}" for suffix in Figure().canvas.get_supported_filetypes() if suffix not in _UNUSABLE)
    if path.suffix.lower() not in known:
        raise SweepError(
            f"figure: must be a folder or a file with one of the suffixes {', '.join(known)}, got {str(out)!r}"
        )
    check_parent(path)
    return path


def save_figure(figure: Figure, path: Path, name: str = "") -> None:
    """Write a figure atomically; the suffix decides the format.

    ``name`` is that of the file if the program chooses it. It is also written into PNG files, so that
    :func:`sweep.store.contents.remove_results` knows them from files of users.
    """
    drawn = BytesIO()
    form = path.suffix[1:].lower()
    figure.savefig(
        drawn, format=form, dpi=160, metadata={"Title": figure_title(name)} if form == "png" and name else None
    )
    try:
        replace_file(path, drawn.getvalue())
    except OSError as error:
        raise SweepError(f"figure {str(path)!r} cannot be written: {error.strerror}") from None

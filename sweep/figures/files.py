"""Files of figures."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.errors import SweepError
from sweep.system.atomic_files import check_parent, replace_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# Formats that need other programs or are not images.
_UNUSABLE = ("pgf", "raw", "rgba")


def figure_path(out: Path, statistic: str) -> Path:
    """Return the file of a figure: ``out``, or a PNG file in it if it is a folder.

    Raises
    ------
    SweepError
        If the format of the suffix is not supported, or the folder does not exist.
    """
    from matplotlib.figure import Figure

    path = out / f"{statistic}.png" if os.path.isdir(out) else out
    known = sorted(f".{suffix}" for suffix in Figure().canvas.get_supported_filetypes() if suffix not in _UNUSABLE)
    if path.suffix.lower() not in known:
        raise SweepError(
            f"figure: must be a folder or a file with one of the suffixes {', '.join(known)}, got {str(out)!r}"
        )
    check_parent(path)
    return path


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure atomically; the suffix decides the format.

    Raises
    ------
    SweepError
        If the file cannot be written.
    """
    drawn = BytesIO()
    figure.savefig(drawn, format=path.suffix[1:].lower(), dpi=160)
    try:
        replace_file(path, drawn.getvalue())
    except OSError as error:
        raise SweepError(f"figure {str(path)!r} cannot be written: {error.strerror}") from None

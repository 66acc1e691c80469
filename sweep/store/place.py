"""Where a results folder lies, as users name it."""

from __future__ import annotations

from pathlib import Path

from sweep.paths import local_folder
from sweep.store.files import Files
from sweep.store.local import LocalFiles


def files_at(place: str | Path) -> Files:
    """Return the files of a results folder.

    Parameters
    ----------
    place
        Path of a folder, which need not exist yet.

    Raises
    ------
    StoreError
        If that cannot be a results folder.
    """
    return LocalFiles(local_folder(place))

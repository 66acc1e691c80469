"""Where a results folder lies: a local path or an address."""

from __future__ import annotations

from pathlib import Path

from sweep.errors import StoreError, shown
from sweep.store.files import Files
from sweep.store.local import LocalFiles
from sweep.system.user_paths import address_of


def files_at(place: str | Path) -> Files:
    """Return the files of a results folder, which need not exist, from its path or address s3://BUCKET/PREFIX."""
    address = address_of(place)
    if address is None:
        return LocalFiles(Path(place))
    scheme, location = address
    if scheme.lower() != "s3":
        raise StoreError(
            f"results folder: must be a local path or s3://BUCKET/PREFIX, got {shown('://'.join(address))}"
        )
    from sweep.store.objects import ObjectFiles

    return ObjectFiles(location)

"""Custom components for tests of sweep, registered only in this process during a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from kernels.custom import registry
from sweep import load_plugin, measures

FILE = Path(__file__).parents[1] / "kernels" / "custom_components.py"


@contextmanager
def only_plugins(*files: Path) -> Iterator[None]:
    """Register only the components of these files, as in a new process, and forget measures of studies afterwards."""
    groups = [measures.MEASURES, measures.RECORDED, measures.ORDERED]
    before = [dict(group) for group in groups]
    try:
        with mock.patch.object(registry, "_BY_NAME", {}), mock.patch.object(registry, "_BY_KEY", {}):
            for file in files:
                load_plugin(file)
            yield
    finally:
        for group, known in zip(groups, before, strict=True):
            group.clear()
            group.update(known)

"""Custom components for tests of sweep, registered only in this process during a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from kernels.custom import registry
from sweep import load_plugin, measures
from sweep.statistics import of_cells
from sweep.study import custom_statistics

FILE = Path(__file__).parents[1] / "kernels" / "custom_components.py"


@contextmanager
def only_plugins(*files: Path) -> Iterator[None]:
    """Register only what these files declare, as in a new process, and forget measures and statistics afterward."""
    groups = [measures.MEASURES, measures.RECORDED, measures.ORDERED]
    before = [dict(group) for group in groups]
    try:
        with (
            mock.patch.object(registry, "_BY_NAME", {}),
            mock.patch.object(registry, "_BY_KEY", {}),
            mock.patch.dict(of_cells.NAMED),
            mock.patch.dict(custom_statistics.DECLARED),
        ):
            for file in files:
                load_plugin(file)
            yield
    finally:
        of_cells._of_all.cache_clear()
        for group, known in zip(groups, before, strict=True):
            group.clear()
            group.update(known)

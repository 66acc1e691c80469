"""Custom components for tests of sweep, registered only in this process during a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from kernels.custom import registry
from sweep import load_plugin

FILE = Path(__file__).parents[1] / "kernels" / "custom_components.py"


@contextmanager
def only_plugins(*files: Path) -> Iterator[None]:
    """Register only the components of these files, as in a new process."""
    with mock.patch.object(registry, "_BY_NAME", {}), mock.patch.object(registry, "_BY_KEY", {}):
        for file in files:
            load_plugin(file)
        yield

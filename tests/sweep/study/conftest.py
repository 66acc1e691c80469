"""A study file that tests of loading and changing studies share."""

from __future__ import annotations

from pathlib import Path

import pytest

TEXT = """
name = "mine"
[data]
task = "xor"
[network]
bias = false
[training]
learning_rate = 0.1
[parameters]
hidden = { values = [2, 4] }
[seeds]
count = 10
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write a study file."""
    path = tmp_path / "mine.toml"
    path.write_text(TEXT)
    return path

"""Settings of all tests of sweep, and the folder that tests of the command line work in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# The same hypothesis examples in every session, however slow the machine.
settings.register_profile("sweep", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("sweep")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that holds a study file and nothing else."""
    from tests.sweep.support import STUDY_TEXT  # not before coverage sees what it imports

    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(STUDY_TEXT)
    return tmp_path

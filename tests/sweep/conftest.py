"""Settings of all tests of sweep, and the folder that tests of the command line work in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.sweep.fault_lab import Lab

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


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start a process whose forks run a small study, with faults, in no time."""
    from tests.sweep.fault_lab import SHARD_RUNS, STUDY, Lab  # not before coverage sees what it imports
    from tests.sweep.fault_runs import Zygote
    from tests.sweep.support import write_study

    place = tmp_path_factory.mktemp("lab")
    with Zygote(write_study(place / "study.toml", STUDY), SHARD_RUNS) as zygote:
        yield Lab(zygote, place)

"""On a file system without locks, a run whose folder is overwritten ends with one sentence."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from unittest import mock

import pytest

import sweep
from sweep import StoreError, open_result
from sweep.schedule.part import Part
from sweep.schedule.plan import Plan
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.part_result import PartResult
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import make_study

STUDY = make_study(count=10, name="mine")
OTHER = make_study(count=10, name="other", scale=2.0)
PART_RUNS = 4
N_PARTS = Plan(STUDY, PART_RUNS).n_parts
NO_LOCKS = OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 5, N_PARTS - 1])
def test_folder_overwritten_without_locks(tmp_path: Path, after: int) -> None:
    """A study that loses its folder ends with one sentence, and never with rows of the other study."""
    out, train, trained = tmp_path / "r", PartTrainer.train, []

    def watched(worker: PartTrainer, part: Part) -> PartResult:
        trained.append(part.index)
        if len(trained) == after + 1:
            with mock.patch.object(PartTrainer, "train", train):
                run_in_parts(OTHER, out=out, overwrite=True, part_runs=PART_RUNS)
        return train(worker, part)

    with (
        mock.patch("fcntl.flock", side_effect=NO_LOCKS),
        mock.patch.object(PartTrainer, "train", watched),
        pytest.raises(StoreError, match=r"another study"),
    ):
        run_in_parts(STUDY, out=out, threads=1, part_runs=PART_RUNS)
    assert open_result(out).facts["digest"] == sweep.run(OTHER).facts["digest"]


@pytest.mark.slow
def test_same_study_started_over_without_locks(tmp_path: Path) -> None:
    """A run whose commits another run has removed does not complete the result."""
    out, train, trained = tmp_path / "r", PartTrainer.train, []

    def watched(worker: PartTrainer, part: Part) -> PartResult:
        trained.append(part.index)
        if len(trained) == 4:
            with mock.patch.object(PartTrainer, "train", train):
                run_in_parts(STUDY, out=out, keep="cells", overwrite=True, max_runs=1, part_runs=PART_RUNS)
        return train(worker, part)

    with mock.patch("fcntl.flock", side_effect=NO_LOCKS):
        with mock.patch.object(PartTrainer, "train", watched), pytest.raises(StoreError, match="removed the results"):
            run_in_parts(STUDY, out=out, keep="cells", threads=1, part_runs=PART_RUNS)
        result = run_in_parts(STUDY, out=out, keep="cells", part_runs=PART_RUNS)
    assert result.facts["digest"] == sweep.run(STUDY, keep="cells").facts["digest"]
    assert sweep.verify(out).intact

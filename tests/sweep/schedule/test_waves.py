"""Results record their waves of seeds, and continue with them, also if another plan would now have others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import sweep
from sweep import StoreError
from sweep.schedule.plan import Plan
from sweep.store.bits import own_bits
from sweep.store.claim import FolderRequest, claim
from sweep.store.local import LocalFiles
from sweep.training.networks.part_trainer import PartTrainer
from sweep.verification.repair import repair
from tests.sweep.support import copy_result, make_study, tree

pytestmark = [pytest.mark.slow, pytest.mark.compiled]

STUDY = make_study(count=400, learning_rate=[0.2, 0.05], hidden=[3, 2, 5], max_steps=5000, criterion="none")
WAVES = Plan(STUDY).waves


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the finished study; tests must not change it."""
    folder = tmp_path_factory.mktemp("whole") / "r"
    sweep.run(STUDY, out=folder)
    return folder


def facts_of(folder: Path) -> dict[str, Any]:
    """Read run.json."""
    return dict(json.loads((folder / "run.json").read_text()))


def begin_in_one_wave(folder: Path, n_parts: int, keep: str = "runs") -> None:
    """Start a results folder with one wave."""
    plan = Plan(STUDY, waves=STUDY.seeds.rounds)
    with claim(LocalFiles(folder), FolderRequest(STUDY, keep, False, own_bits(), plan.waves)) as store:
        for index in list(plan.parts.order())[:n_parts]:
            store.write_part(PartTrainer(plan).train(plan.part(index)), session="s", begin=0.0, end=1.0)


def test_waves_are_named(whole: Path) -> None:
    """A finished and an unfinished result record the waves of the plan."""
    assert len(WAVES) > 1
    assert facts_of(whole)["waves"] == list(WAVES)


@pytest.mark.parametrize("keep", ["runs", "cells"])
def test_other_waves_are_finished(whole: Path, tmp_path: Path, keep: Any) -> None:
    """A folder that was started with one wave can be read and finished with it, and has the same result."""
    begin_in_one_wave(tmp_path / "r", 3, keep)
    part = sweep.open_result(tmp_path / "r", partial=True)
    assert 0 < len(part.cells) <= STUDY.n_cells
    assert sweep.verify(tmp_path / "r").intact
    started = tree(tmp_path / "r" / "commits")
    result = sweep.run(STUDY, out=tmp_path / "r", keep=keep)
    assert started.items() <= tree(tmp_path / "r" / "commits").items()
    assert result.facts["digest"] == sweep.run(STUDY, keep=keep).facts["digest"]
    assert facts_of(tmp_path / "r")["waves"] == [400]
    assert sweep.verify(tmp_path / "r", sample=10 if keep == "runs" else 0).intact


def test_finished_results_in_other_waves(whole: Path, tmp_path: Path) -> None:
    """Rows, their replay and their reuse do not depend on the waves."""
    begin_in_one_wave(tmp_path / "r", 0)
    sweep.run(STUDY, out=tmp_path / "r")
    other, now = sweep.open_result(tmp_path / "r"), sweep.open_result(whole)
    assert other.runs().equals(now.runs())
    for run in (0, 399, 400, 1234, STUDY.n_runs - 1):
        assert sweep.trace(other, run).mismatches == {}
    grown = make_study(count=500, learning_rate=[0.2, 0.05], hidden=[3, 2, 5], max_steps=5000, criterion="none")
    digests = {sweep.run(grown, reuse=[place]).facts["digest"] for place in (tmp_path / "r", whole)}
    assert digests == {sweep.run(grown).facts["digest"]}


def test_waves_are_restored(whole: Path, tmp_path: Path) -> None:
    """If run.json is lost, repair restores the same digest."""
    folder = copy_result(whole, tmp_path / "r")
    digest = facts_of(folder)["digest"]
    (folder / "run.json").unlink()
    repair(folder)
    assert facts_of(folder)["digest"] == digest


def test_other_waves_are_not_merged(whole: Path, tmp_path: Path) -> None:
    """Shards of a study are merged only if they have the same waves."""
    begin_in_one_wave(tmp_path / "a", 1)
    sweep.run(STUDY, out=tmp_path / "b", max_runs=1)
    with pytest.raises(StoreError, match="other waves"):
        sweep.merge([tmp_path / "a", tmp_path / "b"], out=tmp_path / "m")
    begin_in_one_wave(tmp_path / "c", 2)
    assert not sweep.merge([tmp_path / "a", tmp_path / "c"], out=tmp_path / "m").complete
    result = sweep.run(STUDY, out=tmp_path / "m")
    assert result.facts["digest"] == facts_of(whole)["digest"]

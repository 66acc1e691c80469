"""Rows of two machines or versions never form one result, even if no lock keeps the runs apart."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import sweep
from sweep import StoreError, Study, open_result
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from sweep.store.bits import compared
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.part_result import PartResult
from tests.sweep.in_parts import run_in_parts
from tests.sweep.records import rewrite
from tests.sweep.support import assert_refused, command, copy_result, make_study, training_watched, write_study

pytestmark = pytest.mark.slow

STUDY = make_study(count=10, name="mine", distribution="normal")
PART_RUNS = 4
N_PARTS = Plan(STUDY, PART_RUNS).n_parts
NO_LOCKS = OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
OTHER = {"numerics_version": 1000, "log_digest": "0" * 64, "sources_digest": "f" * 64, "pcg64_digest": "1" * 64}


@contextmanager
def elsewhere(name: str) -> Iterator[None]:
    """Act as a machine or version that differs in one fact."""
    other: Any = OTHER[name]
    places = {"numerics_version": "kernels.NUMERICS", "sources_digest": "sweep.store.bits.sources_digest"}
    with mock.patch(
        places.get(name, f"sweep.system.host.{name}"), other if name == "numerics_version" else lambda: other
    ):
        yield


def run(out: Path, study: Study = STUDY, **arguments: Any) -> sweep.Result:
    return run_in_parts(study, out=out, threads=1, part_runs=PART_RUNS, **arguments)


def race(out: Path, name: str, **arguments: Any) -> None:
    """Train on one machine and meanwhile start over on another, without locks."""
    train, trained = PartTrainer.train, []

    def watched(worker: PartTrainer, part: Part) -> PartResult:
        trained.append(part.index)
        if len(trained) == 4:
            with mock.patch.object(PartTrainer, "train", train), elsewhere(name):
                run(out, overwrite=True, **arguments)
        return train(worker, part)

    with (
        mock.patch("fcntl.flock", side_effect=NO_LOCKS),
        mock.patch("secrets.SystemRandom.shuffle"),  # so that both take parts in the same order
        mock.patch.object(PartTrainer, "train", watched),
    ):
        run(out, keep=arguments.get("keep", "runs"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished study, not to be changed."""
    folder = tmp_path_factory.mktemp("whole") / "r"
    run(folder)
    return folder


@pytest.fixture(scope="module")
def expected(whole: Path) -> str:
    """Return the digest of the study."""
    return str(open_result(whole).facts["digest"])


@pytest.mark.parametrize("keep", ["runs", "cells"])
@pytest.mark.parametrize("name", compared(STUDY))
def test_started_over_on_another_machine(tmp_path: Path, expected: str, name: str, keep: Any) -> None:
    """Every reader refuses the mixture, and it never becomes a result until a repair trains it again."""
    out = tmp_path / "r"
    with pytest.raises(StoreError, match=f"mix two trainings: {name} is '.*' in this run and '"):
        race(out, name, max_runs=1, keep=keep)
    assert not json.loads((out / "run.json").read_text())["complete"]
    with elsewhere(name):
        for read in (lambda: open_result(out, partial=True), lambda: run(out, keep=keep)):
            with pytest.raises(StoreError, match=r"mix two trainings.*--repair.*--overwrite"):
                read()
        other = copy_result(out, tmp_path / "other")
        for words in (("show", out), ("report", out), ("figure", out), ("merge", out, other, "--out", tmp_path / "m")):
            assert_refused(command(*words), ("mix two trainings", name, str(OTHER[name])[:12], "commit of"))
    checked = command("verify", out)
    assert checked.code == 1
    assert "damaged: results in" in checked.out
    assert name in checked.out
    with pytest.raises(StoreError, match="start over with --overwrite"):
        sweep.repair(out)  # what is to be trained again is not of this machine
    with elsewhere(name):
        with training_watched() as trained:
            sweep.repair(out)
        assert len(trained) == N_PARTS - 3  # what the first machine wrote after the other one had restarted
        assert sweep.verify(out).intact
        result = run(out, keep=keep)
    assert result.facts["digest"] == (expected if keep == "runs" else sweep.run(STUDY, keep="cells").facts["digest"])
    assert result.facts[name] == OTHER[name]


def test_finished_meanwhile_on_another_machine(tmp_path: Path, expected: str) -> None:
    """A run does not adopt parts that another machine has trained."""
    out = tmp_path / "r"
    with pytest.raises(StoreError, match="started the study over there"):
        race(out, "log_digest")
    result = open_result(out)
    assert (result.facts["digest"], result.facts["log_digest"]) == (expected, OTHER["log_digest"])
    assert sweep.verify(out).intact


def test_logarithms_do_not_matter_to_other_starts(tmp_path: Path) -> None:
    """Machines whose logarithms differ may share a study without normal initial weights."""
    study, out = make_study(count=10, distribution="uniform"), tmp_path / "r"
    run(out, study, max_runs=8)
    with elsewhere("log_digest"):
        run(out, study)
    assert len({json.loads(path.read_text())["log_digest"] for path in (out / "commits").iterdir()}) == 2
    assert open_result(out).facts["digest"] == sweep.run(study).facts["digest"]
    assert sweep.verify(out, sample=-1).intact


@pytest.mark.parametrize("generator", ["pcg64", "mt19937"])
def test_functions_behind_the_numbers_of_pcg64(tmp_path: Path, generator: str) -> None:
    """Normal initial weights of pcg64 are neither continued nor reused if log1p or exp differs; others are."""
    study, out = make_study(count=10, distribution="normal", generator=generator), tmp_path / "r"
    run(out, study, max_runs=8)
    with elsewhere("pcg64_digest"):
        if generator == "pcg64":
            with pytest.raises(StoreError, match=r"log1p\(\) or exp\(\) rounds differently"):
                run(out, study)
            with pytest.raises(StoreError, match=r"log1p\(\) or exp\(\) rounds differently"):
                run(tmp_path / "s", study, reuse=[out])
        else:
            run(out, study)
            assert open_result(out).facts["digest"] == sweep.run(study).facts["digest"]


def test_commit_that_came_from_another_result(whole: Path, tmp_path: Path) -> None:
    """A finished result with one commit of another training is refused although every checksum fits."""
    folder = copy_result(whole, tmp_path / "r")
    rewrite(folder / "commits" / "0000002.json", log_digest=OTHER["log_digest"])
    rewrite(folder / "commits" / "0000004.json", log_digest=OTHER["log_digest"])
    for words in (("show", folder), ("report", folder), ("trace", folder, "--run", 1)):
        assert_refused(command(*words), ("mix two trainings", "'000000000000' in the commit of part 2"))
    (fault,) = sweep.verify(folder).faults
    assert "mix two trainings, in 2 parts" in fault
    with training_watched() as trained:
        sweep.repair(folder)
    assert sorted(trained) == [2, 4]
    assert open_result(folder).facts["digest"] == open_result(whole).facts["digest"]


def test_resuming_with_other_sources(tmp_path: Path, expected: str) -> None:
    """Training is refused at the start. The rows can be verified, but not repaired."""
    out, file = tmp_path / "r", write_study(tmp_path / "mine.toml", STUDY)
    run(out, max_runs=8)
    damaged = copy_result(out, tmp_path / "damaged")
    next((damaged / "parts").iterdir()).unlink()
    with elsewhere("sources_digest"):
        assert_refused(
            command("run", file, "--out", out), ("sources of sweep's kernels", "ffffffffffff", "--overwrite")
        )
        assert sweep.verify(out, sample=5).n_retrained
        with pytest.raises(StoreError, match="with other sources of sweep's kernels"):
            sweep.repair(damaged)
    assert run(out).facts["digest"] == expected


def test_merging_and_reusing_rows_of_other_sources(tmp_path: Path, expected: str) -> None:
    """Parts of other sources are not merged; rows can be reused if ``numerics_version`` is the same."""
    run(tmp_path / "a", shard=(1, 2))
    with elsewhere("sources_digest"):
        run(tmp_path / "b", shard=(2, 2))
    with pytest.raises(StoreError, match=r"cannot be merged with .* trained with other sources of sweep's kernels"):
        sweep.merge([tmp_path / "a", tmp_path / "b"], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()
    with training_watched():
        grown = run(tmp_path / "c", reuse=[tmp_path / "a", tmp_path / "b"])
    assert grown.facts["digest"] == expected
    assert grown.facts["reused_steps"] == grown.facts["net_steps"]
    assert len({json.loads(path.read_text())["sources_digest"] for path in (tmp_path / "c" / "commits").iterdir()}) == 1

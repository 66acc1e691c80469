"""Adaptive seeds: cells are trained in rounds until their interval is narrow, with one result for all ways to run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep import Study, StudyError, open_result
from sweep.results.sentences import answer
from sweep.schedule.plan import Plan
from sweep.statistics.intervals import wilson_interval
from sweep.store.bits import BITS
from sweep.store.commits import decode_record, encode_record
from sweep.store.local import LocalFiles
from sweep.store.reader import StoreReader
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import (
    assert_refused,
    assert_same_table,
    command,
    copy_result,
    forge,
    make_study,
    parts_of,
    replace_value,
    training_watched,
    write_study,
)

OPTIONS: dict[str, Any] = {"hidden": [2, 4], "learning_rate": [0.05, 0.3, 30.0], "max_steps": 200, "threshold": 0.05}


def adaptive(width: float = 0.1, first: int = 20, count: int = 300) -> Study:
    """Return a study of six cells: some hardly ever converge, some often do."""
    return make_study(count=count, until={"width": width, "first": first}, **OPTIONS)


def expected_rows(study: Study) -> pd.DataFrame:
    """Return the rows that the rounds need, from a study that trains all seeds."""
    whole = sweep.run(make_study(count=study.seeds.count, **OPTIONS)).runs()
    assert study.seeds.until is not None
    kept = []
    for _, rows in whole.groupby("cell"):
        n = min(study.seeds.until.first, study.seeds.count)
        while n < study.seeds.count:
            k = np.array([(rows["status"][:n] == "converged").sum()])
            low, high = wilson_interval(k, np.array([n]))
            if high[0] - low[0] < study.seeds.until.width:
                break
            n = min(2 * n, study.seeds.count)
        kept.append(rows[:n])
    return pd.concat(kept, ignore_index=True)


@pytest.fixture(scope="module")
def whole() -> sweep.Result:
    """Train the study in memory."""
    return sweep.run(adaptive())


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return its finished results folder. Do not change it."""
    folder = tmp_path_factory.mktemp("pristine") / "r"
    run_in_parts(adaptive(), out=folder, part_runs=50)
    return folder


def test_rounds_double() -> None:
    """The total number of seeds doubles in each round, up to ``count``."""
    assert adaptive(first=20, count=300).seeds.rounds == [20, 20, 40, 80, 140]
    assert adaptive(first=100, count=100).seeds.rounds == [100]
    assert adaptive(first=500, count=100).seeds.rounds == [100]
    assert make_study(count=7).seeds.rounds == [7]


@pytest.mark.parametrize(("width", "first", "count"), [(0.1, 20, 300), (0.3, 7, 50), (0.01, 10, 30), (0.9, 1, 5)])
def test_rows_are_those_that_the_rounds_need(width: float, first: int, count: int) -> None:
    """Each cell has the seeds of its rounds, with the same rows as without rounds."""
    study = adaptive(width, first, count)
    result, expected = sweep.run(study), expected_rows(study)
    assert_same_table(result.runs(), expected)
    assert result.facts["n_runs"] == len(expected)
    assert list(result.cells["n_runs"]) == list(expected.groupby("cell").size())
    narrow = result.cells["convergence_rate_high"] - result.cells["convergence_rate_low"] < width
    assert (narrow | (result.cells["n_runs"] == count)).all()


@pytest.mark.parametrize(
    ("index", "keep"),
    [
        (0, "runs"),
        (7, "cells"),
        (-1, "runs"),
        *(pytest.param(*case, marks=pytest.mark.soak) for case in ((0, "cells"), (7, "runs"), (-1, "cells"))),
    ],
)
def test_verify_and_repair(tmp_path: Path, keep: Any, index: int) -> None:
    """Damage in any round is detected and repaired, and each cell has exactly the runs of its rounds."""
    out = tmp_path / "r"
    digest = run_in_parts(adaptive(), out=out, keep=keep, part_runs=50).facts["digest"]
    assert sweep.verify(out, sample=40).faults == []
    assert sweep.verify(out, sample=-1).faults == []
    part = parts_of(out)[index]
    part.write_bytes(part.read_bytes()[:-1])
    assert len(sweep.verify(out).faults) == 1
    with training_watched() as trained:
        sweep.repair(out)
    assert len(trained) == 1
    assert sweep.verify(out).faults == []
    assert open_result(out).facts["digest"] == digest


def unfinish(folder: Path) -> None:
    """Make a finished result look like that of a killed run."""
    facts = decode_record((folder / "run.json").read_bytes(), "run.json")
    started = {name: facts[name] for name in ("format", "identity", "keep", "waves", *BITS)}
    (folder / "run.json").write_bytes(encode_record({**started, "complete": False}))
    (folder / "cells.parquet").unlink()


@pytest.mark.parametrize("keep", ["runs", pytest.param("cells", marks=pytest.mark.soak)])
@pytest.mark.parametrize(("part_runs", "lost"), [(50, [1]), (50, [4]), (None, [0]), (None, [1, 2])])
def test_lost_commits_of_earlier_rounds(
    tmp_path: Path, whole: sweep.Result, keep: Any, part_runs: int | None, lost: list[int]
) -> None:
    """Later rounds are checked only after the earlier ones, which are repaired first."""
    out, study = tmp_path / "r", adaptive()
    digest = run_in_parts(study, out=out, keep=keep, part_runs=part_runs).facts["digest"]
    unfinish(out)
    for index in lost:
        (out / "commits" / f"{index:07d}.json").unlink()
    found = sweep.verify(out, sample=-1)
    (fault,) = found.faults
    assert "commits of earlier rounds are lost" in fault
    assert found.unchecked
    assert not found.bad_parts
    other = copy_result(out, tmp_path / "other")
    with training_watched() as trained:
        repaired = sweep.repair(out, threads=2)
    assert sorted(trained) == lost
    assert (repaired.faults, repaired.unchecked) == ([fault], [])
    assert sweep.verify(out, sample=-1).faults == []
    assert open_result(out).facts["digest"] == digest  # all is there, so it is finished too
    assert open_result(out).facts["n_runs"] == whole.facts["n_runs"]
    with training_watched() as trained:  # as is the other one by the same command
        assert run_in_parts(study, out=other, keep=keep, part_runs=part_runs).facts["digest"] == digest
    assert sorted(trained) == lost


def test_lost_run_json(pristine: Path, tmp_path: Path, whole: sweep.Result) -> None:
    """A finished result that has lost run.json and a commit of an earlier round is completed again."""
    out = copy_result(pristine, tmp_path / "r")
    (out / "run.json").unlink()
    (out / "commits" / "0000001.json").unlink()
    sweep.repair(out)
    assert sweep.verify(out, sample=-1).faults == []
    assert open_result(out).facts["digest"] == whole.facts["digest"]


def test_a_commit_that_was_made_while_commits_were_listed(
    pristine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An active run is not damage, although later commits may be listed before earlier ones."""
    out = copy_result(pristine, tmp_path / "r")
    unfinish(out)
    names, listed = LocalFiles.names, []

    def without_one_at_first(files: LocalFiles, folder: str = "") -> list[str]:
        listed.append(folder)
        return [name for name in names(files, folder) if name != "0000001.json" or listed.count("commits") > 1]

    monkeypatch.setattr(LocalFiles, "names", without_one_at_first)
    found = sweep.verify(out)
    assert (found.faults, found.unchecked, found.leftovers) == ([], [], [])


@pytest.mark.parametrize("finished", [True, False])
def test_faults_behind_faults(pristine: Path, tmp_path: Path, whole: sweep.Result, finished: bool) -> None:
    """Forged rows are detected in later rounds too, once earlier ones are repaired."""
    rows = whole.runs()
    early, late = int(rows["run"][0]), int(rows["run"][rows["seed"] >= 40].iloc[0])
    out = forge(
        pristine,
        tmp_path / "r",
        lambda table: replace_value(replace_value(table, early, "final_loss", 0.125), late, "final_loss", 0.125),
    )
    if not finished:
        facts = decode_record((pristine / "run.json").read_bytes(), "run.json")
        (out / "run.json").write_bytes(encode_record(facts))
        unfinish(out)
    found = sweep.verify(out, sample=-1)
    assert len(found.faults) == len(found.bad_parts) == 1
    assert found.unchecked
    repaired = sweep.repair(out, sample=-1)
    assert len(repaired.faults) >= 2
    assert sweep.verify(out, sample=-1).faults == []
    assert open_result(out).facts["digest"] == whole.facts["digest"]


@pytest.mark.parametrize("damaged", [None, 0, 7])
def test_parts_are_counted_once(
    pristine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: int | None
) -> None:
    """Parts are counted once for all threads and rounds, also with damage."""
    out = copy_result(pristine, tmp_path / "r")
    if damaged is not None:
        parts_of(out)[damaged].write_bytes(b"")
    unfinish(out)
    counted: list[int] = []
    tally = StoreReader.tally
    monkeypatch.setattr(StoreReader, "tally", lambda store, commit: counted.append(commit.part) or tally(store, commit))
    assert len(sweep.verify(out, threads=3).faults) == (damaged is not None)
    assert len(counted) == len(set(counted))


def test_cells_that_end_early_are_complete() -> None:
    """A cell whose interval becomes narrow early is ranked like those with all seeds."""
    until = {"width": 0.1, "first": 20}
    result = sweep.run(make_study(count=300, hidden=2, learning_rate=0.05, threshold=[0.05, 100.0], until=until))
    ranked = result.best()
    assert ranked["convergence_rate"].is_monotonic_decreasing
    assert ranked["n_runs"].iloc[0] < ranked["n_runs"].iloc[1]
    assert "best cell: threshold 100: 100.0 %" in "\n".join(answer(result))


def test_identity() -> None:
    """The option is part of the study, left out if not used, and can be read again."""
    assert adaptive().identity != adaptive(width=0.2).identity != make_study(count=300, **OPTIONS).identity
    assert "until" not in make_study().to_toml()
    assert Plan(adaptive()).n_runs == 6 * 300


@pytest.mark.wide
def test_commands(tmp_path: Path, whole: sweep.Result) -> None:
    """A study with `until` is run, planned and shown; shards and invalid values are refused."""
    file = write_study(tmp_path / "s.toml", adaptive())
    finished = command("run", file, "--out", tmp_path / "r")
    assert finished.code == 0
    assert f"digest {whole.facts['digest']}" in finished.out
    assert command("show", tmp_path / "r").code == 0
    unneeded = min(set(range(1800)) - set(whole.runs()["run"]))
    assert_refused(command("trace", tmp_path / "r", "--run", unneeded), (f"run {unneeded}", "no more seeds"))
    for words in (("best",), ("compare", "--vary", "hidden"), ("report",)):
        assert command(words[0], tmp_path / "r", *words[1:]).code == 0
    planned = command("plan", file).out
    assert "at most 1,800" in planned
    assert_refused(command("run", file, "--shard", "1/2"), ("seeds.until",))
    for change, word in (("{width=0}", "above 0"), ("{width=0.1,first=0}", "at least 1"), ("3", "table")):
        assert_refused(command("plan", file, "--set", f"until={change}"), (word, "seeds.until"))
    with pytest.raises(StudyError, match="needs a criterion, got 'none'"):
        Study(**{**adaptive().canonical(), "convergence": {"criterion": "none"}})

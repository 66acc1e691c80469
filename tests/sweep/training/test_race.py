"""Racing: seeds go to cells that may be the best, with one result for all ways to run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import sweep
from sweep import Study, StudyError, open_result
from sweep.analysis.study_race import race_of_tables
from tests.sweep.in_parts import run_in_parts
from tests.sweep.naive_race import Finish, naive_race
from tests.sweep.support import assert_refused, assert_same_table, command, make_study, parts_of, write_study

OPTIONS: dict[str, Any] = {"hidden": [2, 4], "learning_rate": [0.05, 0.3, 30.0], "max_steps": 60, "threshold": 0.3}
COUNT = 80
RACES: list[dict[str, Any]] = [
    {"best": "convergence_rate"},
    {"best": "rate", "confidence": 0.6, "margin": 0.4, "first": 10},
    {"best": "median_steps", "first": 7},
    {"best": "final_loss"},
    {"best": "final_loss", "margin": 1e-3},
    {"best": "n_correct", "confidence": 0.5},
    {"best": "n_correct", "compare": "wins"},
]


def racing(until: dict[str, Any] | None = None, **options: Any) -> Study:
    """Return a study of six cells that race."""
    tables = make_study(count=COUNT, until=until or RACES[0], **OPTIONS).canonical()
    return Study(**{**tables, **options})


def finish_of(study: Study, rows: pd.DataFrame) -> Finish:
    """Return how a race must end, from the rows of all seeds."""
    until = study.seeds.until
    assert until is not None
    assert until.confidence is not None
    converged = rows["status"] == "converged"
    values = {
        "rate": converged.astype(float),
        "convergence_rate": converged.astype(float),
        "median_steps": -rows["steps"].astype(float).where(converged, float("inf")),
        "final_loss": -rows["final_loss"],
        "n_correct": rows["n_correct"].astype(float),
    }[until.best or ""]
    by_wins = until.best in ("median_steps", "final_loss") or until.compare == "wins"
    scale = 4 if until.best == "n_correct" and not by_wins else 1
    cells = [[(values[rows["cell"] == cell] / scale).tolist()] for cell in range(study.n_cells)]
    margin = None if until.margin is None else until.margin / scale
    return naive_race(cells, study.seeds.rounds, until.confidence, by_wins=by_wins, margin=margin)


@pytest.fixture(scope="module")
def every_row() -> pd.DataFrame:
    """Train all seeds of all cells."""
    return sweep.run(make_study(count=COUNT, **OPTIONS)).runs()


@pytest.mark.parametrize("until", RACES, ids=str)
def test_rows_are_those_that_the_race_needs(until: dict[str, Any], every_row: pd.DataFrame) -> None:
    """Each cell has the seeds of its rounds, with the rows of a study that trains all seeds."""
    study = racing(until)
    result, finish = sweep.run(study), finish_of(study, every_row)
    expected = pd.concat([every_row[every_row["cell"] == k][:n] for k, n in enumerate(finish.n_seeds)])
    assert_same_table(result.runs(), expected.reset_index(drop=True))
    assert len(expected) < len(every_row) or until["best"] != "final_loss"
    race = race_of_tables(study, result.stored.tables()).race
    assert (race.left.tolist(), race.within_margin) == (finish.left, finish.within_margin)


def test_one_digest(tmp_path: Path) -> None:
    """Threads, parts, interruption and reuse do not change a race; damage is repaired."""
    study, out = racing(RACES[3]), tmp_path / "r"
    digest = sweep.run(study).facts["digest"]
    while not run_in_parts(study, out=out, part_runs=13, threads=2, max_runs=70).complete:
        pass
    assert open_result(out).facts["digest"] == digest
    assert sweep.verify(out, sample=-1).faults == []
    for index in (1, -1):
        part = parts_of(out)[index]
        part.write_bytes(part.read_bytes()[:-1])
    sweep.repair(out)
    assert sweep.verify(out, sample=-1).faults == []
    assert open_result(out).facts["digest"] == digest
    all_seeds = sweep.run(make_study(count=COUNT, **OPTIONS), out=tmp_path / "all")
    assert all_seeds.facts["n_runs"] == 6 * COUNT
    assert sweep.run(study, out=tmp_path / "reused", reuse=[tmp_path / "all"]).facts["digest"] == digest


@pytest.mark.parametrize(
    ("until", "words"),
    [
        ({"best": "nothing"}, "unknown statistic 'nothing'; known: rate, median_steps, final_loss"),
        ({"best": "test_loss"}, "final_loss, n_correct, max_error in this study, got 'test_loss'"),
        ({"best": "expected_steps"}, "must be one of rate, median_steps"),
        ({"best": "final_loss", "compare": "means"}, "compare: must be 'wins' with final_loss"),
        ({"best": "final_loss", "width": 0.1}, "either width or best, got both"),
        ({"first": 10}, "either width or best, got neither"),
        ({"width": 0.1, "margin": 0.1}, "margin has no effect without best"),
        ({"best": "final_loss", "confidence": 1.0}, "confidence"),
    ],
)
def test_refused(until: dict[str, Any], words: str) -> None:
    """Each fault is one sentence with the key."""
    with pytest.raises(StudyError, match=r"seeds\.until") as refused:
        racing(until)
    assert words in str(refused.value)


def test_what_cannot_race() -> None:
    """A single cell is refused, as are rates without a criterion and results that keep only counts."""
    with pytest.raises(StudyError, match="needs several cells, got one"):
        racing(parameters={}, network={"hidden": 2}, training={"learning_rate": 0.1, "max_steps": 9})
    with pytest.raises(StudyError, match=r"must be one of final_loss, n_correct, max_error in this study, got 'conv"):
        racing(convergence={"criterion": "none"})
    with pytest.raises(StudyError, match=r"keep: must be 'runs' with seeds\.until\.best"):
        sweep.run(racing(), keep="cells")


def test_identity() -> None:
    """The rule is part of the study; that of a width does not change."""
    assert "confidence = 0.95" in racing().to_toml()
    assert racing().identity != racing({"best": "convergence_rate", "margin": 0.1}).identity
    assert racing({"width": 0.1}).canonical()["seeds"]["until"] == {"width": 0.1, "first": 100}


@pytest.mark.wide
def test_commands(tmp_path: Path) -> None:
    """A race is planned, run and shown; shards are refused."""
    file = write_study(tmp_path / "s.toml", racing())
    planned = command("plan", file).out
    assert "20 at first, doubled while a cell may be the best by convergence_rate (95 % confidence)" in planned
    assert "at most 480" in planned
    assert command("run", file, "--out", tmp_path / "r").code == 0
    for words in (("show",), ("best",), ("compare", "--vary", "hidden"), ("report",)):
        assert command(words[0], tmp_path / "r", *words[1:]).code == 0
    pooled = "pooled over learning_rate on the seeds that all pooled cells share, so every cell has the same weight"
    assert pooled in command("compare", tmp_path / "r", "--vary", "hidden").out
    assert_refused(command("run", file, "--shard", "1/2"), ("seeds.until",))

"""Studies with axes of several options: rows equal those of single cells, however they are trained and stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sweep
from sweep import Study, SweepError
from sweep.analysis.compare import cells_by_value
from sweep.results.comparison import Pairing
from tests.sweep.support import assert_same_table

FIXED: dict[str, Any] = {"data": {"task": "xor"}, "training": {"max_steps": 60}, "convergence": {"threshold": 0.05}}
SEEDS = {"seeds": {"count": 12}}
STUDIES: dict[str, dict[str, Any]] = {
    "sample": {
        "samples": [{"count": 6, "seed": 2, "hidden": [2, 3], "learning_rate": {"geomspace": [0.05, 0.5]},
                     "scale": {"min": 0.5, "max": 1.5}}],
    },
    "grid": {
        "parameters": {"hidden": [2, 3], "scale": [0.5, 1.0], "learning_rate": [0.1, 0.2, 0.4]},
        "exclude": [{"hidden": 3, "learning_rate": {"min": 0.3}}],
    },
    "zip": {"parameters": {"scale": [0.5, 1.0]}, "zip": [{"hidden": [2, 3, 2], "learning_rate": [0.1, 0.2, 0.4]}]},
}  # fmt: skip


def make(name: str, **more: Any) -> Study:
    """Make one of the studies."""
    return Study(name=name, **FIXED, **STUDIES[name], **{**SEEDS, **more})


@pytest.fixture(scope="module", params=list(STUDIES))
def result(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> sweep.Result:
    """Return a result of one of the studies, in a folder."""
    return sweep.run(make(request.param), out=tmp_path_factory.mktemp("axes") / request.param, threads=2)


def test_rows_are_those_of_single_cells(result: sweep.Result) -> None:
    """A cell trained alone has the same rows."""
    study, runs = result.study, result.runs()
    own = ["seed", "status", "steps", "initial_loss", "final_loss", "n_correct", "max_error"]
    for number in range(study.n_cells):
        options = study.grid.values(number)
        alone = sweep.run(Study(**FIXED, **SEEDS, parameters={name: [value] for name, value in options.items()}))
        mine = runs[runs["cell"] == number].reset_index(drop=True)
        assert_same_table(mine[own], alone.runs()[own])
        assert all((mine[name] == value).all() for name, value in options.items())


def test_earlier_runs_are_reused(tmp_path: Path) -> None:
    """Cells of an earlier study are found by their values, in grids and in samples."""
    earlier = sweep.run(make("grid"), out=tmp_path / "grid")
    points = {"hidden": [3, 2, 3, 5], "learning_rate": [0.2, 0.4, 0.4, 0.1], "scale": [0.5, 1.0, 1.0, 0.5]}
    study = Study(**FIXED, **SEEDS, zip=[points])
    fresh = sweep.run(study)
    reused = sweep.run(study, out=tmp_path / "zip", reuse=[tmp_path / "grid"])
    assert reused.facts["digest"] == fresh.facts["digest"]
    taken = earlier.runs()
    taken = taken[(taken["hidden"] == 3) & (taken["learning_rate"] == 0.2) & (taken["scale"] == 0.5)]["steps"].sum()
    more = earlier.runs()
    more = more[(more["hidden"] == 2) & (more["learning_rate"] == 0.4) & (more["scale"] == 1.0)]["steps"].sum()
    assert reused.facts["reused_steps"] == taken + more
    back = sweep.run(make("grid"), out=tmp_path / "again", reuse=[tmp_path / "zip"])
    assert back.facts["digest"] == earlier.facts["digest"]


def test_values_are_compared_in_cells_that_differ_only_in_them() -> None:
    """Exclusions remove pairs; a sample has no pairs, which one sentence says."""
    result = sweep.run(make("grid"))
    runs = result.runs()
    table = result.compare("learning_rate", by=["hidden"])
    assert set(zip(table["first"], table["second"], table["hidden"], strict=True)) == {
        (0.1, 0.2, 2), (0.1, 0.4, 2), (0.2, 0.4, 2), (0.1, 0.2, 3),
    }  # fmt: skip
    for row in table.to_dict("records"):
        own = runs[runs["hidden"] == row["hidden"]]
        for side in ("first", "second"):
            rate = (own[own["learning_rate"] == row[side]]["status"] == "converged").mean()
            assert row[f"{side}_rate"] == pytest.approx(rate)
        assert row["n_pairs"] == 24
    cells = cells_by_value(result.study.grid, "hidden")
    for column in cells.T:
        values = [result.study.grid.values(cell) for cell in column[column >= 0]]
        assert len({(each["learning_rate"], each["scale"]) for each in values}) == 1
    pooled = result.compare("hidden", by=[]).to_dict("records")[0]
    both = runs[runs["learning_rate"] < 0.3]
    assert pooled["n_pairs"] == 12 * 4
    assert pooled["first_rate"] == pytest.approx((both[both["hidden"] == 2]["status"] == "converged").mean())
    sample = sweep.run(make("sample"))
    for name in ("learning_rate", "scale"):
        with pytest.raises(SweepError, match=f"no two cells differ in {name} alone"):
            sample.compare(name)
        with pytest.raises(SweepError, match=f"no two cells differ in {name} alone"):
            sample.performance_profile(name)
    assert len(sample.best()) == 6


def test_two_studies_are_compared_on_common_points() -> None:
    """A zipped study is paired with the cells of a grid that have its points."""
    grid, zipped = sweep.run(make("grid")), sweep.run(make("zip"))
    table = Pairing(grid, zipped).compare([])
    assert table["n_pairs"].iloc[0] == 12 * 6
    assert table["difference"].iloc[0] == 0


def test_pooled_rows_are_those_of_the_values(result: sweep.Result) -> None:
    """Rates pooled by one option, and by two of one axis, are those of the rows."""
    runs = result.runs()
    runs["converged"] = runs["status"] == "converged"
    for by in (["hidden"], ["hidden", "learning_rate"], ["learning_rate", "scale"]):
        table = result.summarize(by)
        expected = runs.groupby(by)["converged"].agg(["mean", "size"])
        assert len(table) == len(expected)
        for row in table.to_dict("records"):
            key = tuple(row[name] for name in by)
            mean, size = expected.loc[key if len(key) > 1 else key[0]]
            assert row["convergence_rate"] == pytest.approx(mean)
            assert row["n_runs"] == size

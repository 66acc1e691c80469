"""Growing a study: rows of earlier results are reused, and missing runs are trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sweep
from kernels.loop.run_arrays import make_columns
from sweep import StoreError, Study, open_result
from sweep.schedule.plan import Plan
from sweep.training.reuse import Reuse
from tests.sweep.in_parts import interrupt_in_parts, run_in_parts
from tests.sweep.support import (
    assert_refused,
    assert_same_table,
    command,
    forge,
    make_study,
    parts_of,
    replace_value,
    tree,
    write_study,
)

SMALL: dict[str, Any] = {"hidden": [2, 3], "learning_rate": [0.05, 0.2]}


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a small study."""
    folder = tmp_path_factory.mktemp("earlier") / "r"
    run_in_parts(make_study(count=20, base=5, **SMALL), out=folder, part_runs=9)
    return folder


@pytest.fixture
def marked(earlier: Path, tmp_path: Path) -> Path:
    """Return the same result with a wrong loss in every row, which marks reused rows."""

    def change(table: Any) -> Any:
        for run in table["run"].to_pylist():
            table = replace_value(table, run, "final_loss", 0.125)
        return table

    return forge(earlier, tmp_path / "marked", change)


GROWN = {
    "more seeds": (make_study(count=33, base=5, **SMALL), 80),
    "seeds before": (make_study(count=20, base=0, **SMALL), 60),
    "more values": (make_study(count=20, base=5, hidden=[2, 3, 4], learning_rate=[0.05, 0.1, 0.2]), 80),
    "another order": (make_study(count=20, base=5, learning_rate=[0.2, 0.05], hidden=[3, 2]), 80),
    "a fixed value": (make_study(count=40, base=0, hidden=3, learning_rate=[0.1, 0.2]), 20),
    "several layers": (make_study(count=20, base=5, hidden=["2", "3-3"], learning_rate=[0.05, 0.2]), 40),
    "as many layers": (make_study(count=20, base=5, **SMALL, layers=[1, 2]), 80),
    "one more parameter": (make_study(count=20, base=5, **SMALL, scale=[0.5, 1.0]), 80),
    "another grid": (make_study(count=20, base=5, hidden=[3, 5], learning_rate=[0.2, 1.0]), 20),
    "other runs": (make_study(count=20, base=5, **SMALL, max_steps=61), 0),
}
OTHERS = {
    "other patterns": make_study(count=20, base=5, data={"inputs": [[0.0], [1.0]], "targets": [[0.0], [1.0]]}),
    "another dtype": make_study(count=20, base=5, **SMALL, dtype="float32"),
    "another optimizer": make_study(count=20, base=5, **SMALL, optimizer="momentum"),
    "more layers": make_study(count=20, base=5, **SMALL, layers=2),
    "other seeds": make_study(count=20, base=25, **SMALL),
}


@pytest.mark.parametrize("name", OTHERS)
def test_no_run_is_the_same(earlier: Path, name: str) -> None:
    """Nothing is reused from other patterns, dtypes, options or seeds."""
    plan = Plan(OTHERS[name])
    reuse = Reuse(plan.study, [earlier])
    assert "no run is the same" in reuse.sentences()[0]
    part = plan.part(0)
    assert not reuse.fill(*plan.cells(part), plan.seeds(part), make_columns(part.n_runs)).any()


@pytest.mark.parametrize("name", GROWN)
def test_same_runs_are_reused(earlier: Path, marked: Path, tmp_path: Path, name: str) -> None:
    """The result equals that of a run without reuse, and exactly the same runs are not trained."""
    study, n_taken = GROWN[name]
    expected = sweep.run(study)
    result = run_in_parts(study, out=tmp_path / "r", reuse=[earlier], part_runs=7)
    assert result.facts["digest"] == expected.facts["digest"]
    assert_same_table(open_result(tmp_path / "r").cells, expected.cells)
    assert result.facts["net_steps"] == expected.facts["net_steps"]
    assert result.facts["lane_occupancy"] <= 1
    seen = sweep.run(study, reuse=[marked]).runs()
    taken = seen["final_loss"] == 0.125
    assert taken.sum() == n_taken
    assert result.facts["reused_steps"] == seen["steps"][taken].sum()


def test_several_results(earlier: Path, tmp_path: Path) -> None:
    """Rows come from several results, also partial ones; if all are known, nothing is trained."""
    more = make_study(count=33, base=5, **SMALL)
    sweep.run(make_study(count=20, base=18, **SMALL), out=tmp_path / "b")
    interrupt_in_parts(make_study(count=20, base=5, hidden=4, learning_rate=0.1), tmp_path / "c", 3, part_runs=5)
    whole = sweep.run(more, reuse=[earlier, tmp_path / "b", tmp_path / "c"])
    assert whole.facts["digest"] == sweep.run(more).facts["digest"]
    assert whole.facts["lane_occupancy"] == 1  # no lane was used
    grid = make_study(count=20, base=5, hidden=[4, 5], learning_rate=0.1)
    assert sweep.run(grid, reuse=[tmp_path / "c"]).facts["digest"] == sweep.run(grid).facts["digest"]


def test_refusals(earlier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results without rows, of another version or damaged, and the overwritten folder, are refused."""
    study: Study = make_study(count=25, base=5, **SMALL)
    file = write_study(tmp_path / "s.toml", study)
    sweep.run(study, out=tmp_path / "cells", keep="cells")
    run = ("run", file, "--out", tmp_path / "r", "--reuse")
    assert_refused(command(*run, tmp_path / "cells"), ("no rows",))
    assert_refused(command(*run, tmp_path / "nowhere"), ("not a results folder",))
    assert_refused(command(*run, ""), ("''",))
    (tmp_path / "link").symlink_to(earlier)
    before = tree(earlier)
    for name in (earlier, tmp_path / "link", earlier / ".." / earlier.name):
        refused = command("run", file, "--out", name, "--overwrite", "--reuse", earlier)
        assert_refused(refused, ("overwritten",))
    assert tree(earlier) == before
    monkeypatch.setattr("kernels.NUMERICS", 1000)
    assert_refused(command(*run, earlier), ("another version of the numerics",))
    assert not (tmp_path / "r").exists()


def test_rows_that_are_trained_again_count_as_trained(earlier: Path, tmp_path: Path) -> None:
    """Facts count reused steps also with keep='cells' and in merged results; a repair leaves none."""
    study = make_study(count=33, base=5, **SMALL)
    steps = open_result(earlier).facts["net_steps"]
    counts = sweep.run(study, keep="cells", reuse=[earlier])
    assert counts.facts["reused_steps"] == steps
    assert counts.facts["digest"] == sweep.run(study, keep="cells").facts["digest"]
    folder = tmp_path / "r"
    sweep.run(study, out=folder, reuse=[earlier])
    assert sweep.merge([folder], tmp_path / "merged").facts["reused_steps"] == steps
    for part in parts_of(folder):
        part.write_bytes(part.read_bytes()[1:])
    assert not sweep.verify(folder).intact
    sweep.repair(folder)
    assert open_result(folder).facts["reused_steps"] == 0
    assert sweep.verify(folder).intact


def test_command(earlier: Path, tmp_path: Path) -> None:
    """`run --reuse` prints how many runs it reuses from each folder."""
    file = write_study(tmp_path / "s.toml", make_study(count=40, base=5, **SMALL))
    finished = command("run", file, "--out", tmp_path / "r", "--reuse", f"{earlier},{earlier}")
    assert finished.code == 0
    assert finished.err.count(f"up to 80 of 160 runs are reused from {earlier}\n") == 2
    steps = open_result(earlier).facts["net_steps"]
    trained = open_result(tmp_path / "r").facts["net_steps"] - steps
    assert f"160 runs in 4 cells, {steps:,} steps reused from earlier results, {trained:,} steps in " in finished.out
    other = write_study(tmp_path / "o.toml", make_study(count=2, scale=3.0))
    finished = command("run", other, "--out", tmp_path / "o", "--reuse", earlier)
    assert f"no run is the same in {earlier}\n" in finished.err


def test_folders_that_hold_some_of_the_runs(tmp_path: Path) -> None:
    """For a folder with the runs of another study, the error recommends reuse before overwriting."""
    out = tmp_path / "r"
    sweep.run(make_study(count=3, learning_rate=[0.1, 0.2], hidden=2, max_steps=3), out=out)
    with pytest.raises(StoreError, match=r"holds another study.*--reuse.*--overwrite") as refused:
        sweep.run(make_study(count=5, learning_rate=[0.1, 0.2], hidden=2, max_steps=3), out=out)
    assert f"(--reuse {str(out)!r} copies the runs that the studies share)" in str(refused.value)
    sweep.run(make_study(count=3), out=tmp_path / "cells", keep="cells")
    with pytest.raises(StoreError, match="holds another study") as refused:
        sweep.run(make_study(count=5), out=tmp_path / "cells")
    assert "--reuse" not in str(refused.value)

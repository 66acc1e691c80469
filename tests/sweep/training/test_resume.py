"""Interrupted runs: the same command completes them, with the same result, and trains no part twice."""

from __future__ import annotations

from pathlib import Path

import pytest

import sweep
from sweep import StoreError, Study, open_result
from sweep.schedule.plan import Plan
from sweep.store.store import Store
from tests.sweep.in_parts import interrupt_in_parts, run_in_parts
from tests.sweep.support import assert_same_table, make_study, training_watched, tree

PART_RUNS = 9


@pytest.fixture(scope="module")
def study() -> Study:
    """Return a study of 11 parts of up to 9 runs, whose visiting order is not that of the runs."""
    return make_study(count=23, learning_rate=[0.2, 0.05], hidden=[3, 2], name="resumed")


@pytest.fixture(scope="module")
def expected(study: Study) -> str:
    """Return the digest of the study run without interruption."""
    return str(sweep.run(study).facts["digest"])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError("full")], ids=["interrupt", "error"])
@pytest.mark.parametrize(("after", "threads"), [(0, 1), (1, 1), (5, 2), (10, 1)])
def test_resume_after_an_interruption(
    tmp_path: Path, study: Study, expected: str, after: int, threads: int, error: BaseException
) -> None:
    """Finished parts are kept and not trained again, and the result is the same."""
    out = tmp_path / "r"
    with training_watched(after, error) as first, pytest.raises(type(error)):
        run_in_parts(study, out=out, threads=threads, part_runs=PART_RUNS)
    assert len(first) == after
    assert sorted(Store.open(out).commits()) == sorted(first)
    with pytest.raises(StoreError, match="not complete"):
        open_result(out)
    kept = {name: content for name, content in tree(out / "parts").items() if name.endswith(".parquet")}
    with training_watched() as second:
        result = run_in_parts(study, out=out, threads=threads, part_runs=PART_RUNS)
    assert sorted(first + second) == list(range(Plan(study, PART_RUNS).n_parts))
    assert result.facts["digest"] == expected
    assert kept.items() <= tree(out / "parts").items()
    assert open_result(out).facts["digest"] == expected
    assert result.facts["net_steps"] == result.runs()["steps"].sum()


def test_resume_counts(tmp_path: Path, study: Study) -> None:
    """A run that keeps only cells is resumed too."""
    with training_watched(4, KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
        run_in_parts(study, out=tmp_path / "r", keep="cells", part_runs=PART_RUNS)
    result = run_in_parts(study, out=tmp_path / "r", keep="cells", part_runs=PART_RUNS)
    assert_same_table(result.cells, sweep.run(study, keep="cells").cells)


def test_finished_results_are_recognized(tmp_path: Path, study: Study, expected: str) -> None:
    """A finished study is read, not trained or written again, whatever its name and description."""
    out = tmp_path / "r"
    run_in_parts(study, out=out, part_runs=PART_RUNS)
    before = tree(out)
    renamed = make_study(count=23, learning_rate=[0.2, 0.05], hidden=[3, 2], name="other-name")
    for again in (study, renamed):
        with training_watched() as trained:
            result = run_in_parts(again, out=out, part_runs=PART_RUNS)
        assert trained == []
        assert result.facts["digest"] == expected
    assert tree(out) == before


def test_other_parts_than_planned_are_refused(tmp_path: Path, study: Study) -> None:
    """Commits that do not fit the plan are refused."""
    interrupt_in_parts(study, tmp_path / "r", 3, part_runs=PART_RUNS)
    with pytest.raises(StoreError, match="other runs than this version of xor-sweep plans"):
        run_in_parts(study, out=tmp_path / "r", part_runs=PART_RUNS + 1)


def test_folder_created_by_two_at_once(tmp_path: Path, study: Study, expected: str) -> None:
    """If two runs create a folder, one may still write its first facts when the other has commits."""
    out = tmp_path / "r"
    interrupt_in_parts(study, out, 2, part_runs=PART_RUNS)
    assert Store.open(out).commits()
    (out / "study.toml").unlink()  # as the later found it
    assert run_in_parts(study, out=out, part_runs=PART_RUNS).facts["digest"] == expected

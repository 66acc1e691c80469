"""Runs of a study: the oracle's numbers, and one result for all threads, parts and orders."""

from __future__ import annotations

import copy
import gc
import hashlib
from pathlib import Path
from typing import Literal
from weakref import ref

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep import Study, load_study
from sweep.store.digest import tally_digest
from tests import oracle
from tests.kernels.support import some_compiled
from tests.sweep.expected import OUTCOME, expected_runs
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import assert_same_table, digest_of, make_study

ORACLE_STUDIES: dict[str, Study] = {
    "settings": make_study(
        count=8,
        base=3,
        threshold=[1e-3, 0.3],
        hidden=[1, 2, 5],
        learning_rate=[0.01, 0.1, 30.0],
        max_steps=[0, 7, 150],
    ),
    "stall": make_study(count=60, hidden=[1, 2], learning_rate=[0.25, 1e-30], max_steps=300, scale=2.0),
    "layers": make_study(
        count=4, hidden=[1, 3], layers=[1, 2, 4], activation=["tanh", "relu"], learning_rate=[0.1, 30.0], skip=True
    ),
    "sizes of layers": make_study(
        count=4,
        hidden=["2", "5-1", "2-3-2"],
        scaling=["standard", "ntk", "mean_field"],
        draw_order=["w v b c", "b2 w1.T w b1 v c b"],
        learning_rate=0.1,
        output_learning_rate=[0.1, 0.0],
        batch=[2, 4],
        optimizer="adam",
    ),
    "float32": make_study(
        count=8, dtype="float32", hidden=[2, 5], learning_rate=[0.1, 0.05, 30.0], threshold=[0.1, 1e-3], max_steps=150
    ),
}


COMPILED = ("settings", "layers")


@pytest.mark.parametrize("name", some_compiled(ORACLE_STUDIES, COMPILED.__contains__))
def test_every_run_as_the_oracle(name: str) -> None:
    """Every row equals the oracle's, which is trained from the study alone."""
    study = ORACLE_STUDIES[name]
    result = run_in_parts(study, part_runs=50)
    runs = result.runs()
    assert_same_table(runs, expected_runs(study))
    assert result.facts["digest"] == digest_of(runs)
    wanted = {"settings": set(oracle.STATUSES) - {"stalled", "plateau"}, "stall": {"stalled", "exhausted"}}
    assert wanted.get(name, set()) <= set(runs["status"])


def test_only_cells() -> None:
    """Without rows, cells and steps are the same, and errors say how to keep rows."""
    study = make_study(count=15, learning_rate=[0.2, 30.0], hidden=[3, 2])
    rows, cells = run_in_parts(study, part_runs=10), run_in_parts(study, keep="cells", part_runs=7)
    pd.testing.assert_frame_equal(cells.cells, rows.cells)
    assert cells.facts["net_steps"] == rows.facts["net_steps"]
    for ask in (cells.runs, lambda: cells.runs(["steps"]), lambda: cells.row(0)):
        with pytest.raises(sweep.StoreError, match="keep='runs'"):
            ask()


def test_digest_of_counts(tmp_path: Path) -> None:
    """Counts have the documented digest, for all threads and parts, in memory and on disk."""
    study = make_study(count=11, learning_rate=[0.2, 30.0], threshold=[0.1, 1.0], max_steps=[20, 60])
    runs = sweep.run(study)
    ends = runs.runs(["cell", "status", "steps"])
    ends["status"] = [oracle.STATUSES.index(status) for status in ends["status"]]
    counts = ends.value_counts(sort=False).sort_index().reset_index()
    total = hashlib.sha256()
    kinds = {"cell": ("int64", "<i8"), "status": ("status", "i1"), "steps": ("int32", "<i4"), "count": ("int64", "<i8")}
    for name, (kind, dtype) in kinds.items():
        content = hashlib.sha256(counts[name].to_numpy().astype(dtype).tobytes()).hexdigest()
        total.update(f"{name.replace('count', 'n')} {kind} {content}\n".encode())
    assert total.hexdigest() != runs.facts["digest"]
    for k, (threads, part_runs) in enumerate(((1, None), (3, 7))):
        for out in (None, tmp_path / str(k)):
            counted = run_in_parts(study, out=out, threads=threads, keep="cells", part_runs=part_runs)
            assert counted.facts["digest"] == total.hexdigest()
    assert sweep.open_result(tmp_path / "0").facts["digest"] == total.hexdigest()


def test_digest_of_counts_in_any_order() -> None:
    """The digest of counts does not depend on their order, but on every number."""
    random = np.random.default_rng(1)
    ends = np.array([(cell, status, steps) for cell in (0, 1, 7) for status in range(4) for steps in (0, 5, 2**31 - 1)])
    columns = [*ends.T, random.integers(1, 2**40, len(ends))]
    expected = tally_digest(*columns)
    for _ in range(5):
        order = random.permutation(len(ends))
        assert tally_digest(*(column[order] for column in columns)) == expected
    for k in range(4):
        changed = [column.copy() for column in columns]
        changed[k][5] += 1
        assert tally_digest(*changed) != expected


def test_common_random_numbers() -> None:
    """A seed starts from the same weights in every cell of one shape."""
    study = make_study(count=9, learning_rate=[0.1, 0.2], threshold=[0.1, 0.2], hidden=2)
    losses = sweep.run(study).runs(["seed", "initial_loss"])
    assert len(losses.drop_duplicates()) == 9
    assert losses["initial_loss"].nunique() == 9


def test_facts() -> None:
    """The facts contain the study, the machine and the amount of work."""
    study = make_study(count=15)
    result = sweep.run(study, threads=2)
    facts, runs = result.facts, result.runs()
    assert facts["identity"] == study.identity
    assert (facts["name"], facts["keep"], facts["complete"]) == ("small", "runs", True)
    assert (facts["n_cells"], facts["n_runs"], facts["threads"]) == (4, 60, 2)
    assert facts["net_steps"] == runs["steps"].sum()
    assert 0 < facts["lane_occupancy"] <= 1
    assert 0 < facts["kernel_seconds"] <= facts["wall_seconds"] + 0.1
    assert set(facts["versions"]) >= {"python", "numpy", "numba", "pandas", "pyarrow", "xor-sweep"}
    assert facts["cpu"]
    assert len(facts["log_digest"]) == 64


@pytest.mark.wide
@pytest.mark.parametrize(("name", "status"), [("linear-xor", {"exhausted", "stalled"}), ("linear-seed", {"converged"})])
def test_linear_networks(name: str, status: set[str]) -> None:
    """A linear network never learns XOR, but always the table of the notebook."""
    result = sweep.run(load_study(name))
    assert len(result.runs()) == 3000
    assert set(result.runs()["status"]) <= status
    assert set(result.cells["convergence_rate"]) == {float(name == "linear-seed")}


@pytest.mark.parametrize("keep", ["runs", "cells"])
def test_results_in_memory_are_freed_at_once(keep: Literal["runs", "cells"]) -> None:
    """Rows do not wait for the garbage collector, so a loop over large studies needs the memory of one."""
    gc.disable()
    try:
        result = sweep.run(make_study(), keep=keep)
        assert len(result.cells) == 4
        stored = ref(result.stored)
        del result
        assert stored() is None
    finally:
        gc.enable()


def test_a_copy_outlives_its_result() -> None:
    """A deep copy of a result in memory has cells and runs after the original is gone."""
    result = sweep.run(make_study(hidden=[1, 2], criterion="none"))
    runs, cells = result.runs(), sweep.run(result.study).cells
    copied = copy.deepcopy(result)
    del result
    pd.testing.assert_frame_equal(copied.cells, cells)
    pd.testing.assert_frame_equal(copied.runs(), runs)


def test_columns_of_runs() -> None:
    """Columns come in the requested order, rows in run order; unknown columns are refused."""
    result = run_in_parts(make_study(learning_rate=[0.1, 0.2], hidden=[3, 2]), part_runs=7)
    whole = result.runs()
    assert list(whole.columns) == ["run", "cell", "seed", "learning_rate", "hidden", *OUTCOME]
    pd.testing.assert_frame_equal(result.runs(["steps", "run"]), whole[["steps", "run"]])
    pd.testing.assert_frame_equal(result.runs(["final_loss"]), whole[["final_loss"]])
    for study in (result.study, make_study(hidden=[3, 2])):  # in another order, and in run order
        assert sweep.run(study).runs([]).shape == (study.n_runs, 0)
        assert list(sweep.run(study).runs(["steps", "run", "steps"])) == ["steps", "run", "steps"]
    with pytest.raises(sweep.StoreError, match=r"'stepz'.*steps"):
        result.runs(["stepz"])
    for run in (0, 13, 79):
        assert result.row(run) == whole.iloc[run].to_dict()
    for run in (-1, 80):
        with pytest.raises(sweep.StoreError, match=rf"run: .*0 to 79, got {run}"):
            result.row(run)

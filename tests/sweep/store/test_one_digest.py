"""One digest for a study, however it is trained: threads, parts, lanes, merged shards, reused rows."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

import kernels.train
import sweep
from kernels.tuning import Tuning
from sweep import Study
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import make_study

pytestmark = pytest.mark.slow

DTYPES = ("float64", "float32")
WAYS = ("memory", "folder", "shards", "merged", "reused")
THREADS, PART_RUNS, ROW_BYTES = (1, 2, 3), (None, 37, 300), (None, 16, 32)


def study_of(dtype: str, **changes: Any) -> Study:
    """Return a study of two shapes whose runs are not visited in the order of their numbers."""
    options = {"learning_rate": [0.1, 0.3, 30.0], "hidden": [5, 4], "scale": [1.0, 0.5], "max_steps": 80}
    return make_study(dtype=dtype, **{"count": 60, **options, **changes})


@pytest.fixture(scope="module", params=DTYPES)
def dtype(request: pytest.FixtureRequest) -> str:
    """Return each dtype."""
    return str(request.param)


@pytest.fixture(scope="module")
def expected(dtype: str) -> str:
    """Return the digest of a run in memory."""
    return str(sweep.run(study_of(dtype)).facts["digest"])


@pytest.fixture(scope="module")
def earlier(dtype: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train part of the study: fewer seeds, other values."""
    out = tmp_path_factory.mktemp("earlier") / "r"
    sweep.run(study_of(dtype, count=40, learning_rate=[0.3, 0.7]), out=out)
    return out


def digest(way: str, study: Study, place: Path, earlier: Path, **how: Any) -> str:
    """Train a study in one of the ways."""
    shards = [(number, 3) for number in (2, 1, 3)]
    if way == "memory":
        result = run_in_parts(study, **how)
    elif way == "folder":
        result = run_in_parts(study, out=place, **how)
    elif way == "reused":
        result = run_in_parts(study, out=place, reuse=[earlier], **how)
    elif way == "shards":
        result = [run_in_parts(study, out=place, shard=shard, **how) for shard in shards][-1]
    else:
        parts = [place / str(number) for number, _ in shards]
        for shard, part in zip(shards, parts, strict=True):
            run_in_parts(study, out=part, shard=shard, **{**how, "part_runs": None})
        result = sweep.merge(parts, place / "whole")
    assert result.complete
    return str(result.facts["digest"])


def ways() -> list[Any]:
    """Return all combinations; one of each way always runs, the others in the long tests."""
    found, seen = [], set()
    for way, threads, part_runs, row_bytes in itertools.product(WAYS, THREADS, PART_RUNS, ROW_BYTES):
        if way == "merged" and part_runs is not None:  # merging takes parts as they are planned
            continue
        marks = [pytest.mark.soak] if way in seen or threads != 2 else []
        seen |= set() if marks else {way}
        found.append(pytest.param(way, threads, part_runs, row_bytes, marks=marks))
    return found


@pytest.mark.parametrize(("way", "threads", "part_runs", "row_bytes"), ways())
def test_one_digest(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dtype: str,
    expected: str,
    earlier: Path,
    way: str,
    threads: int,
    part_runs: int | None,
    row_bytes: int | None,
) -> None:
    """Every way gives the digest of a run in memory."""
    if row_bytes:
        monkeypatch.setattr(kernels.train, "tuning_here", lambda: Tuning(row_bytes=row_bytes))
    how = {"threads": threads, "part_runs": part_runs}
    assert digest(way, study_of(dtype), tmp_path / "r", earlier, **how) == expected

"""Shards of a study, merged folders, and runs that a limit ends."""

from __future__ import annotations

from pathlib import Path

import pytest

import sweep
from sweep import StoreError, open_result
from sweep.schedule.plan import Plan
from sweep.store.store import Store
from sweep.training.limits import Limits
from tests.sweep.support import (
    assert_refused,
    assert_same_table,
    command,
    make_study,
    training_watched,
    tree,
    write_study,
)

STUDY = make_study(
    count=500, learning_rate=[0.2, 0.05], hidden=[3, 2, 5], max_steps=5000, criterion="none", name="parts"
)
N_PARTS = Plan(STUDY).n_parts


@pytest.fixture(scope="module")
def whole() -> sweep.Result:
    """Train the whole study."""
    return sweep.run(STUDY)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write the study into a file."""
    return write_study(tmp_path / "parts.toml", STUDY)


def test_shards_make_the_whole(tmp_path: Path, whole: sweep.Result) -> None:
    """Each shard trains its own parts; the one that finishes the last part completes the result."""
    out, seen = tmp_path / "r", []
    for number in (3, 1, 2):
        with training_watched() as trained:
            result = sweep.run(STUDY, out=out, shard=(number, 3))
        seen.append(trained)
        assert result.complete == (number == 2)
        assert number == 2 or not result.facts["limited"]
    assert sorted(index for trained in seen for index in trained) == list(range(N_PARTS))
    assert max(map(len, seen)) - min(map(len, seen)) <= 1
    assert open_result(out).facts["digest"] == whole.facts["digest"]
    with training_watched() as trained:
        assert sweep.run(STUDY, out=out, shard=(1, 3)).complete
    assert trained == []


def test_more_shards_than_parts(tmp_path: Path, file: Path) -> None:
    """A shard without parts trains nothing, without an error."""
    with training_watched() as trained:
        result = sweep.run(STUDY, out=tmp_path / "r", shard=(1000, 1000))
    assert trained == []
    assert (result.complete, result.facts["n_runs"], result.facts["limited"]) == (False, 0, False)
    with pytest.raises(StoreError, match="no trained runs yet"):
        open_result(tmp_path / "r", partial=True)
    finished = command("run", file, "--shard", "1000/1000", "--out", tmp_path / "r")
    assert finished.code == 0
    assert "nothing to train" in finished.out
    finished = command("merge", tmp_path / "r", "--out", tmp_path / "new")
    assert (finished.code, "no folder has trained runs" in finished.out) == (4, True)


@pytest.mark.parametrize("keep", ["runs", "cells"])
def test_folders_are_merged(tmp_path: Path, keep: str) -> None:
    """Shards in separate folders are merged to the result of one run."""
    expected = sweep.run(STUDY, keep=keep)  # type: ignore[arg-type]
    for number in (1, 2, 3):
        sweep.run(STUDY, out=tmp_path / str(number), shard=(number, 3), keep=keep)  # type: ignore[arg-type]
    partial = sweep.merge([tmp_path / "1", tmp_path / "3"], tmp_path / "part")
    assert not partial.complete
    with training_watched() as trained:
        result = sweep.merge([tmp_path / "1", tmp_path / "2", tmp_path / "3"], tmp_path / "whole")
    assert trained == []
    assert result.complete
    assert result.facts["digest"] == expected.facts["digest"]
    assert_same_table(open_result(tmp_path / "whole").cells, expected.cells)
    assert sorted(Store.open(tmp_path / "whole").commits()) == list(range(N_PARTS))
    with training_watched() as trained:
        assert sweep.run(STUDY, out=tmp_path / "part", keep=keep).facts["digest"] == expected.facts["digest"]  # type: ignore[arg-type]
    assert len(trained) == len(Store.open(tmp_path / "2").commits())


def test_parts_that_two_folders_have(tmp_path: Path, whole: sweep.Result) -> None:
    """Each part counts once, the first one found; a folder may receive merged parts."""
    sweep.run(STUDY, out=tmp_path / "a", shard=(1, 2))
    sweep.run(STUDY, out=tmp_path / "b")
    result = sweep.merge([tmp_path / "b"], tmp_path / "a")
    assert result.facts["digest"] == whole.facts["digest"]
    assert len(list((tmp_path / "a" / "parts").iterdir())) == N_PARTS


def test_two_merge_into_one_folder(tmp_path: Path, whole: sweep.Result) -> None:
    """If two merges copy a part, the first copy stays and the second is removed."""
    sweep.run(STUDY, out=tmp_path / "a", shard=(1, 2))
    sweep.run(STUDY, out=tmp_path / "b", max_runs=1)
    source, target = Store.open(tmp_path / "a"), Store.open(tmp_path / "b")
    for commit in source.commits().values():
        first = target.copy_part(source, commit)
        assert target.copy_part(source, commit) == first
    assert len(list((tmp_path / "b" / "parts").iterdir())) == len(target.commits())
    assert sweep.run(STUDY, out=tmp_path / "b").facts["digest"] == whole.facts["digest"]
    assert sweep.verify(tmp_path / "b").intact


def test_refused_merges(tmp_path: Path, file: Path) -> None:
    """Other studies, other ``keep``, damaged parts and a finished target are refused in one sentence."""
    other = make_study(count=5, name="other")
    sweep.run(STUDY, out=tmp_path / "a", shard=(1, 2))
    sweep.run(STUDY, out=tmp_path / "cells", shard=(2, 2), keep="cells")
    sweep.run(other, out=tmp_path / "other")
    out = tmp_path / "new"
    assert_refused(command("merge", tmp_path / "a", tmp_path / "other", "--out", out), ("another study",))
    assert_refused(command("merge", tmp_path / "a", tmp_path / "cells", "--out", out), ("keeps cells, not runs",))
    assert_refused(command("merge", tmp_path / "nowhere", "--out", out), ("not a results folder",))
    with pytest.raises(StoreError, match="sources: must be a list of results folders, got"):
        sweep.merge(str(tmp_path / "a"), out)  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="results folder: must be a path or s3://BUCKET/PREFIX, got <Result"):
        sweep.verify(open_result(tmp_path / "other"))  # type: ignore[arg-type]
    assert not out.exists()
    assert_refused(command("merge", tmp_path / "other", "--out", tmp_path / "other"), ("already complete",))
    a = tmp_path / "a"
    before = tree(a)
    for name in (a, tmp_path / "other" / ".." / "a"):
        assert_refused(command("merge", a, "--out", name, "--overwrite"), ("both merged and overwritten",))
    assert tree(a) == before
    part = next((tmp_path / "a" / "parts").iterdir())
    part.write_bytes(part.read_bytes()[:-1])
    finished = command("merge", tmp_path / "a", "--out", out)
    assert finished.code == 2
    assert "damaged" in finished.err


def test_commands(tmp_path: Path, file: Path, whole: sweep.Result) -> None:
    """`run --shard` ends with code 0; `merge` ends with 4 while parts are missing, and then with the digest."""
    one, two, out = (tmp_path / name for name in ("1", "2", "out"))
    first = command("run", file, "--shard", "1/2", "--out", one)
    assert (first.code, "partial: " in first.out) == (0, True)
    missing = command("merge", one, "--out", out)
    assert missing.code == 4
    assert f"--out {out}" in missing.err
    assert command("run", file, "--shard", "2/2", "--out", two).code == 0
    merged = command("merge", two, "--out", out)
    assert merged.code == 0
    assert f"digest {whole.facts['digest']}" in merged.out
    for wrong in ("0/2", "3/2"):
        assert_refused(command("run", file, "--shard", wrong), (wrong, "I from 1 to N"))
    assert_refused(command("run", file, "--shard", "1/2", "--overwrite"), ("1/2", "overwrite"))
    assert_refused(command("run", file, "--shard", "1"), ("'1'", "I/N"))


def test_limits_of_a_run(tmp_path: Path, file: Path, whole: sweep.Result) -> None:
    """A limit ends a run with code 4 and a partial result, and repeated commands complete it."""
    out, sizes = tmp_path / "r", []
    for _ in range(50):
        finished = command("run", file, "--out", out, "--max-runs", 400)
        sizes.append(open_result(out, partial=True).facts["n_runs"])
        if finished.code == 0:
            break
        assert finished.code == 4
        assert "run the same command again" in finished.err
        assert "partial: " in finished.out
    assert sizes == sorted(set(sizes))
    assert len(sizes) > 2
    assert f"digest {whole.facts['digest']}" in finished.out
    short = command("run", file, "--out", tmp_path / "s", "--time-budget", "0.000001", "--threads", 1, "--overwrite")
    assert short.code == 4
    assert "run the same command without --overwrite again" in short.err
    assert len(Store.open(tmp_path / "s").commits()) == 1
    assert_refused(command("run", file, "--time-budget", "soon"), ("'soon'", "10m"))
    assert command("run", file, "--out", tmp_path / "s", "--time-budget", "1h").code == 0


@pytest.mark.parametrize("of", [2, 5, 8])
def test_shards_are_representative(of: int) -> None:
    """Each shard has its share of every learning rate, even if their number is a multiple of that of shards."""
    study = make_study(count=10**6, learning_rate=[0.01 * k for k in range(1, 33)], hidden=2)
    plan = Plan(study)
    first_rates = study.n_runs // 4
    for number in range(1, of + 1):
        parts = [plan.part(index) for index in Limits(shard=(number, of)).choose(plan)]
        n_runs = sum(part.n_runs for part in parts)
        n_first = sum(max(0, min(part.stop, first_rates) - part.start) for part in parts)
        assert abs(n_runs / study.n_runs - 1 / of) < 0.1 / of
        assert abs(n_first / n_runs - 1 / 4) < 0.1


def test_prefix_is_representative(tmp_path: Path) -> None:
    """A partial result has runs of every shape and of most cells."""
    study = make_study(
        count=2000, learning_rate=[0.2, 0.05], hidden=[3, 2, 5, 4], max_steps=5000, threshold=1e-9, name="even"
    )
    result = sweep.run(study, out=tmp_path / "r", max_runs=study.n_runs // 3, threads=1)
    assert not result.complete
    assert set(result.cells["hidden"]) == {2, 3, 4, 5}
    assert len(result.cells) >= 7

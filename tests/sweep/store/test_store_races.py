"""The first commit of a part counts, and files without a commit do not."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import sweep
from sweep import Study, open_result
from sweep.schedule.plan import Plan
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.part_result import PartResult
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import digest_of, make_store, make_study, parts_of, tree

STUDY = make_study(count=60, learning_rate=[0.2, 0.05, 30.0], hidden=[3, 2], bias=[True, False], name="kept")


FACTS = {"session": "s", "begin": 0.0, "end": 1.0}


def trained(study: Study, index: int) -> PartResult:
    """Train one part of 30 runs."""
    plan = Plan(study, 30)
    return PartTrainer(plan).train(plan.part(index))


def test_first_commit_of_a_part_counts(tmp_path: Path) -> None:
    """If two stores finish a part, the first commit counts, and the second store leaves nothing behind."""
    study = make_study(count=15, hidden=2)
    result = trained(study, 0)
    one, two = (make_store(tmp_path / "r", study) for _ in range(2))
    first = one.write_part(result, **{**FACTS, "session": "first"})
    before = tree(tmp_path / "r")
    second = two.write_part(result, **{**FACTS, "session": "second"})
    assert second == first
    assert first.session == "first"
    assert tree(tmp_path / "r") == before
    assert one.commits() == two.commits() == {0: first}
    assert [found.equals(result.rows()) for found in two.tables()] == [True]


def test_many_stores_race_for_one_part(tmp_path: Path) -> None:
    """If many stores finish a part at once, exactly one commit counts, and all agree on it."""
    study = make_study()
    result = trained(study, 1)
    stores = [make_store(tmp_path / "r", study) for _ in range(8)]
    barrier, found = threading.Barrier(len(stores)), {}

    def write(k: int) -> None:
        barrier.wait()
        found[k] = stores[k].write_part(result, **{**FACTS, "session": str(k)})

    threads = [threading.Thread(target=write, args=(k,)) for k in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(stores)
    assert len(set(found.values())) == 1
    assert len(list((tmp_path / "r" / "parts").iterdir())) == 1
    assert len(list((tmp_path / "r" / "commits").iterdir())) == 1


@pytest.mark.slow
def test_leftovers_without_a_commit_do_not_count(tmp_path: Path) -> None:
    """Files in parts/ without a commit are ignored."""
    study = make_study()
    run_in_parts(study, out=tmp_path / "r", part_runs=30)
    part = parts_of(tmp_path / "r")[0]
    part.with_name("0000000-deadbeef.parquet").write_bytes(part.read_bytes())
    part.with_name("0000001-deadbeef.json").write_bytes(b"{")
    part.with_name("0000002-deadbeef.parquet").write_bytes(b"half a file")
    result = open_result(tmp_path / "r")
    assert digest_of(result.runs()) == result.facts["digest"] == sweep.run(study).facts["digest"]

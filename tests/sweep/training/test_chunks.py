"""Chunks: how many parts are sent together; and names of clusters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import sweep
from sweep import StudyError
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from sweep.store.commits import Commit
from sweep.training.executors.address import check_cluster, local_workers
from sweep.training.executors.chunks import Chunks
from sweep.training.executors.threads import ThreadExecutor
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import make_study


def taken(costs: list[float], speed: float, n_threads: int) -> list[list[int]]:
    """Return the numbers of the parts of each chunk."""
    parts = [Part(index, index, index + 1, cost) for index, cost in enumerate(costs)]
    chunks = Chunks(iter(parts), sum(costs), speed)
    found = []
    while chunk := chunks.take(n_threads):
        found.append([part.index for part in chunk])
    return found


def test_chunks_of_a_long_study() -> None:
    """Chunks take five seconds and get smaller toward the end; every part is in one, in order."""
    found = taken([1.0] * 1000, speed=10.0, n_threads=2)
    assert [index for chunk in found for index in chunk] == list(range(1000))
    sizes = [len(chunk) for chunk in found]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[:10] == [50] * 10
    assert sizes[-4:] == [1] * 4


@pytest.mark.parametrize("n_threads", [1, 3, 8, 40])
def test_small_studies_use_all_workers(n_threads: int) -> None:
    """However fast the machine is, each thread gets a chunk if there are enough parts."""
    parts = Plan(make_study(count=2000, max_steps=5000)).parts
    costs = [parts.part(index).cost for index in range(parts.n_parts)]
    found = taken(costs, speed=1e15, n_threads=n_threads)
    assert sum(map(len, found)) == len(costs)
    assert len(found) >= min(2 * n_threads, len(costs))
    assert max(map(len, found)) <= max(1, len(costs) / n_threads)


def test_speed_is_learned() -> None:
    """The noted speed counts until parts of this study are trained."""
    chunks = Chunks((Part(k, k, k + 1, 1.0) for k in range(10**6)), 1e6)
    assert len(chunks.take(100)) == 5000
    chunks.learn(2.0, 0.2)
    assert len(chunks.take(100)) == 50
    chunks.learn(0.0, 0.0)
    assert len(chunks.take(100)) == 50


def test_each_round_is_estimated_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks are sized by the operations of one round of seeds, not of all rounds."""
    tables = make_study(count=160, threshold=0.05, max_steps=200).canonical()
    tables["seeds"]["until"] = {"width": 0.15, "first": 10}
    seen: list[tuple[float, float]] = []
    train = ThreadExecutor.map

    def watched(executor: ThreadExecutor, parts: Iterator[Part], operations: float) -> Iterator[Commit]:
        taken = list(parts)
        seen.append((sum(part.cost for part in taken), operations))
        yield from train(executor, iter(taken), operations)

    monkeypatch.setattr(ThreadExecutor, "map", watched)
    run_in_parts(sweep.Study(**tables), part_runs=16)
    assert len(seen) > 2
    for costs, operations in seen:
        assert costs == pytest.approx(operations)


def test_parts_are_read_when_they_are_sent() -> None:
    """A time limit sees each part when it starts, not before."""
    seen: list[int] = []

    def parts() -> Iterator[Part]:
        for index in range(100):
            seen.append(index)
            yield Part(index, index, index + 1, 1e12)

    chunk = Chunks(parts(), 1e14).take(4)
    assert seen == [part.index for part in chunk]


@pytest.mark.parametrize(
    "cluster",
    ["tcp://localhost:8786", "tls://10.0.0.1:1", "tcp://[::1]:8786", "tcp://node-1.example.:65535", "local:3"],
)
def test_names_of_clusters(cluster: str) -> None:
    """A cluster is the address of a scheduler, or a number of processes."""
    check_cluster(cluster)
    assert local_workers(cluster) == (3 if cluster == "local:3" else None)


@pytest.mark.parametrize(
    "cluster",
    [
        *("", "local", "local:", "local:0", "local:-1", "local:100000", "host:8786", "http://h:1", "tcp://h"),
        *("tcp://h:1 ", "tcp://h:65536", "tcp://..:80", "tcp://[..]:80", "tcp://" + "h" * 64 + ":80"),
    ],
)
def test_invalid_clusters(cluster: str) -> None:
    """The error names the value and what is allowed."""
    with pytest.raises(StudyError, match="local:N") as caught:
        check_cluster(cluster)
    assert repr(cluster) in str(caught.value)

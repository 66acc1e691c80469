"""Who may write into a results folder: one study at a time, in one process or several that share the work."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import sweep
from sweep import StoreError, Study, open_result
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from sweep.store.bits import own_bits
from sweep.store.claim import FolderRequest, claim
from sweep.store.local import FolderLock, LocalFiles
from sweep.store.store import Store
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.part_result import PartResult
from tests.sweep import support
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import Finished, command, make_study, training_watched, tree, write_study
from tests.waiting import LONG

pytestmark = pytest.mark.slow

STUDY = make_study(count=10, name="mine")
OTHER = make_study(count=10, name="other", scale=2.0)
PART_RUNS = 4
N_PARTS = Plan(STUDY, PART_RUNS).n_parts
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF)


@pytest.fixture(scope="module")
def expected() -> str:
    """Return the digest of the study."""
    return str(sweep.run(STUDY).facts["digest"])


def digest(study: Study, out: Path, **arguments: Any) -> str:
    """Run a study and return its digest."""
    return str(run_in_parts(study, out=out, part_runs=PART_RUNS, **arguments).facts["digest"])


@contextmanager
def in_use(out: Path, study: Study = OTHER, parts: int = 2) -> Iterator[Store]:
    """Hold a folder as a process does that trains in it and has committed some parts."""
    plan = Plan(study, PART_RUNS)
    with claim(LocalFiles(out), FolderRequest(study, "runs", False, own_bits(), plan.waves)) as store:
        for index in range(parts):
            store.write_part(PartTrainer(plan).train(plan.part(index)), session="s", begin=0.0, end=1.0)
        yield store


def assert_refused(finished: Finished, *words: str) -> None:
    """Require code 2 and one sentence that holds these words and names the process that holds the folder."""
    who = f"process {os.getpid()}" if sys.platform == "linux" else "another process"
    support.assert_refused(finished, (*words, who))


def test_another_study_while_one_is_trained(tmp_path: Path, expected: str) -> None:
    """Another study is refused, with and without --overwrite, and nothing changes."""
    out, file = tmp_path / "r", write_study(tmp_path / "mine.toml", STUDY)
    with in_use(out):
        before = tree(out)
        assert_refused(command("run", file, "--out", out), OTHER.identity[:12], STUDY.identity[:12], "--out")
        for wanted in (file, write_study(tmp_path / "other.toml", OTHER)):  # not even the same study is removed
            refused = command("run", wanted, "--out", out, "--overwrite")
            assert_refused(refused, "'other'", OTHER.identity[:12], "in use")
        assert tree(out) == before
    assert command("run", file, "--out", out).code == 2
    assert f"digest {expected}" in command("run", file, "--out", out, "--overwrite").out
    assert open_result(out).study == STUDY


def test_same_study_joins(tmp_path: Path, caplog: pytest.LogCaptureFixture, expected: str) -> None:
    """A run of the same study logs that it shares the work, and trains only parts without a commit."""
    with in_use(tmp_path / "r", STUDY, parts=4), training_watched() as trained:
        assert digest(STUDY, tmp_path / "r") == expected
    assert sorted(trained) == list(range(4, N_PARTS))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "share the work" in record.getMessage()
    assert str(tmp_path / "r") in record.getMessage()


def test_same_study_kept_otherwise_does_not_join(tmp_path: Path) -> None:
    """Rows and counts do not mix, not even while another process trains."""
    with in_use(tmp_path / "r", STUDY), pytest.raises(StoreError, match="keep: must be 'runs'"):
        sweep.run(STUDY, out=tmp_path / "r", keep="cells")


def test_parts_of_another_process_are_skipped_while_both_train(tmp_path: Path, expected: str) -> None:
    """The first process does not train parts that the second has committed."""
    train, first, second = PartTrainer.train, [], []

    def watched(worker: PartTrainer, part: Part) -> PartResult:
        if not first:  # the second runs all of the study within the first part of the first
            first.append(part.index)
            with mock.patch.object(PartTrainer, "train", lambda *given: (second.append(1), train(*given))[1]):
                assert digest(STUDY, tmp_path / "r", threads=1) == expected
        else:
            first.append(part.index)
        return train(worker, part)

    with mock.patch.object(PartTrainer, "train", watched):
        assert digest(STUDY, tmp_path / "r", threads=1) == expected
    assert first == [0]
    assert len(second) == N_PARTS
    assert len(list((tmp_path / "r" / "parts").iterdir())) == N_PARTS


def test_only_a_second_process_takes_parts_in_another_order(tmp_path: Path) -> None:
    """A process that joins takes parts in another order; a process on its own follows the plan."""
    orders = []
    for parts in (None, 0):
        with training_watched() as trained:
            if parts is None:
                digest(STUDY, tmp_path / "alone", threads=1)
            else:
                with in_use(tmp_path / "joined", STUDY, parts=0):
                    digest(STUDY, tmp_path / "joined", threads=1)
        orders.append(trained)
    assert orders[0] == list(Plan(STUDY, PART_RUNS).parts.order())
    assert sorted(orders[1]) == sorted(orders[0])
    assert orders[0] != orders[1]


@pytest.mark.parametrize("overwrite", [False, True])
def test_another_comes_between_the_two_locks(tmp_path: Path, overwrite: bool) -> None:
    """A run that loses its new folder before it shares the lock is refused."""
    out, take_shared, came = tmp_path / "r", FolderLock.take_shared, []

    def slow(lock: FolderLock) -> None:
        if not came:
            came.append(True)
            fcntl.flock(lock._descriptor, fcntl.LOCK_UN)
            digest(OTHER, out, overwrite=True)
        take_shared(lock)

    with (
        mock.patch.object(FolderLock, "take_shared", slow),
        training_watched() as trained,
        pytest.raises(StoreError, match="another study"),
    ):
        digest(STUDY, out, overwrite=overwrite)
    assert len(trained) == N_PARTS  # of the other
    assert open_result(out).facts["digest"] == sweep.run(OTHER).facts["digest"]


def test_folder_emptied_between_the_two_locks(tmp_path: Path, expected: str) -> None:
    """If the process between the locks was killed before it wrote its study, the first run starts over."""
    out, take_shared, came = tmp_path / "r", FolderLock.take_shared, []

    def slow(lock: FolderLock) -> None:
        if not came:
            came.append(True)
            (out / "run.json").unlink()
            (out / "study.toml").unlink()
        take_shared(lock)

    with mock.patch.object(FolderLock, "take_shared", slow):
        assert digest(STUDY, out) == expected


def test_an_exclusive_lock_is_waited_for(tmp_path: Path, expected: str) -> None:
    """A run waits while another process creates the folder, but not for ever."""
    out = tmp_path / "r"
    out.mkdir()
    holder = FolderLock(out)
    assert holder.take_alone()
    with mock.patch("sweep.store.local._MOST_WAIT", 0.1), pytest.raises(StoreError, match="has locked"):
        digest(STUDY, out)
    with mock.patch("sweep.store.local._MOST_WAIT", LONG), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(digest, STUDY, out)
        assert not waiting.done()
        holder.release()
        assert waiting.result() == expected


@pytest.mark.parametrize("number", NO_LOCKS, ids=errno.errorcode.get)
def test_file_systems_without_locks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, expected: str, number: int
) -> None:
    """One line says that there are no locks. The study is trained, and files of other processes stay."""
    out = tmp_path / "r"
    (out / "parts").mkdir(parents=True)
    (out / "parts" / "0000000-01234567.parquet").write_bytes(b"another process may be writing this")

    def flock(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    with mock.patch("fcntl.flock", flock):
        assert digest(STUDY, out) == expected
    (record,) = caplog.records
    assert os.strerror(number) in record.getMessage()
    assert "cannot be locked" in record.getMessage()
    assert (out / "parts" / "0000000-01234567.parquet").exists()


def test_lock_that_fails(tmp_path: Path) -> None:
    """Any other error of a lock ends the run with its reason."""
    failure = OSError(errno.EIO, os.strerror(errno.EIO))
    with mock.patch("fcntl.flock", side_effect=failure), pytest.raises(StoreError, match=os.strerror(errno.EIO)):
        digest(STUDY, tmp_path / "r")


def test_study_changed_before_the_end(tmp_path: Path) -> None:
    """The facts of a finished study are not written beside another study.toml."""
    out = tmp_path / "r"
    write_cells = Store.write_cells

    def exchanged(store: Store, table: Any) -> str:
        write_study(out / "study.toml", OTHER)
        return write_cells(store, table)

    with mock.patch.object(Store, "write_cells", exchanged), pytest.raises(StoreError, match="another study"):
        digest(STUDY, out)
    with pytest.raises(StoreError):
        open_result(out)


def test_lock_goes_with_the_run(tmp_path: Path) -> None:
    """No lock is held after a run, even after one that failed."""
    out = tmp_path / "r"
    for error in (KeyboardInterrupt(), MemoryError(), None):
        with training_watched(2, error or AssertionError()), pytest.raises(type(error or AssertionError())):
            digest(STUDY, out, threads=1)
        lock = FolderLock(out)
        assert lock.take_alone()
        lock.release()


def test_writer_that_comes_too_late(tmp_path: Path) -> None:
    """A thread that outlives its run writes nothing; one that is writing keeps the lock."""
    out, plan = tmp_path / "r", Plan(STUDY, PART_RUNS)
    result = PartTrainer(plan).train(plan.part(0))
    with in_use(out, STUDY, parts=0) as store:
        pass
    before = tree(out)
    with pytest.raises(StoreError, match="was unlocked"):
        store.write_part(result, session="s", begin=0.0, end=1.0)
    assert tree(out) == before

    lock, other = FolderLock(out), FolderLock(out)
    assert lock.take_alone()
    with lock.held():
        lock.release()
        assert not other.take_alone()
    assert other.take_alone()
    other.release()

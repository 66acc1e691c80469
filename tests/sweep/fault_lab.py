"""Tools for tests of faults: runs in new folders, and what must hold for a folder after any fault."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import sweep
from sweep import Result, StoreError, Study, open_result
from sweep.schedule.plan import Plan
from tests.sweep.fault_disk import Loss
from tests.sweep.fault_runs import Ended, Request, Zygote
from tests.sweep.faults import CRASHED, Fault
from tests.sweep.support import digest_of, make_study, parts_of, write_study

# Three parts, of two cells; and another study that is trained by the same kernel.
STUDY = make_study(count=6, hidden=2, learning_rate=[0.2, 0.5], max_steps=200, threshold=0.05, name="mine")
OTHER = make_study(count=6, hidden=2, learning_rate=[0.2, 0.5], max_steps=200, threshold=0.05, name="other", scale=2.0)
# The first study with few steps, and everything that can be recorded besides rows.
RECORDED = Study(
    **make_study(count=6, hidden=2, learning_rate=[0.2, 0.5], max_steps=10, name="mine").canonical()
    | {"record": {"curves": {"seeds": 2}, "weights": "both", "measures": ["margin"]}}
)
PART_RUNS = 4
N_PARTS = Plan(STUDY, PART_RUNS).n_parts

# What a command prints besides errors: its progress, and that there was nothing to train.
_PROGRESS = re.compile(r" *\d+ %  .*|.*; nothing to train")


class Truth:
    """The undisturbed results of a study, and what must hold for any folder of it."""

    def __init__(self, study: Study) -> None:
        result = sweep.run(study, threads=1)
        self.study, self.rows, self.cells = study, result.runs(), result.cells
        self.digest = str(result.facts["digest"])
        self.curves = result.learning_curves() if study.record.curves else None
        assert digest_of(self.rows) == self.digest

    def check_rows(self, rows: pd.DataFrame) -> None:
        """Require correct rows of this study, each at most once."""
        expected = self.rows.iloc[rows["run"]].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, expected, check_exact=True)
        assert rows["run"].is_unique

    def check_curves(self, result: Result) -> None:
        """Require the learning curves of a complete result, if it records any."""
        if self.curves is not None:
            pd.testing.assert_frame_equal(result.learning_curves(), self.curves, check_exact=True)

    def check_finished(self, folder: Path, n_parts: int = N_PARTS) -> None:
        """Require the complete result, and nothing else in the folder."""
        result = open_result(folder)
        rows = result.runs()
        assert len(rows) == self.study.n_runs
        self.check_rows(rows)
        pd.testing.assert_frame_equal(result.cells, self.cells, check_exact=True)
        self.check_curves(result)
        assert digest_of(rows) == result.facts["digest"] == self.digest
        expected = {"study.toml", "run.json", "cells.parquet", "parts", "commits"}
        expected |= set() if self.curves is None else {"curves.parquet"}
        expected |= {f"commits/{part:07d}.json" for part in range(n_parts)}
        expected |= {str(path.relative_to(folder)) for path in parts_of(folder)}
        assert {str(path.relative_to(folder)) for path in folder.rglob("*")} == expected


class Lab:
    """Runs of a study in separate folders."""

    def __init__(self, zygote: Zygote, place: Path, *studies: Study) -> None:
        self.zygote, self.place = zygote, place
        self.truths = {study.identity: Truth(study) for study in studies}
        self.truth = self.truths[studies[0].identity]
        self.files = {study.name: write_study(place / f"{study.name}.toml", study) for study in studies}
        self._n_places = 0

    def root(self) -> Path:
        """Return a new, empty folder; results of it are in ``r``."""
        self._n_places += 1
        root = self.place / str(self._n_places)
        root.mkdir()
        return root

    def request(self, root: Path, name: str = "mine", words: tuple[str, ...] = (), **options: Any) -> Request:
        """Return the request to run a study."""
        line = ("run", str(self.files[name]), "--out", str(root / "r"), "--threads", "1", *words)
        return Request(line, str(root), PART_RUNS, **options)

    def run(self, root: Path, **options: Any) -> Ended:
        """Run the study without waiting for the disk; require that every call in the folder was watched."""
        ended = self.zygote.run(self.request(root, **{"fault": Fault(()), **options}))
        assert ended.unseen == []
        return ended

    def crash(self, root: Path, fault: Fault, **options: Any) -> Ended | None:
        """Run the study and let it crash; return None if it ends before that."""
        ended = self.run(root, fault=fault, **options)
        if ended.code == CRASHED:
            return ended
        assert ended.code == 0, ended
        assert len(ended.calls) < fault.number
        return None

    def on_disk(self, root: Path, noted: str = "") -> dict[str, str]:
        """Return the options of a run with a watched disk, in its current state."""
        return {"disk": noted, "vault": str(self.vault(root))}

    def vault(self, root: Path) -> Path:
        """Return the folder of the files of a disk."""
        vault = root.with_name(f"{root.name}-vault")
        vault.mkdir(exist_ok=True)
        return vault

    def readable(self, folder: Path) -> int:
        """Return how many runs readers find, which must be correct, or the sentence why there are none."""
        n_rows = 0
        for partial in (False, True):
            try:
                result = open_result(folder, partial=partial)
                rows, n_counted = result.runs(), int(result.cells["n_runs"].sum())
            except StoreError as error:
                told = str(error)
            else:
                told = ""
            if told:
                assert len(told.splitlines()) == 1
                continue
            truth = self.truths[result.study.identity]
            truth.check_rows(rows)
            assert result.complete == (result.facts["digest"] == truth.digest)
            assert result.complete <= (len(rows) == truth.study.n_runs)
            assert n_counted == len(rows)
            if result.complete:
                truth.check_curves(result)
            n_rows = len(rows)
        return n_rows

    def complete(self, root: Path, **options: Any) -> Ended:
        """Require that the same command completes the study correctly, and remove the folder."""
        ended = self.run(root, **options)
        assert ended.code == 0, ended
        assert f"digest {self.truth.digest}" in ended.out.splitlines()
        self.truth.check_finished(root / "r")
        shutil.rmtree(root)
        return ended

    def without_power(self, root: Path, noted: str, losses: list[Loss]) -> Iterator[tuple[Loss, Path]]:
        """Yield each loss of power, with a new folder of what it leaves."""
        for loss in losses:
            left = self.root()
            left.rmdir()
            loss.leave(noted, self.vault(root), left)
            yield loss, left


def assert_told(ended: Ended, *words: str) -> None:
    """Require exit code 2 and one sentence, besides progress, that contains these texts."""
    assert ended.code == 2, ended
    (line,) = [line for line in ended.err.splitlines() if line and not _PROGRESS.fullmatch(line)]
    assert line.startswith("error: "), ended
    for word in words:
        assert word in line


def numbered(fault: Fault, first: int, stride: int) -> Iterator[Fault]:
    """Yield a fault at one call after another, without end."""
    number = first
    while True:
        yield replace(fault, number=number)
        number += stride


def thorough(stride: int, what: str = "", quick: Iterable[Any] = (), whole: Iterable[Any] = ()) -> pytest.MarkDecorator:
    """Parametrize ``stride``, from one call that fails to the next: so many in every run, and each in the soak.

    It should be coprime to the number of calls for each part, or all faults would hit the same call of a part.
    Of other parameters every run takes some, and the soak takes all.
    """
    if not what:
        return pytest.mark.parametrize("stride", [stride, pytest.param(1, marks=pytest.mark.soak)])
    cases = [pytest.param(each, stride) for each in quick]
    cases += [pytest.param(each, 1, marks=pytest.mark.soak) for each in whole]
    return pytest.mark.parametrize((what, "stride"), cases)

"""What tests of faults share: runs in new folders, and what must hold of a folder whatever happened to it."""

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
# The first one with few steps, and all that may be recorded beside rows.
RECORDED = Study(
    **make_study(count=6, hidden=2, learning_rate=[0.2, 0.5], max_steps=10, name="mine").canonical()
    | {"record": {"curves": {"seeds": 2}, "weights": "both", "measures": ["margin"]}}
)
PART_RUNS = 4
N_PARTS = Plan(STUDY, PART_RUNS).n_parts

# What a command says beside errors: how far it is, and that there was nothing to train.
_PROGRESS = re.compile(r" *\d+ %  .*|.*; nothing to train")


class Truth:
    """What a study gives undisturbed, and what must hold of any folder of it."""

    def __init__(self, study: Study) -> None:
        result = sweep.run(study, threads=1)
        self.study, self.rows, self.cells = study, result.runs(), result.cells
        self.digest = str(result.facts["digest"])
        self.curves = result.learning_curves() if study.record.curves else None
        assert digest_of(self.rows) == self.digest

    def check_rows(self, rows: pd.DataFrame) -> None:
        """Require rows of this study that are true, each of them once."""
        expected = self.rows.iloc[rows["run"]].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, expected, check_exact=True)
        assert rows["run"].is_unique

    def check_curves(self, result: Result) -> None:
        """Require the learning curves of a complete result, if it has any."""
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
    """Runs of a study in folders of their own.

    Parameters
    ----------
    zygote
        Runs commands.
    place
        Where the folders are.
    studies
        What it runs, under their names.
    """

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
        """Run the study without waiting for the disk; what faults are about must have been seen."""
        ended = self.zygote.run(self.request(root, **{"fault": Fault(()), **options}))
        assert ended.unseen == []
        return ended

    def crash(self, root: Path, fault: Fault, **options: Any) -> Ended | None:
        """Run the study and let it crash; return None where it comes to its end before that."""
        ended = self.run(root, fault=fault, **options)
        if ended.code == CRASHED:
            return ended
        assert ended.code == 0, ended
        assert len(ended.calls) < fault.number
        return None

    def on_disk(self, root: Path, noted: str = "") -> dict[str, str]:
        """Return the options of a run whose disk is of interest, after what is known of it."""
        return {"disk": noted, "vault": str(self.vault(root))}

    def vault(self, root: Path) -> Path:
        """Return the folder of the files of a disk."""
        vault = root.with_name(f"{root.name}-vault")
        vault.mkdir(exist_ok=True)
        return vault

    def readable(self, folder: Path) -> int:
        """Return how many runs readers find, which must be true, or why there are none in one sentence."""
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
        """Require that the same command brings the study to its end, with all that must hold of it, and remove it."""
        ended = self.run(root, **options)
        assert ended.code == 0, ended
        assert f"digest {self.truth.digest}" in ended.out.splitlines()
        self.truth.check_finished(root / "r")
        shutil.rmtree(root)
        return ended

    def without_power(self, root: Path, noted: str, losses: list[Loss]) -> Iterator[tuple[Loss, Path]]:
        """Yield each loss and a new folder of what it leaves."""
        for loss in losses:
            left = self.root()
            left.rmdir()
            loss.leave(noted, self.vault(root), left)
            yield loss, left


def assert_told(ended: Ended, *words: str) -> None:
    """Require exit code 2 and one sentence, beside progress, that holds the words."""
    assert ended.code == 2, ended
    (line,) = [line for line in ended.err.splitlines() if line and not _PROGRESS.fullmatch(line)]
    assert line.startswith("error: "), ended
    for word in words:
        assert word in line


def numbered(fault: Fault, first: int, stride: int) -> Iterator[Fault]:
    """Yield a fault at one call after another; who takes them ends that."""
    number = first
    while True:
        yield replace(fault, number=number)
        number += stride


def thorough(stride: int, what: str = "", quick: Iterable[Any] = (), whole: Iterable[Any] = ()) -> pytest.MarkDecorator:
    """Parametrize ``stride``, from one call that fails to the next: so many in every run, and each in the soak.

    It should have no factor in common with the calls that each part takes, lest they all fail at the same one.
    What else differs is some of it in every run, and all of it in the soak.
    """
    if not what:
        return pytest.mark.parametrize("stride", [stride, pytest.param(1, marks=pytest.mark.soak)])
    cases = [pytest.param(each, stride) for each in quick]
    cases += [pytest.param(each, 1, marks=pytest.mark.soak) for each in whole]
    return pytest.mark.parametrize((what, "stride"), cases)

"""The options of a run: their forms as text, and which fit each other and a study."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sweep.errors import StoreError, StudyError, shown
from sweep.system.plain_values import is_integer
from sweep.training.limits import Limits

if TYPE_CHECKING:
    from sweep.schedule.plan import Plan
    from sweep.study.model import Study

MAX_RUNS = 10**9

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_duration(value: Any) -> float:
    """Return the seconds of a duration: a number, or text such as ``90``, ``10m`` or ``1.5h``."""
    if hasattr(value, "__float__") and not isinstance(value, bool):
        return float(value)
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", value, re.ASCII) if isinstance(value, str) else None
    if not found:
        raise StudyError(f"time_budget: must be seconds, or a number with s, m, h or d such as 10m, got {shown(value)}")
    return float(found[1]) * _SECONDS[found[2]]


def parse_shard(text: str) -> tuple[int, int]:
    """Return I and N of ``I/N``."""
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text, re.ASCII)
    if not found:
        raise StudyError(f"shard: must be I/N with I from 1 to N such as 2/8, got {shown(text)}")
    return int(found[1]), int(found[2])


def parse_places(text: str) -> list[str]:
    """Return the results folders of ``DIR,DIR``."""
    places = text.split(",")
    if "" in places:
        raise StudyError(f"reuse: must be results folders separated by commas, got {shown(text)}")
    return places


@dataclass(frozen=True)
class RunOptions:
    """The options of :func:`sweep.run`, which describes them."""

    out: str | Path | None = None
    threads: int | None = None
    keep: Literal["runs", "cells"] = "runs"
    progress: bool | None = None
    overwrite: bool = False
    allow_runs: int = MAX_RUNS
    time_budget: float | str | None = None
    max_runs: int | None = None
    reuse: str | Path | Sequence[str | Path] = ()
    shard: tuple[int, int] = (1, 1)
    cluster: str | None = None

    @property
    def announces(self) -> bool:
        """Whether to print what is reused or finished already: as for progress, but at once and only on a terminal."""
        from sweep.system.wrapping import is_terminal

        return is_terminal(sys.stderr) if self.progress is None else self.progress

    @property
    def places(self) -> Sequence[str | Path]:
        """The results folders whose rows are reused."""
        return [self.reuse] if isinstance(self.reuse, (str, Path)) else self.reuse

    @property
    def limits(self) -> Limits:
        """The part of the study that the call trains."""
        seconds = None if self.time_budget is None else parse_duration(self.time_budget)
        return Limits(seconds, self.max_runs, self.shard)

    def check(self, study: Study) -> None:
        """Refuse options that are out of range, or that fit neither each other nor the study.

        StudyError has a sentence for each fault; StoreError if the results folder is to be both reused and overwritten.
        """
        from sweep.system.host import thread_count
        from sweep.training.executors.address import check_cluster

        thread_count(self.threads)
        if self.cluster is not None:
            check_cluster(self.cluster)
        faults = [*self._faults_of_size(study), *self._faults_of_keep(study), *self._faults_of_cluster()]
        faults += [*self._faults_of_limits(), *self._faults_of_shard(study)]
        if faults:
            raise StudyError(*faults)
        if self.overwrite and self._is_reused():
            raise StoreError(f"{str(self.out)!r} cannot be both reused and overwritten; choose another folder (--out)")

    def _faults_of_size(self, study: Study) -> Iterator[str]:
        """Yield whether the study has too many runs."""
        if study.n_runs > self.allow_runs:
            yield (
                f"study: must have at most {self.allow_runs:,} runs, got {study.n_runs:,} runs; allow them with "
                f"--allow-runs {study.n_runs}, in Python allow_runs={study.n_runs}"
            )

    def _faults_of_keep(self, study: Study) -> Iterator[str]:
        """Yield whether only counts are kept although the study needs rows, or rows exceed the memory."""
        if self.keep not in ("runs", "cells"):
            yield f"keep: must be 'runs' or 'cells', got {self.keep!r}"
        record = study.record
        needs = {
            "test patterns": study.data.n_tests,
            "validation patterns": study.data.n_validations,
            "record.measures": record.measures,
            "record.weights": record.columns_of_weights,
            "record.loss_thresholds": record.loss_thresholds,
            "record.curves": record.curves,
            "seeds.until.best": study.seeds.until and study.seeds.until.best,
        }
        missing = [what for what, is_needed in needs.items() if is_needed]
        if self.keep == "cells" and missing:
            yield f"keep: must be 'runs' with {missing[0]}, got 'cells'"

    def _faults_of_cluster(self) -> Iterator[str]:
        """Yield which options do not fit a cluster."""
        if self.cluster is not None and self.threads is not None:
            yield (
                f"threads: must be omitted with cluster {self.cluster!r}, whose workers set their threads, "
                f"got {self.threads}"
            )
        if self.cluster is not None and self.out is None:
            yield f"out: must be a results folder with cluster {self.cluster!r}, whose workers write into it, got None"

    def _faults_of_limits(self) -> Iterator[str]:
        """Yield which limits are out of range."""
        seconds = None if self.time_budget is None else parse_duration(self.time_budget)
        if seconds is not None and not seconds > 0:
            yield f"time_budget: must be above 0 seconds, got {seconds:g}"
        if self.max_runs is not None and (not is_integer(self.max_runs) or self.max_runs < 1):
            yield f"max_runs: must be an integer of at least 1, got {shown(self.max_runs)}"

    def _faults_of_shard(self, study: Study) -> Iterator[str]:
        """Yield why the study cannot be divided into these shards."""
        if not _are_two_integers(self.shard):
            yield f"shard: must be (I, N), two integers with I from 1 to N, got {shown(self.shard)}"
            return
        number, of = self.shard
        if not 1 <= number <= of:
            yield f"shard: must be I/N with I from 1 to N, got {number}/{of}"
        if of > 1 and study.seeds.until:
            yield f"shard: must be 1/1 with seeds.until, since a round needs all earlier runs, got {number}/{of}"
        if of > 1 and self.overwrite:
            yield f"shard: must be 1/1 with overwrite, which would remove other shards, got {number}/{of}"

    def _is_reused(self) -> bool:
        """Return whether the results folder is one of those whose rows are reused."""
        from sweep.store.local import files_at

        return self.out is not None and any(files_at(self.out).same_as(files_at(place)) for place in self.places)

    def check_memory(self, plan: Plan) -> None:
        """Raise StudyError if rows in memory exceed the memory of this machine."""
        from sweep.schemas.run_columns import row_bytes
        from sweep.system.host import memory_bytes

        n_runs, there = min(plan.n_runs, self.max_runs or plan.n_runs), memory_bytes()
        n_bytes = row_bytes(plan.study)[0] * n_runs
        if self.keep == "runs" and n_bytes > there:
            raise StudyError(
                f"rows of {n_runs:,} runs: must fit into the memory of {there:,} bytes, got {n_bytes:,}; "
                "set out= to a results folder, or keep='cells'"
            )


def _are_two_integers(value: object) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2 and all(map(is_integer, value))

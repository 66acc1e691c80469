"""The part of a study that one call trains: a shard of its parts, within a time or a number of runs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sweep.errors import StudyError, shown
from sweep.schedule.part import Part
from sweep.schedule.plan import Plan
from sweep.study.model import Study
from sweep.system.plain_values import is_integer

_GOLDEN = 0x9E3779B1  # 2^32 times the golden ratio's fraction
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class Limits:
    """The part of a study that one call trains.

    Attributes
    ----------
    seconds
        Seconds within which parts and the compilation of kernels are begun; at least one is begun.
    runs
        Number of runs after which no more parts are begun; with 0 none is.
    shard
        Number of the shard, from 1, and number of shards.
    """

    seconds: float | None = None
    runs: int | None = None
    shard: tuple[int, int] = (1, 1)

    def check(self, study: Study, overwrite: bool) -> None:
        """Refuse limits that are out of range, and a shard with ``overwrite``, which would remove the work of others.

        Raises
        ------
        StudyError
            If a limit is out of range or does not fit the study.
        """
        if not _are_two_integers(self.shard):
            raise StudyError([f"shard {shown(self.shard)} given; must be (I, N), two integers with I from 1 to N"])
        number, of = self.shard
        faults = []
        if not 1 <= number <= of:
            faults.append(f"shard {number}/{of} given; must be I/N with I from 1 to N")
        if self.seconds is not None and not self.seconds > 0:
            faults.append(f"time budget of {self.seconds:g} seconds given; must be above 0")
        if self.runs is not None and (not is_integer(self.runs) or self.runs < 1):
            faults.append(f"max_runs {shown(self.runs)} given; must be an integer of at least 1")
        if of > 1 and study.seeds.until:
            faults.append(
                f"shard {number}/{of} given; with seeds.until the next round follows from all of the one before"
            )
        if of > 1 and overwrite:
            faults.append(f"shard {number}/{of} given with overwrite, which would remove what other parts have trained")
        if faults:
            raise StudyError(faults)

    def choose(self, plan: Plan, round_number: int | None = None) -> Iterator[int]:
        """Yield the numbers of the shard's parts, of a round or of all, in the order of training."""
        number, of = self.shard
        return (index for index in plan.parts.order(round_number) if _shard(index, of) == number)

    def share(self, n_runs: int) -> float:
        """Return the share of ``n_runs`` runs that may be trained, as far as it is known beforehand."""
        return min(1.0, self.runs / n_runs) if self.runs is not None and n_runs else 1.0


class OutOfTime(Exception):  # noqa: N818 - no error
    """The time limit is over before a kernel was compiled."""


class Budget:
    """The limits of a call and what it has used of them.

    Parameters
    ----------
    limits
        The limits; time counts from now on.
    plan
        The plan of the study.

    Attributes
    ----------
    is_used : bool
        Whether a kernel has been begun, or a part finished.
    """

    def __init__(self, limits: Limits, plan: Plan) -> None:
        self._most_runs, self._plan = limits.runs, plan
        self._deadline = None if limits.seconds is None else time.monotonic() + limits.seconds
        self._n_runs, self.is_used = 0, False

    @property
    def is_over(self) -> bool:
        """Whether there is no time left."""
        return self._deadline is not None and time.monotonic() > self._deadline

    def begin_kernel(self) -> None:
        """Count a kernel that is to be compiled. Each call begins at least one, so that repeated calls make progress.

        Raises
        ------
        OutOfTime
            If something was done and there is no time left.
        """
        self.check_time()
        self.is_used = True

    def check_time(self) -> None:
        """Raise OutOfTime if something was done and there is no time left."""
        if self.is_used and self.is_over:
            raise OutOfTime

    def take(self, parts: Iterator[Part]) -> Iterator[Part]:
        """Yield parts until a limit is reached."""
        for part in parts:
            if self._most_runs is not None and self._n_runs >= self._most_runs:
                return
            if self._n_runs and self.is_over:
                return
            self._n_runs += part.n_runs if part.open is None else int(self._plan.cells(part)[1].sum())
            yield part


def _are_two_integers(given: Any) -> bool:
    return isinstance(given, tuple | list) and len(given) == 2 and all(map(is_integer, given))


def _shard(index: int, of: int) -> int:
    """Return the shard of a part, from 1.

    Each shard has one of every ``of`` successive parts in visiting order. Its place moves by the golden ratio from
    one group to the next, so that no shard aliases with the values of a parameter.
    """
    return (index + (index // of * _GOLDEN % 2**32) * of // 2**32) % of + 1


def parse_duration(given: Any) -> float:
    """Return the seconds of a duration: a number, or text such as ``90``, ``10m`` or ``1.5h``.

    Raises
    ------
    StudyError
        If it is neither a number nor such a text.
    """
    if hasattr(given, "__float__") and not isinstance(given, bool):
        return float(given)
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", given, re.ASCII) if isinstance(given, str) else None
    if not found:
        raise StudyError([f"time budget {shown(given)} given; must be seconds, or a number with s, m, h or d, as 10m"])
    return float(found[1]) * _SECONDS[found[2]]


def parse_shard(text: str) -> tuple[int, int]:
    """Return I and N of ``I/N``.

    Raises
    ------
    StudyError
        If the text does not have this form.
    """
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text, re.ASCII)
    if not found:
        raise StudyError([f"shard {shown(text)} given; must be I/N with I from 1 to N, as in --shard 2/8"])
    return int(found[1]), int(found[2])


def parse_places(text: str) -> list[str]:
    """Return the results folders of ``DIR,DIR``.

    Raises
    ------
    StudyError
        If a name is empty.
    """
    places = text.split(",")
    if "" in places:
        raise StudyError([f"reuse {shown(text)} given; must be results folders with commas between them"])
    return places

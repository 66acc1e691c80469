"""What of a study one call trains: a stripe of its shards, for so long, or so many runs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sweep.errors import StudyError, shown
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Shard
from sweep.study.model import Study
from sweep.system.plain_values import is_integer

_GOLDEN = 0x9E3779B1  # 2^32 times the golden ratio's fraction
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class Limits:
    """What of a study one call trains.

    Attributes
    ----------
    seconds
        So long shards are begun, and kernels to be compiled; at least one of either.
    runs
        Shards are begun until so many runs are under way; with 0 none is.
    stripe
        Of so many parts (second number) the one of this number, from 1.
    """

    seconds: float | None = None
    runs: int | None = None
    stripe: tuple[int, int] = (1, 1)

    def check(self, study: Study, overwrite: bool) -> None:
        """Refuse limits that are out of range, and a stripe that removes what others have trained.

        Raises
        ------
        StudyError
        """
        if not _are_two_integers(self.stripe):
            raise StudyError([f"shard {shown(self.stripe)} given; must be (I, N), two integers with I from 1 to N"])
        number, of = self.stripe
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
        """Yield the numbers of the shards of the stripe, of a round or of all, in the order they are trained in."""
        number, of = self.stripe
        return (index for index in plan.shards.order(round_number) if _stripe(index, of) == number)

    def share(self, n_runs: int) -> float:
        """Return which share of so many runs may be trained, as far as that is known beforehand."""
        return min(1.0, self.runs / n_runs) if self.runs is not None and n_runs else 1.0


class OutOfTime(Exception):  # noqa: N818 - no error
    """A kernel would have to be compiled for which there is no time left."""


class Budget:
    """What of its limits a call has used up.

    Parameters
    ----------
    limits
        Time counts from now on.
    plan
        Of the study.

    Attributes
    ----------
    is_used : bool
        Whether a kernel has been begun, or a shard finished.
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
        """Count a kernel that is to be compiled; each call does something, so that the same one again gets on.

        Raises
        ------
        OutOfTime
            If something is done and there is no time left.
        """
        if self.is_used and self.is_over:
            raise OutOfTime
        self.is_used = True

    def take(self, shards: Iterator[Shard]) -> Iterator[Shard]:
        """Yield shards until a limit is reached."""
        for shard in shards:
            if self._most_runs is not None and self._n_runs >= self._most_runs:
                return
            if self._n_runs and self.is_over:
                return
            self._n_runs += shard.n_runs if shard.open is None else int(self._plan.cells(shard)[1].sum())
            yield shard


def _are_two_integers(given: Any) -> bool:
    return isinstance(given, tuple | list) and len(given) == 2 and all(map(is_integer, given))


def _stripe(index: int, of: int) -> int:
    """Return in which of so many stripes, from 1, a shard is.

    Of every ``of`` shards in visiting order each stripe has one. Which, moves on by the golden ratio from one group to
    the next, so that stripes keep no step with the values of a parameter.
    """
    return (index + (index // of * _GOLDEN % 2**32) * of // 2**32) % of + 1


def parse_duration(given: Any) -> float:
    """Return the seconds of a duration: a number, or text such as ``90``, ``10m`` or ``1.5h``.

    Raises
    ------
    StudyError
    """
    if hasattr(given, "__float__") and not isinstance(given, bool):
        return float(given)
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", given, re.ASCII) if isinstance(given, str) else None
    if not found:
        raise StudyError([f"time budget {shown(given)} given; must be seconds, or a number with s, m, h or d, as 10m"])
    return float(found[1]) * _SECONDS[found[2]]


def parse_stripe(text: str) -> tuple[int, int]:
    """Return I and N of ``I/N``.

    Raises
    ------
    StudyError
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
    """
    places = text.split(",")
    if "" in places:
        raise StudyError([f"reuse {shown(text)} given; must be results folders with commas between them"])
    return places

"""The part of a study that one call trains: a shard of its parts, within a time or a number of runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweep.schedule.plan import Plan
    from sweep.schedule.waves import Part

_GOLDEN = 0x9E3779B1  # 2^32 times the golden ratio's fraction


@dataclass(frozen=True)
class Limits:
    """The part of a study that one call trains."""

    seconds: float | None = None  # seconds within which parts and compilations are started; at least one is started
    runs: int | None = None  # number of runs after which no more parts are started; with 0 none is
    shard: tuple[int, int] = (1, 1)  # number of the shard, from 1, and number of shards

    def choose(self, plan: Plan, round_number: int | None = None) -> Iterator[int]:
        """Yield the numbers of the shard's parts, of a round or of all, in the order of training."""
        number, of = self.shard
        return (index for index in plan.parts.order(round_number) if _shard(index, of) == number)

    def share(self, n_runs: int) -> float:
        """Return the share of ``n_runs`` runs that may be trained, as far as known in advance."""
        return min(1.0, self.runs / n_runs) if self.runs is not None and n_runs else 1.0


class OutOfTime(Exception):  # noqa: N818 - no error
    """The time limit is over before a kernel is compiled."""


class Budget:
    """The limits of a call, whose time counts from now on, and what it has used of them.

    It is used once a compilation has started, or a part is finished.
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
        """Count a compilation, or raise OutOfTime if this call has done some work and no time is left.

        Each call starts at least one, so that repeated calls make progress.
        """
        self.check_time()
        self.is_used = True

    def check_time(self) -> None:
        """Raise OutOfTime if this call has done some work and no time is left."""
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


def _shard(index: int, of: int) -> int:
    """Return the shard of a part, from 1.

    Each shard has one of every ``of`` successive parts in visiting order. Its place shifts by the golden ratio from
    one group to the next, so that no shard aliases with the values of a parameter.
    """
    return (index + (index // of * _GOLDEN % 2**32) * of // 2**32) % of + 1

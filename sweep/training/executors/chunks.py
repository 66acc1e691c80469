"""Chunks: shards that one worker trains one after the other, so that seconds of work travel together."""

from __future__ import annotations

from collections.abc import Iterator

from sweep.schedule.waves import Shard
from sweep.training.speed import noted_speed

# Sending a chunk and its commits takes some milliseconds of the scheduler and this process.
_USUAL_SECONDS = 5.0
# As soon as work for fewer seconds is left, a chunk is such a part of what each thread has still to do.
_SHARE = 2
# Operations per second of a thread, until one has trained here.
_NOMINAL_SPEED = 1.6e11


class Chunks:
    """Takes chunks from shards, as long as some are left.

    Parameters
    ----------
    shards
        What to take from, not before it is asked for: a limit of time may end it.
    operations
        Estimated operations of all shards.
    """

    def __init__(self, shards: Iterator[Shard], operations: float) -> None:
        self._shards, self._to_go = shards, operations
        self._speed = noted_speed() or _NOMINAL_SPEED
        self._cost, self._seconds = 0.0, 0.0

    def learn(self, cost: float, seconds: float) -> None:
        """Take in for how long a thread trained a shard, which mostly takes fewer operations than were estimated."""
        self._cost, self._seconds = self._cost + cost, self._seconds + seconds
        if self._cost > 0 and self._seconds > 0:
            self._speed = self._cost / self._seconds

    def take(self, n_threads: int) -> tuple[Shard, ...]:
        """Return the next chunk for one of so many threads, which all find one; an empty one if no shard is left."""
        wanted = min(_USUAL_SECONDS * self._speed, self._to_go / (_SHARE * n_threads))
        chunk: list[Shard] = []
        cost = 0.0
        while not chunk or cost + chunk[-1].cost / 2 < wanted:
            shard = next(self._shards, None)
            if shard is None:
                break
            chunk.append(shard)
            cost += shard.cost
        self._to_go -= cost
        return tuple(chunk)

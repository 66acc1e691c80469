"""Chunks: parts that one worker trains in sequence, so that each request carries seconds of work."""

from __future__ import annotations

from collections.abc import Iterator

from sweep.schedule.waves import Part

# Seconds of a usual chunk. Sending a chunk and its commits takes the scheduler and this process some milliseconds.
_USUAL_SECONDS = 5.0
# Toward the end, a chunk is 1 / _SHARE of the remaining work of each thread.
_SHARE = 2
# Assumed operations per second of a thread until a speed is measured.
_NOMINAL_SPEED = 1.6e11


class Chunks:
    """Makes chunks from parts, each of which is read only when it is needed, since a time limit may end them.

    ``speed`` is the operations per second of a thread, None if it is not known.
    """

    def __init__(self, parts: Iterator[Part], operations: float, speed: float | None = None) -> None:
        self._parts, self._to_go = parts, operations
        self._speed = speed or _NOMINAL_SPEED
        self._cost, self._seconds = 0.0, 0.0

    def learn(self, cost: float, seconds: float) -> None:
        """Record the seconds that a thread trained a part; most parts take fewer operations than estimated."""
        self._cost, self._seconds = self._cost + cost, self._seconds + seconds
        if self._cost > 0 and self._seconds > 0:
            self._speed = self._cost / self._seconds

    def take(self, n_threads: int) -> tuple[Part, ...]:
        """Return the next chunk for one of ``n_threads`` threads that share the work; empty if no part is left."""
        wanted = min(_USUAL_SECONDS * self._speed, self._to_go / (_SHARE * n_threads))
        chunk: list[Part] = []
        cost = 0.0
        while not chunk or cost + chunk[-1].cost / 2 < wanted:
            part = next(self._parts, None)
            if part is None:
                break
            chunk.append(part)
            cost += part.cost
        self._to_go -= cost
        return tuple(chunk)

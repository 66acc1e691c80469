"""Show how far a sweep is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

_LINE_SECONDS = 10.0


class SweepProgress:
    """Progress over the estimated work of all shards.

    Parameters
    ----------
    n_runs
        Runs of the study.
    cost
        Estimated work of the study.
    shown
        Whether to show anything at all.
    """

    def __init__(self, n_runs: int, cost: float, shown: bool) -> None:
        self._n_runs = n_runs
        self._cost = cost
        self._done_runs = self._net_steps = 0
        self._done_cost = self._skipped_cost = 0.0
        self._start = self._last_line = time.monotonic()
        console = Console(stderr=True)
        self._shown = shown
        self._plain = shown and not console.is_terminal
        self._bar: Progress | None = None
        if shown and not self._plain:
            self._bar = Progress(
                TextColumn("training"),
                BarColumn(),
                TextColumn("{task.percentage:3.0f} %"),
                TextColumn("{task.fields[note]}"),
                TimeRemainingColumn(),
                console=console,
                transient=True,
            )
            self._task = self._bar.add_task("training", total=cost, note="")

    def __enter__(self) -> SweepProgress:
        """Start to show."""
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the screen as it was."""
        if self._bar:
            self._bar.stop()

    def skip(self, n_runs: int, cost: float) -> None:
        """Count runs that were there before."""
        self._done_runs += n_runs
        self._skipped_cost += cost
        self._update()

    def advance(self, n_runs: int, cost: float, net_steps: int) -> None:
        """Count a finished shard."""
        self._done_runs += n_runs
        self._done_cost += cost
        self._net_steps += net_steps
        self._update()

    def _note(self) -> str:
        seconds = max(time.monotonic() - self._start, 1e-9)
        return f"{self._done_runs:,} of {self._n_runs:,} runs, {self._net_steps / seconds / 1e6:,.0f} M steps/s"

    def _update(self) -> None:
        done = self._done_cost + self._skipped_cost
        if self._bar:
            self._bar.update(self._task, completed=done, note=self._note())
        elif self._plain and time.monotonic() - self._last_line >= _LINE_SECONDS:
            self._last_line = time.monotonic()
            elapsed = self._last_line - self._start
            remaining = elapsed * (self._cost - done) / self._done_cost if self._done_cost else float("inf")
            print(
                f"{100 * done / self._cost:.0f} %: {self._note()}, {remaining:.0f} s to go", file=sys.stderr, flush=True
            )

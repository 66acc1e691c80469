"""Progress of a study: a bar on a terminal, a line that changes in a notebook, elsewhere a line every ten seconds.

The percentage counts runs. Speed and remaining time are estimated from the parts that finished last and the seconds
that threads trained them. Compiling kernels and runs of an earlier call do not count.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from datetime import datetime
from importlib import import_module
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.segment import Segment

from sweep.system.escaping import escaped_output, one_line, unescaped
from sweep.system.formatting import count_text, duration
from sweep.system.wrapping import is_terminal, print_text

if TYPE_CHECKING:
    from kernels.numba.compiling import Compilation

# Seconds from one line to the next, and until the first one unless progress is requested.
_LINE_SECONDS = 10.0
_NOTEBOOK_SECONDS = 0.2
_DELAY_SECONDS = 1.0

_WINDOW_SECONDS = 10.0

# Usual number of characters of the text, and the shortest and the longest bar that is shown beside it.
_TEXT_WIDTH = 70
_SHORTEST_BAR, _LONGEST_BAR = 8, 40


class _Finished(NamedTuple):
    """A finished part: the time, its estimated operations, the steps taken, and the seconds of the thread."""

    time: float
    cost: float
    net_steps: int
    seconds: float


class Pace:
    """The speed of training, from the parts that finished last."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._finished: tuple[_Finished, ...] = ()

    def add(self, cost: float, net_steps: int, seconds: float) -> None:
        """Count a finished part: its estimated operations, its steps, and the time that one thread spent on it."""
        now = time.monotonic()
        parts = [*self._finished, _Finished(now, cost, net_steps, seconds)]
        recent = [part for part in parts if part.time >= now - _WINDOW_SECONDS]
        # A new tuple: other threads may be reading the old one.
        self._finished = tuple(recent if len(recent) >= self.threads else parts[-self.threads :])

    @property
    def known(self) -> bool:
        """Whether any part is finished."""
        return bool(self._finished)

    @property
    def steps_per_second(self) -> float:
        """Steps per second of all threads together."""
        finished = self._finished
        return self.threads * sum(part.net_steps for part in finished) / _seconds(finished)

    @property
    def cost_per_second(self) -> float:
        """Estimated operations per second of all threads together."""
        finished = self._finished
        return self.threads * sum(part.cost for part in finished) / _seconds(finished)


def _seconds(finished: tuple[_Finished, ...]) -> float:
    """Return the seconds that threads spent on these parts, above 0."""
    return max(sum(part.seconds for part in finished), 1e-9)


class SweepProgress:
    """Progress over runs, on standard error; with ``shown`` None after a second on a screen, elsewhere after ten."""

    def __init__(self, n_runs: int, cost: float, threads: int, shown: bool | None) -> None:
        self._n_runs = n_runs
        self._cost_to_go = cost
        self._done_runs = 0
        self._pace = Pace(threads)
        self._waits_for = ""
        self._compiles_here = False
        self._stops = False
        self._kernel = 0
        self._workers: int | None = None
        self._last_line = -inf
        self._shown = shown is not False
        self._lock = threading.Lock()
        self._escapes = ExitStack()
        self._bar: Live | None = None
        on_terminal = is_terminal(sys.stderr)
        self._notebook = _NotebookLine.here() if self._shown and not on_terminal else None
        if self._shown and on_terminal:
            console = Console(file=unescaped(sys.stderr))
            if console.is_interactive:  # not on a dumb terminal
                self._bar = Live(self, console=console, transient=True, redirect_stdout=is_terminal(sys.stdout))
        self._seconds = _NOTEBOOK_SECONDS if self._notebook else _LINE_SECONDS
        delay = 0.0 if shown else _DELAY_SECONDS if self._bar or self._notebook else _LINE_SECONDS
        self._shown_from = time.monotonic() + delay

    def __enter__(self) -> SweepProgress:
        return self

    def __exit__(self, *details: object) -> None:
        """Remove the bar from the screen, or the line from the notebook."""
        with self._lock:
            self._shown = False
            self._escapes.close()
            if self._notebook:
                self._notebook.clear()

    def trained_by(self, threads: int, workers: int | None = None) -> None:
        """Set the number of parts trained at once, and on a cluster the number of workers, which may change."""
        self._pace.threads = max(threads, 1)
        if workers is not None and self._workers is None:
            self._last_line = -inf  # show their first number at once
        self._workers = workers

    def skip(self, n_runs: int, cost: float) -> None:
        """Count runs trained by an earlier call; they do not affect the speed."""
        self._done_runs += n_runs
        self._cost_to_go -= cost

    def advance(self, n_runs: int, cost: float, net_steps: int, seconds: float) -> None:
        """Count a part trained by this call."""
        self._pace.add(cost, net_steps, seconds)
        self._done_runs += n_runs
        self._cost_to_go -= cost
        self.tick()

    def compiling(self, compilation: Compilation | None) -> None:
        """Show which kernel is being compiled; None if none is."""
        self._compiles_here = bool(compilation and compilation.here)
        self._waits_for = ""
        if compilation:
            most = "at most " if compilation.at_most else ""
            self._waits_for = f"compiling kernel {compilation.number} of {most}{compilation.total}"
            if compilation.seconds and compilation.total > 1:
                about = f"about {duration(compilation.seconds)}"
                self._waits_for += f", at least {about}" if most else f", {about} for all"
        number = compilation.number if compilation else 0
        self._last_line = -inf if number > self._kernel and not self._stops else self._last_line  # show it at once
        self._kernel = max(self._kernel, number)
        self.tick()

    def stopping(self) -> None:
        """Show that training ends once the current kernel is compiled."""
        if self._compiles_here and not self._stops:
            self._last_line = -inf
        self._stops = self._stops or self._compiles_here

    def note(self, text: str) -> None:
        """Print a line that stays, unless no progress is shown."""
        if self._shown:
            print_lines(text)

    def show(self, activity: str) -> None:
        """Show an activity other than training."""
        self._waits_for = activity
        self.tick()

    def tick(self) -> None:
        """Update the bar, or write a line if enough time has passed since the last one."""
        with self._lock:  # threads that compile tick too
            now = time.monotonic()
            if not self._shown or now < self._shown_from:
                return
            if self._bar:
                if not self._bar.is_started:
                    self._escapes.enter_context(self._bar)
                    self._escapes.enter_context(escaped_output())  # Rich prints the output of others above the bar
            elif now - self._last_line >= self._seconds:
                self._last_line = now
                (self._notebook.write if self._notebook else print_lines)(self.text())

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the bar and the text on a terminal, or only the text if it is narrow."""
        width = options.max_width - 1  # terminals may break a line that fills them
        bar = min(width - _TEXT_WIDTH - 1, _LONGEST_BAR)
        if bar >= _SHORTEST_BAR:
            done = bar * self._done_runs // self._n_runs
            yield Segment(f"{'━' * done}{'─' * (bar - done)} ")
            width -= bar + 1
        text = self.text(width)
        yield Segment(text if len(text) <= width else f"{text[: width - 1]}…")

    def text(self, width: float = inf) -> str:
        """Return the progress as text: runs done, speed, and the current wait or the remaining time.

        What matters least is left out if the text would be wider than ``width`` characters.
        """
        percent = f"{100 * self._done_runs // self._n_runs:3d} %"
        parts = {"percent": percent, "runs": f"{self._done_runs:,} of {self._n_runs:,} runs"}
        if self._workers is not None:
            parts["workers"] = count_text(self._workers, "worker")
        if self._compiles_here and self._stops:
            parts["wait"] = "stopping once the current kernel is compiled"
        elif self._waits_for:
            parts["wait"] = self._waits_for
        elif self._pace.known:
            speed = self._pace.steps_per_second / 1e6
            parts["speed"] = f"{speed:,.0f} M steps/s" if speed >= 100 else f"{speed:.3g} M steps/s"
            parts["left"] = f"about {duration(self._cost_to_go / self._pace.cost_per_second)} left"
        elif 0 < self._done_runs < self._n_runs:
            parts["wait"] = "resuming"
        for name in ("speed", "workers", "runs"):
            if len("  ".join(parts.values())) > width:
                parts.pop(name, None)
        return "  ".join(parts.values())


class _NotebookLine:
    """A line in the output of a notebook's cell, which the next line replaces."""

    def __init__(self, handle: Any) -> None:
        self._handle, self._is_there = handle, False

    @classmethod
    def here(cls) -> _NotebookLine | None:
        """Return a line of the cell that runs; None outside notebooks."""
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        return cls(import_module("IPython.display").DisplayHandle()) if hasattr(shell, "kernel") else None

    def write(self, text: str) -> None:
        """Show a line in place of the last one."""
        show = self._handle.update if self._is_there else self._handle.display
        show({"text/plain": text}, raw=True)
        self._is_there = True

    def clear(self) -> None:
        if self._is_there:
            self.write("")


def print_finished(facts: Mapping[str, Any], place: str) -> None:
    """Print that a study is already finished, with the time if run.json has it."""
    on = f" on {datetime.fromisoformat(facts['finished']):%Y-%m-%d %H:%M} UTC" if "finished" in facts else ""
    name = one_line(facts["name"])
    runs = count_text(facts["n_runs"], "run")
    print_lines(f"{name}: already finished{on} in {one_line(place)} ({runs}); nothing to train")


def print_lines(*lines: str) -> None:
    """Print lines on standard error; ignore a missing or closed stream, so that training continues."""
    with suppress(OSError, ValueError):
        if sys.stderr:
            print_text(*lines, file=sys.stderr)

"""Programs for a pseudo-terminal: a session of commands, and a command that pauses while it trains.

What differs from machine to machine is replaced: seconds, the CPU and its lanes, and the number of processors.
"""

from __future__ import annotations

import json
import shlex
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

from kernels.numba.compiling import Compilation
from sweep.__main__ import main, run_command
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from sweep.store import run_facts
from sweep.system import host, progress
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.part_result import PartResult


def same_everywhere() -> None:
    """Replace what differs from machine to machine, and train in five parts."""
    mock.patch.object(run_facts, "_seconds_within", return_value=0.5).start()
    mock.patch.object(run_facts, "datetime", **{"now.return_value": datetime(2026, 1, 1, tzinfo=UTC)}).start()
    init = Plan.__init__
    mock.patch.object(Plan, "__init__", lambda plan, study, _=None, waves=None: init(plan, study, 48, waves)).start()
    mock.patch.object(host, "_cpu_name", return_value="a CPU").start()
    mock.patch("sweep.terminal.plan_page.available_threads", return_value=2).start()
    mock.patch.object(progress, "_LINE_SECONDS", 1e9).start()  # only the first line
    mock.patch.object(progress.Pace, "steps_per_second", 12.3e6).start()
    mock.patch.object(progress.Pace, "cost_per_second", 1e5).start()


def session(commands: list[str]) -> None:
    """Run commands one after another, each below its text, as in a shell; ``# name`` calls a function here."""
    for command in commands:
        print(f"$ {command}", flush=True)
        if command.startswith("# "):
            globals()[command.removeprefix("# ").replace(" ", "_")]()
            continue
        sys.argv = shlex.split(command)
        try:
            run_command()
        except SystemExit as end:
            if end.code:
                print(f"(exit code {end.code})")
        print()


def damage_the_result() -> None:
    """Change a byte of a part of the result."""
    part = min(Path("r/parts").iterdir())
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)


def paused(before: int, *arguments: str) -> None:
    """Run a command that waits before the part of a number, until there is a file called go; it prints a line too."""
    train, n_parts = PartTrainer.train, 0

    def waiting(worker: PartTrainer, part: Part) -> PartResult:
        nonlocal n_parts
        n_parts += 1
        if n_parts == 1:
            print("a plugin prints a line", flush=True)
        while n_parts == before and not Path("go").exists():
            time.sleep(0.01)
        return train(worker, part)

    PartTrainer.train = waiting  # type: ignore[method-assign]
    sys.argv = ["sweep", *arguments]
    main()


def compiling() -> None:
    """Show how training waits for the compiler."""
    with progress.SweepProgress(91_000, 1.0, 2, shown=True) as shown:
        shown.compiling(Compilation(3, 12, 200.0, at_most=True))
        while not Path("go").exists():
            time.sleep(0.01)


if __name__ == "__main__":
    __package__ = ""  # else usage errors would name this module, not sweep
    same_everywhere()
    globals()[sys.argv[1]](*json.loads(sys.argv[2]))

"""Compile the kernels of a study before it is trained, in processes side by side, into the cache on disk.

Numba compiles one kernel at a time in a process. Each process here trains one network of each shape for no step, by the
way that training takes too, so no kernel is forgotten.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import product
from queue import SimpleQueue
from threading import Thread
from typing import Any

import numpy as np

from kernels.simd.compiling import KernelKey, kernel_key
from kernels.start import initialize
from sweep.errors import SweepError
from sweep.schedule.plan import Plan
from sweep.study.load import parse_study
from sweep.study.model import Study
from sweep.system.host import memory_bytes
from sweep.training.shard_trainer import ShardTrainer, make_start

# Memory of a process that compiles, in bytes.
_PROCESS_BYTES = 4e8
# Seeds that are drawn: NumPy draws one or two of many numbers, and needs no kernel for it.
_SEEDS = np.arange(3)

# What one kernel is compiled for: a cell, and how its weights are drawn.
Item = dict[str, Any]


def items_to_compile(study: Study) -> list[Item]:
    """Return a cell, and a way to draw weights, for each kernel of a study that is yet to be compiled."""
    plan = Plan(study)
    shard_trainer, seen, items = ShardTrainer(plan), set[KernelKey](), []
    cells = map(plan.first_cell, range(plan.n_shapes))
    for number, distribution, stream in product(cells, study.values_of("distribution"), study.values_of("stream")):
        cell = plan.grid.cell(number)
        trainer = shard_trainer.trainer(cell)
        start = make_start(cell.with_words(distribution=distribution, stream=stream))
        kernels = (
            trainer.uncompiled(cell.hidden, shard_trainer.settings(np.array([number]))),
            initialize.uncompiled(start, trainer.recipe.architecture, cell.hidden, trainer.recipe.dtype),
        )
        keys = {kernel_key(kernel) for kernel in kernels if kernel} - seen
        if keys:
            seen |= keys
            items.append({"cell": number, "distribution": distribution, "stream": stream})
    return items


def compile_items(study: Study, items: list[Item]) -> Iterator[Item]:
    """Compile the kernels of some items in this process, and yield each item when that is done."""
    plan = Plan(study)
    shard_trainer = ShardTrainer(plan)
    for item in items:
        number = np.array([item["cell"]])
        cell = plan.grid.cell(item["cell"]).with_words(distribution=item["distribution"], stream=item["stream"])
        trainer, settings = shard_trainer.trainer(cell), np.repeat(shard_trainer.settings(number), len(_SEEDS))
        settings["max_steps"] = 0
        recipe = trainer.recipe
        weights = initialize.initial_weights(
            make_start(cell), _SEEDS, recipe.architecture, cell.hidden, recipe.dtype, None
        )
        weights[-1] = np.inf  # a network that another kernel settles, where patterns are constants
        trainer.train(settings, weights, seeds=_SEEDS)
        yield item


def compile_study(study: Study, n_processes: int, tell: Callable[[int, int], None]) -> int:
    """Compile the kernels of a study in processes side by side.

    Parameters
    ----------
    study
    n_processes
        The largest number of processes; fewer where there are fewer kernels, or memory for fewer.
    tell
        Called with the number of items that are done, and that of all.

    Returns
    -------
    int
        Number of items that were compiled: a kernel that trains, one that draws weights, or both.

    Raises
    ------
    SweepError
        If a process ends early, as where memory is short.
    """
    items = items_to_compile(study)
    n_processes = max(1, min(n_processes, len(items), int(memory_bytes() / _PROCESS_BYTES)))
    done: SimpleQueue[str | None] = SimpleQueue()
    with ExitStack() as stack:
        for k in range(min(n_processes, len(items))):
            process = stack.enter_context(_start(study, items[k::n_processes]))
            stack.callback(process.kill)
            Thread(target=_listen, args=(process, done), daemon=True).start()
        n_done, n_running = 0, min(n_processes, len(items))
        while n_done < len(items):
            tell(n_done, len(items))
            if done.get():
                n_done += 1
            else:
                n_running -= 1
            if not n_running and n_done < len(items):
                raise SweepError("a process that compiles has ended early; try again with fewer (--processes 1)")
    return len(items)


def _start(study: Study, items: list[Item]) -> subprocess.Popen[str]:
    """Start a process that compiles some items, and tells a line for each that is done."""
    command = [sys.executable, "-m", "sweep.training.compile_ahead"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    process.stdin.write(json.dumps({"study": study.to_toml(), "items": items}) + "\n")
    process.stdin.flush()  # and is left open: the process ends when it closes, with whoever started it
    return process


def _listen(process: subprocess.Popen[str], done: SimpleQueue[str | None]) -> None:
    """Pass on the lines of a process, and then that it has ended."""
    assert process.stdout is not None
    for line in process.stdout:
        done.put(line)
    done.put(None)


def _end_with_parent() -> None:
    """End this process when nobody holds the other end of its standard input any more."""
    import os

    sys.stdin.read()
    os._exit(1)


def main() -> None:
    """Compile what standard input says, and print a line for each item that is done."""
    asked = json.loads(sys.stdin.readline())
    Thread(target=_end_with_parent, daemon=True).start()
    for _ in compile_items(parse_study(asked["study"], "standard input"), asked["items"]):
        print("done", flush=True)


if __name__ == "__main__":
    main()

"""A process that compiles kernels for another one. It reads their names from standard input, until that closes.

The first line is a study with its custom components. Each later line names a kernel; the answer is the number of
seconds that it took to compile. Answers go over a separate connection.
"""

from __future__ import annotations

import json
import os
import sys
import time
from queue import SimpleQueue
from threading import Thread
from typing import Any

from kernels.numba import entries
from sweep.schedule.plan import Plan
from sweep.study.load import parse_study
from sweep.training.compiling.kernel_items import Item, compile_item
from sweep.training.compiling.kernel_modules import import_all_kernels
from sweep.training.component_trials import take_components
from sweep.training.networks.part_trainer import PartTrainer


def main(answers: Any) -> None:
    """Compile the kernels that standard input names, into the cache on disk, and send the seconds over a connection."""
    lines: SimpleQueue[str] = SimpleQueue()
    Thread(target=_read, args=(lines,), daemon=True).start()
    text, custom_components = json.loads(lines.get())
    take_components(custom_components)
    worker = PartTrainer(Plan(parse_study(text, "standard input")))
    import_all_kernels()
    answers.send_bytes(b"ready")
    while not entries.n_unwritten():  # a kernel that cannot be written is of no use
        item = Item(*json.loads(lines.get()))
        begin = time.monotonic()
        compile_item(worker, item)
        if not entries.n_unwritten():
            answers.send_bytes(str(time.monotonic() - begin).encode())


def _read(lines: SimpleQueue[str]) -> None:
    """Pass lines on, and end this process at once when standard input closes."""
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)

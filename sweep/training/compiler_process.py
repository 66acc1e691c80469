"""A process that compiles kernels for another one: what it is told on standard input, until that closes.

The first line is a study, with the custom components; each later one names a kernel, and is answered by the
seconds that it took to compile. Answers go over a connection of their own.
"""

from __future__ import annotations

import json
import os
import sys
import time
from queue import SimpleQueue
from threading import Thread
from typing import Any

from kernels.simd import entries
from sweep.schedule.plan import Plan
from sweep.study.load import parse_study
from sweep.training.component_trials import take_components
from sweep.training.executors.threads import import_all_kernels
from sweep.training.kernel_items import Item, compile_item
from sweep.training.part_trainer import PartTrainer


def main(answers: Any) -> None:
    """Compile what standard input says, into the cache on disk, and send the seconds over a connection."""
    lines: SimpleQueue[str] = SimpleQueue()
    Thread(target=_read, args=(lines,), daemon=True).start()
    text, custom_components = json.loads(lines.get())
    take_components(custom_components)
    worker = PartTrainer(Plan(parse_study(text, "standard input")))
    import_all_kernels()
    answers.send_bytes(b"ready")
    while not entries.n_unwritten():  # what cannot be written helps nobody
        item = Item(*json.loads(lines.get()))
        begin = time.monotonic()
        compile_item(worker, item)
        if not entries.n_unwritten():
            answers.send_bytes(str(time.monotonic() - begin).encode())


def _read(lines: SimpleQueue[str]) -> None:
    """Pass lines on, and end this process when nobody holds the other end any more, whatever it is doing."""
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)

"""Faults of workers: a module that dask loads into them, so that the package needs no hooks for tests.

Environment variables, which the started processes inherit, define the faults.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from sweep import StoreError
from sweep.schedule.waves import Part
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.part_result import PartResult

PRELOAD = {"distributed.worker.preload": ["tests.sweep.cluster_faults"]}
ERRORS = {"memory": MemoryError("no more memory for part"), "full": StoreError("disk of the worker is full")}

_train = PartTrainer.train


def _faulty(worker: PartTrainer, part: Part) -> PartResult:
    """Train a part in a worker that is slow, dies or fails."""
    if folder := os.environ.get("FAULT_NOTES"):
        Path(folder, str(os.getpid())).touch()
    time.sleep(float(os.environ.get("FAULT_SECONDS", 0)))
    if str(part.index) in os.environ.get("FAULT_KILLERS", "").split():
        os.kill(os.getpid(), signal.SIGKILL)
    if str(part.index) in os.environ.get("FAULT_PART", "").split():
        raise ERRORS[os.environ["FAULT_ERROR"]]
    return _train(worker, part)


def dask_setup(worker: Any) -> None:
    """Prepare a worker."""
    PartTrainer.train = _faulty  # type: ignore[method-assign]


@contextmanager
def faults(**variables: str) -> Iterator[None]:
    """Give faults to workers that start within this context."""
    import dask

    with dask.config.set(PRELOAD), mock.patch.dict(os.environ, variables):
        yield

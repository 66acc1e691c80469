"""Write a result that was trained in memory into a results folder."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from sweep.results.result import Result, open_result
from sweep.schedule.plan import Plan
from sweep.store.claim import FolderRequest, claim
from sweep.store.local import files_at
from sweep.store.memory import MemoryParts
from sweep.store.own_bits import own_bits
from sweep.training.coordinator import Coordinator
from sweep.training.executors.threads import ThreadExecutor
from sweep.training.limits import Limits
from sweep.training.run import complete


def save_trained(trained: MemoryParts, out: str | Path, threads: int = 1) -> Result:
    """Write trained parts into a results folder, as if they had been trained there; return its result.

    Parts that the folder has stay. StoreError if it holds anything else or cannot be written.
    """
    study, start = trained.plan.study, time.time()
    request = FolderRequest(study, trained.keep, False, own_bits(), trained.plan.waves)
    with claim(files_at(out), request) as store:
        if store.facts()["complete"]:
            return open_result(store.files)
        there = store.commits()
        for commit, outcome in trained.outcomes():
            if commit.part not in there:
                store.write_part(outcome, session=commit.session, begin=commit.begin, end=commit.end)
        training = Coordinator(Plan(study), store, Limits(), False)
        return complete(training, partial(ThreadExecutor, threads), start, threads)

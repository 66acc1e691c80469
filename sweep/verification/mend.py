"""Train damaged or lost parts again, by the ranges of commits, so that folders of other versions can be repaired."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from itertools import pairwise
from math import inf
from pathlib import PurePath

from sweep.errors import StoreError
from sweep.schedule.part import Part
from sweep.schedule.plan import Plan
from sweep.store.commits import Commit, commit_name
from sweep.store.files import waits_ended_by
from sweep.store.own_bits import own_bits
from sweep.store.store import Store
from sweep.system.progress import SweepProgress
from sweep.system.signals import Interrupts
from sweep.training.adaptive_rounds import AdaptiveRounds
from sweep.training.compiling.kernel_modules import import_all_kernels
from sweep.training.component_trials import check_custom_components
from sweep.training.executors.threads import work_in_threads
from sweep.training.networks.part_trainer import PartTrainer
from sweep.verification.check import check
from sweep.verification.findings import Findings
from sweep.verification.sample import Sample


def mend(store: Store, sample: Sample, n_threads: int, shown: bool | None) -> Findings:
    """Check commits and parts, and train damaged or lost parts again until no fault is left.

    Return all faults that were found, and the state after the repair. A round is repaired once all earlier rounds are
    correct, since these determine its cells.
    """
    found = check(store, sample, n_threads, shown)
    faults, n_retrained = found.faults, found.n_retrained
    for _ in store.study.seeds.rounds:
        if found.intact:
            break
        check_custom_components(store.study)
        _mend_round(store, found, n_threads, shown)
        found = check(store, sample, n_threads, shown, found.passed)
        faults, n_retrained = faults + found.faults, n_retrained + found.n_retrained
    if not found.intact:
        raise StoreError(f"{found.faults[0]}; training cannot repair this, so start over with --overwrite")
    found.faults, found.n_retrained = list(dict.fromkeys(faults)), n_retrained
    return found


def _mend_round(store: Store, found: Findings, n_threads: int, shown: bool | None) -> None:
    """Train the damaged or lost parts of the first round that has any again."""
    plan = store.plan
    damaged = [commit.as_part() for commit in found.bad_parts]
    damaged += _lost(store, plan, found)
    if damaged:
        store.check_bits(own_bits())
        store.trained_by(own_bits())
        bad = set(found.bad_parts)
        store.check_alike(commit for commit in found.commits if commit not in bad)
    first = min(map(plan.parts.round_of, damaged), default=0)
    if plan.parts.start_of(first) > found.needed:  # leave a round that has not started to the next run
        damaged = []
    store.files.remove(*set(found.bad_commits).difference(f"commits/{commit_name(part.index)}" for part in damaged))
    rounds = AdaptiveRounds(plan, store, lambda: found.passed)
    parts = [rounds.restrict(part) for part in damaged if plan.parts.round_of(part) == first]
    if parts:
        _train(store, plan, parts, {commit.part: commit for commit in found.bad_parts}, n_threads, shown)


def _train(
    store: Store, plan: Plan, parts: list[Part], replaced: dict[int, Commit], n_threads: int, shown: bool | None
) -> None:
    """Train parts, and write them in place of existing parts."""
    session = secrets.token_hex(8)
    import_all_kernels()
    n_runs = sum(part.n_runs for part in parts)
    with (
        Interrupts() as interrupts,
        waits_ended_by(interrupts.check, [store.files]),
        SweepProgress(max(n_runs, 1), 0.0, n_threads, shown) as progress,
    ):
        part_trainer = PartTrainer(plan, interrupts.check)

        def work(part: Part) -> Part:
            begin = time.time()
            result = part_trainer.train(part)
            store.replace_part(result, replaced.get(part.index), session=session, begin=begin, end=time.time())
            return part

        progress.show("training damaged parts again")
        for part in work_in_threads(work, iter(parts), n_threads, interrupts, progress.tick):
            progress.skip(part.n_runs, 0.0)
    store.sync_commits()


def _lost(store: Store, plan: Plan, found: Findings) -> Iterator[Part]:
    """Yield finished parts whose commits are missing or cannot be read.

    They are parts of the plan, or, if another version planned otherwise, the ranges between commits.
    """
    bad = {int(PurePath(name).stem) for name in found.bad_commits}
    for start, stop, first, last in _gaps(found.commits, plan.n_runs):
        named = [index for index in bad if first < index < last]
        starts = [plan.parts.start_of(number) for number in range(plan.parts.n_rounds)]
        cuts = [start, *(each for each in starts if start < each < stop), stop]
        for begin, end in pairwise(cuts):  # no part lies in two rounds
            planned = list(plan.parts.between(begin, end))
            whole = planned and (planned[0].start, planned[-1].stop) == (begin, end)
            if begin >= found.needed:  # parts without a commit may never have been trained
                yield from (part for part in planned if part.index in named)
            elif whole and first < planned[0].index and planned[-1].index < last:
                yield from planned
            elif len(cuts) == 2 and (len(named) == 1 or last - first == 2 or last == inf):
                yield Part(named[0] if named else first + 1, begin, end)
            else:
                raise StoreError(
                    f"commits in {store.files.place!r} are missing, and this version plans other parts; repair it with "
                    "the version that started it, or start over with --overwrite"
                )


def _gaps(commits: list[Commit], n_runs: int) -> Iterator[tuple[int, int, int, float]]:
    """Yield visiting positions without a commit, with the numbers of the parts before and after."""
    ends = [(0, -1), *((commit.stop, commit.part) for commit in commits)]
    starts = [*((commit.start, commit.part) for commit in commits), (n_runs, inf)]
    for (start, first), (stop, last) in zip(ends, starts, strict=True):
        if start < stop:
            yield start, stop, first, last

"""Train the missing parts of a plan: selection, order, limits, and progress."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing
from weakref import proxy

from sweep.results.aggregate import Aggregate
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from sweep.schemas.run_columns import curved_measures
from sweep.store.commits import Commit, check_planned
from sweep.store.files import waits_ended_by
from sweep.store.stored_runs import WritableResult
from sweep.system.progress import SweepProgress
from sweep.system.signals import Interrupts
from sweep.training.adaptive_rounds import AdaptiveRounds
from sweep.training.executors.executor import Executor, MakeExecutor, Work
from sweep.training.limits import Budget, Limits
from sweep.training.reuse import Reuse
from sweep.training.speed import Trained, note_training


class Coordinator:
    """The state of a plan's parts, of this call and of earlier ones, and the training of missing ones within limits.

    ``shown`` is whether to show progress; None if it takes long. ``commits`` are those of finished parts by number,
    ``n_threads`` is the most parts that this call trained at once, and ``aggregate`` has statistics and digest of all
    parts once :meth:`run` has finished them.
    """

    def __init__(
        self, plan: Plan, parts: WritableResult, limits: Limits, shown: bool | None, reuse: Reuse | None = None
    ) -> None:
        self.plan, self.parts, self._limits, self.shown, self._reuse = plan, parts, limits, shown, reuse
        self.commits = parts.commits()
        for commit in self.commits.values():
            check_planned(commit, plan)
        # Parts in memory keep the aggregate: with a reference from there to them, millions of rows would stay in memory
        # until the garbage collector looks for circles, which it rarely does.
        self.aggregate = Aggregate(plan.study, proxy(parts))
        self._rounds = AdaptiveRounds(plan, parts)
        self.n_threads = 1
        self._added: set[int] = set()
        self._trained: list[Trained] = []  # by this call

    @property
    def complete(self) -> bool:
        """Whether all parts are finished."""
        return len(self.commits) == self.plan.n_parts

    @property
    def limited(self) -> bool:
        """Whether parts are missing that this call should have trained."""
        return any(index not in self.commits for index in self._limits.choose(self.plan))

    def run(self, make_executor: MakeExecutor) -> None:
        """Train missing parts within the limits. If all are finished afterward, read all parts.

        After an interrupt, parts under way for less than about a second are finished.
        """
        with (
            Interrupts() as interrupts,
            waits_ended_by(interrupts.check, self.parts.opened + (self._reuse.files if self._reuse else [])),
            SweepProgress(self.plan.n_runs, self.plan.parts.operations, 1, self.shown) as progress,
        ):
            for commit in self.commits.values():
                progress.skip(commit.stop - commit.start, self.plan.part(commit.part).cost)
            progress.tick()
            missing = [index for index in self._limits.choose(self.plan) if index not in self.commits]
            if missing:
                budget = Budget(self._limits, self.plan)
                work = Work(self.plan, self.parts, len(missing), interrupts, budget, progress, self._reuse)
                with make_executor(work) as executor:
                    executor.expect(map(self.plan.part, missing))
                    self._train_rounds(executor, budget, progress)
                    self.n_threads = executor.n_threads
            if not self.complete:  # other processes may have trained the other parts
                self.commits |= self.parts.commits()
            if self.complete:
                progress.show("reading trained parts")
                for commit in self.commits.values():
                    interrupts.check()
                    self._add(commit)
            interrupts.check()  # an interrupt may have come since the last part

    def _train_rounds(self, executor: Executor, budget: Budget, progress: SweepProgress) -> None:
        """Train missing parts round by round, since all earlier rounds decide each round."""
        for number in range(self.plan.parts.n_rounds):
            missing = [index for index in self._limits.choose(self.plan, number) if index not in self.commits]
            if self.parts.shared:  # a random order for each process, so that they seldom train the same part
                secrets.SystemRandom().shuffle(missing)
                missing.sort(key=self.plan.parts.wave_of_number)
            if missing:
                parts = map(self._rounds.restrict, map(self.plan.part, missing))
                self._train(executor, budget, parts, self._estimate(number, len(missing)), progress)
            if not self.commits.keys() >= set(self.plan.parts.order(number)):
                break
        of_steps = not curved_measures(self.plan.study)  # their cost does not depend on the steps
        from kernels.numba.jit import ENABLED  # loaded by now

        if executor.here and self._reuse is None and of_steps and ENABLED:
            note_training(self.plan.study, self._trained)

    def _estimate(self, number: int, n_parts: int) -> float:
        """Estimate the operations of ``n_parts`` parts of a round, within the limits."""
        of, n_runs, operations = self.plan.parts.round_size(number)
        part = n_parts / of
        return part * self._limits.share(int(part * n_runs)) * operations

    def _train(
        self, executor: Executor, budget: Budget, parts: Iterator[Part], operations: float, progress: SweepProgress
    ) -> None:
        """Train parts, and add each commit once it is written."""
        # Closed also after an error, so that workers end.
        with closing(executor.map(budget.take(parts), operations)) as commits:
            for commit in commits:
                self.commits[commit.part] = commit
                budget.is_used = True
                self._add(commit)
                n_runs, part = commit.stop - commit.start, self.plan.part(commit.part)
                if commit.session != executor.session:
                    progress.skip(n_runs, part.cost)
                    continue
                seconds = commit.end - commit.begin
                progress.advance(n_runs, part.cost, commit.trained_steps, seconds)
                steps = commit.trained_steps, commit.lane_steps
                taken, of_lanes = (self.plan.parts.wave_of(part).operations_of(part, each) for each in steps)
                self._trained.append(Trained(part.cost, taken, of_lanes, seconds))

    def _add(self, commit: Commit) -> None:
        """Add a part, once."""
        if commit.part not in self._added:
            check_planned(commit, self.plan)
            self.aggregate.add(commit)
            self._added.add(commit.part)

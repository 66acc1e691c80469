"""xor-sweep itself: its kernels as the engine calls them, and ``sweep.run`` as a whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import numpy as np

from kernels.recipe import Recipe, make_settings
from kernels.start.initialize import Start, initial_weights
from kernels.train import Trainer
from sweep.bench.case import BETA1, BETA2, EPS, MOMENTUM, Array, Case
from sweep.bench.peers import Peer, UnsupportedError
from sweep.bench.studies import study_tables
from sweep.errors import StudyError

# Networks fill whole packets of any width, up to three in turns of 16 lanes each, in every thread.
NETWORKS = 48

# The most networks of one call: initial weights of the next ones are drawn while these train.
MOST_NETWORKS = 2**14


def recipe(case: Case) -> Recipe:
    """Return the recipe of a case."""
    return Recipe(
        case.architecture,
        loss=case.loss,
        reduction=case.reduction,
        optimizer=case.optimizer,
        batch=case.batch,
        criterion="none",
        dtype=case.dtype,
    )


def settings(case: Case, **other: Any) -> Array:
    """Return the settings of one cell, where ``other`` replaces those of the case."""
    own: dict[str, Any] = {
        "learning_rate": case.learning_rate,
        "gain": case.gain,
        "momentum": MOMENTUM,
        "beta1": BETA1,
        "beta2": BETA2,
        "eps": EPS,
        "max_steps": case.steps,
    }
    return make_settings(1, **(own | other))


def draw(case: Case, seeds: Array) -> Array:
    """Draw the initial weights of ``seeds``."""
    return initial_weights(Start(), seeds, case.architecture, case.hidden, case.dtype)


def in_turns(n_networks: int, threads: int) -> list[Array]:
    """Divide networks into parts, one for each thread in every turn, so that all threads end together."""
    n_turns = -(-n_networks // (threads * MOST_NETWORKS))
    return np.array_split(np.arange(n_networks), threads * n_turns)


class XorSweep(Peer):
    """The kernels, called by threads as in the engine; the threads draw initial weights too."""

    title: ClassVar[str] = "xor-sweep"
    same_bits: ClassVar[bool] = True
    takes_weights: ClassVar[bool] = False

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        self._trainer = Trainer(recipe(case), case.inputs, case.targets)
        self._settings = settings(case)

    @property
    def granularity(self) -> int:
        """Networks of one packet or more in each thread."""
        return NETWORKS * self.threads

    def train(self, weights: Array) -> Array:
        """Train as many networks, from weights drawn here."""
        parts = in_turns(len(weights), self.threads)
        with ThreadPoolExecutor(self.threads) as pool:
            return np.concatenate(list(pool.map(self._train, parts)))

    def _train(self, seeds: Array) -> Array:
        outcome = self._trainer.train(
            self._settings, draw(self.case, seeds), np.array([len(seeds)]), hidden=self.case.hidden
        )
        return np.asarray(outcome.columns.final_loss)


class SweepRun(Peer):
    """``sweep.run`` of a study with one cell, in memory: plan, rows and statistics too."""

    title: ClassVar[str] = "xor-sweep, sweep.run"
    same_bits: ClassVar[bool] = True
    takes_weights: ClassVar[bool] = False

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        from sweep.study.model import Study

        try:
            Study(**study_tables(case, 1))
        except StudyError as error:
            raise UnsupportedError(f"no study can express this case: {error}") from None

    def train(self, weights: Array) -> Array:
        """Train as many networks, from weights drawn here."""
        import sweep

        result = sweep.run(sweep.Study(**study_tables(self.case, len(weights))), threads=self.threads)
        return np.asarray(result.runs(["final_loss"])["final_loss"])

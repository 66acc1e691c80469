"""Record measures and weights of trained networks, each in its column."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kernels.data.patterns import make_patterns
from kernels.loop.run_arrays import DIVERGED, Outcome
from kernels.recipe import Hidden, Recipe
from kernels.shapes import shared_places
from kernels.vocabulary import OVER_OUTPUTS
from sweep.measures.measure import Curved, Networks, Patterns
from sweep.schedule.recipes import ShapeRuns
from sweep.schemas.run_columns import curved_measures, network_columns, recorded_measures
from sweep.study.data.data_sets import DataSets
from sweep.study.model import Study
from sweep.study.options.explicit_weights import element_of
from sweep.study.options.option_values import groups_of
from sweep.training.networks.gradients import Gradients

if TYPE_CHECKING:
    from sweep.training.networks.tester import Tester

Array = NDArray[Any]

# Seconds after which the computation of a measure may be interrupted.
_LONG_SECONDS = 1.0


class NetworkRecorder:
    """Records measures and weights of the networks of a study, whose patterns are ``data``; threads share one.

    ``testers``, by their patterns, compute outputs for held-out patterns, and with validation patterns those for
    patterns to train on.
    """

    def __init__(self, study: Study, data: DataSets, testers: Mapping[str, Tester]) -> None:
        self._study = study
        self._columns = network_columns(study)
        computed = [each for each in recorded_measures(study) if each.compute]
        self._computed = {each.name: each.compute for each in computed if each.compute}
        self._needs_best = any(each.is_at_best for each in computed)
        needed = {"test", *(of for each in computed for of in each.needs)}  # a learned function is that of tests too
        self._testers = {of: tester for of, tester in testers.items() if of in needed}
        self._own_tester = testers.get("train")
        # Whether trained networks are needed for what the study records, and their outputs.
        self.needs_weights = bool(self._computed or study.record.columns_of_weights)
        self.needs_outputs = bool(self._computed)
        self.gradients = Gradients(data) if curved_measures(study) else None
        # Targets by the patterns, and decision thresholds, for each dtype of networks.
        self._targets: dict[str, dict[str, Array]] = {}
        self._decision_thresholds: dict[str, Array] = {}
        for dtype in study.values_of("dtype"):
            patterns = make_patterns(*data.arrays(), dtype, data.decision_thresholds())
            of_tests = {of: data.arrays(of)[1] for of in data.held_out}
            self._targets[dtype] = {of: _sets(y, dtype) for of, y in ({"train": patterns.targets} | of_tests).items()}
            thresholds = np.reshape(patterns.decision_threshold, (-1, 1, 1))
            self._decision_thresholds[dtype] = thresholds.astype(np.float64)

    def nothing(self) -> dict[str, Array]:
        """Return the columns of no runs."""
        dtype = self._study.widest_dtype
        return {c.name: np.empty((0, 0), dtype) if c.is_list else np.empty(0, c.type) for c in self._columns}

    def record(
        self, runs: ShapeRuns, initial: Array, outcome: Outcome, pause: Callable[[], None] | None = None
    ) -> dict[str, Array]:
        """Return the columns of some runs by name: (runs,), or (runs, parameters) of weights.

        ``initial`` weights, (runs, parameters), are copied if they are recorded. ``outcome`` has final weights and
        predictions, if these are needed. ``pause`` is called about every second of long computations; an exception that
        it raises ends them.
        """
        recorded: dict[str, Array] = {}
        with np.errstate(all="ignore"):  # numbers of runs that have diverged
            if self._computed:
                networks = self._networks(runs, initial, outcome)
                if self.gradients:
                    curved = self._curved(self.gradients, runs, pause)
                    best = networks.best and networks.best._replace(curved=curved)
                    networks = networks._replace(curved=curved, best=best)
                for name, compute in self._computed.items():
                    recorded[name] = compute(networks)
        for name, sums in zip(self._study.record.loss_sums, outcome.columns.loss_sums.T, strict=True):
            recorded[name] = sums
        for name in self._study.record.columns_of_weights:
            kinds = {"initial_weights": initial, "best_weights": outcome.best_weights}
            weights = kinds.get(name, outcome.final_weights).astype(self._study.widest_dtype)
            weights[np.isnan(weights)] = np.nan  # bit patterns of NaN differ between machines
            recorded[name] = weights
        return recorded

    def _networks(self, runs: ShapeRuns, initial: Array, outcome: Outcome) -> Networks:
        """Return the networks of runs with everything that measures need."""
        recipe = runs.recipe
        final = Networks(
            initial.astype(np.float64),
            outcome.final_weights.astype(np.float64),
            recipe.architecture.shapes(runs.cell.hidden),
            self._patterns(runs, outcome.final_weights, outcome.predictions),
            self._of_runs(runs, self._decision_thresholds[recipe.dtype]),
            recipe.architecture.output in OVER_OUTPUTS,
            outcome.columns.status == DIVERGED,
        )
        if not self._needs_best:
            return final
        assert self._own_tester
        weights, lost = outcome.best_weights, outcome.columns.best_steps[:, 0] < 0
        own = self._own_tester.outputs(runs, weights)
        patterns = self._patterns(runs, weights, own)
        best = final._replace(final=weights.astype(np.float64), patterns=patterns, diverged=lost)
        return final._replace(best=best)

    def _patterns(self, runs: ShapeRuns, weights: Array, own: Array) -> dict[str, Patterns]:
        """Return the outputs of networks by the patterns, of which ``own`` are those for patterns to train on."""
        recipe = runs.recipe
        found = {"train": own} | {of: tester.outputs(runs, weights) for of, tester in self._testers.items()}
        shape = len(weights), -1, recipe.architecture.outputs
        return {
            of: Patterns(y.reshape(shape).astype(np.float64), self._of_runs(runs, self._targets[recipe.dtype][of]))
            for of, y in found.items()
        }

    def _of_runs(self, runs: ShapeRuns, of_sets: Array) -> Array:
        """Return the numbers of the set of patterns of each run, or of the only set."""
        return of_sets[np.repeat(runs.settings["patterns"], runs.counts)] if len(of_sets) > 1 else of_sets

    def _curved(self, made: Gradients, runs: ShapeRuns, pause: Callable[[], None] | None) -> Curved:
        """Return what the second derivatives of the loss of runs are computed from."""
        recipe, cell, settings, counts = runs
        of_runs, begin = np.repeat(np.arange(len(counts)), counts), time.monotonic()

        def gradients(chosen: NDArray[np.int64], weights: Array) -> Array:
            if pause and time.monotonic() - begin > _LONG_SECONDS:  # eigenvalues take longer than gradients
                pause()
            cells, n_networks = np.unique(of_runs[chosen], return_counts=True)
            return made.at(ShapeRuns(recipe, cell, settings[cells], n_networks), weights, pause)

        trained = np.repeat(_trained(recipe, cell.hidden, settings), counts, axis=0)
        groups = groups_of(cell["share"])
        return Curved(trained, gradients, shared_places(recipe.architecture.shapes(cell.hidden), groups))


def _sets(targets: Array, dtype: Any) -> Array:
    """Return targets as training has them, as float64, (sets, patterns, outputs)."""
    return targets.reshape(-1, *targets.shape[-2:]).astype(dtype).astype(np.float64)


def _trained(recipe: Recipe, hidden: Hidden, settings: Array) -> NDArray[np.bool_]:
    """Return which parameters the runs of each cell may change, (cells, parameters)."""
    moves = {"hidden": settings["learning_rate"] > 0, "outputs": settings["output_learning_rate"] > 0}
    moves["outputs"] |= np.isnan(settings["output_learning_rate"]) & moves["hidden"]
    kinds = []
    for name, shape in recipe.architecture.shapes(hidden).items():
        trained = np.full(shape, name[0] not in recipe.frozen)
        for array, index in filter(None, map(element_of, recipe.frozen_weights)):
            if name == ("v" if array == "k" and hidden == (0,) else array):  # see make_recipe
                trained[index] = False
        kinds.append(moves["hidden" if name[0] in "wb" or name[1:] else "outputs"][:, np.newaxis] & trained.ravel())
    return np.concatenate(kinds, axis=1)

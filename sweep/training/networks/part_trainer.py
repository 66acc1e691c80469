"""Train one part: from its positions in the plan to the outcomes of its runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import copy
from threading import local
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.loop.run_arrays import DIVERGED, Columns, Outcome
from kernels.recipe import Architecture, Hidden, Recipe
from kernels.shapes import shared_places
from kernels.start import initialize
from kernels.start.explicit import Explicit, place_explicit
from kernels.start.initialize import Start
from kernels.train import Trainer
from sweep.schedule.kernel_count import draws_by_numpy, study_effort
from sweep.schedule.plan import Plan
from sweep.schedule.recipes import ShapeRuns, cell_settings, make_recipe
from sweep.schedule.waves import Part
from sweep.schemas.run_columns import measure_columns
from sweep.study.axes.grid import Cell
from sweep.study.data.data_sets import DataSets
from sweep.study.model import Study
from sweep.study.options.explicit_weights import element_of
from sweep.study.options.option_tables import with_role
from sweep.study.options.option_values import groups_of
from sweep.training.component_trials import check_custom_components
from sweep.training.networks.attempts import Attempt, spawned, train_attempts
from sweep.training.networks.kept_trainers import KeptTrainers
from sweep.training.networks.network_recorder import NetworkRecorder
from sweep.training.networks.own_sets import OwnSets
from sweep.training.networks.tester import Tester, right_patterns
from sweep.training.outcome_columns import make_outcomes, updates
from sweep.training.part_result import PartResult

if TYPE_CHECKING:
    from sweep.training.reuse import Reuse

Array = NDArray[Any]

_START = with_role("start")
# Fields of a start that are not called as their option.
_FIELDS = {"draw_order": "order"}

# Seconds after which a part may be interrupted between two pieces, each of which may need a kernel.
_LONG_SECONDS = 1.0


class _Trained(NamedTuple):
    """Outcomes of the runs of a piece, steps of lanes, steps of reused runs, and recorded measures and weights."""

    columns: Columns
    lane_steps: int
    reused_steps: int
    networks: dict[str, Array]


class PartTrainer:
    """Trains parts of one plan; threads share one.

    ``pause`` is called about every second, and an exception that it raises ends the training of a part. Rows of
    ``reuse`` are taken from earlier results.
    """

    def __init__(self, plan: Plan, pause: Callable[[], None] | None = None, reuse: Reuse | None = None) -> None:
        self.plan, self._pause, self._reuse = plan, pause, reuse
        self._measures = measure_columns(plan.study)
        self._effort = study_effort(plan.study, plan.parts.operations)
        self._given = _given_in_all(plan.study)
        self._thread = local()  # each thread's memory for weights
        self._own_sets = OwnSets(plan.study) if plan.study.data.drawn else None
        self._use(plan.study.data)

    def _use(self, data: DataSets, numbers: Array | None = None) -> None:
        """Train with these sets of patterns: that of the cell, or with ``numbers``, (runs,), that of each run."""
        self._data, self._numbers, self._patterns = data, numbers, data.arrays()
        self.testers: dict[str, Tester] = {of: Tester(data, of) for of in data.held_out}
        by_own = self.plan.study.record.curves or data.n_validations
        self.own_tester = Tester(data, "train") if by_own else None
        own: dict[str, Tester] = {"train": self.own_tester} if self.own_tester else {}
        self.networks = NetworkRecorder(self.plan.study, data, self.testers | own)
        self._trainers = KeptTrainers(self._make_trainer)

    def of_runs(self, cells: Array, counts: Array, seeds: Array) -> tuple[PartTrainer, Array, Array]:
        """Return what trains some runs, and their cells and counts, one of each run where each has its own patterns.

        Other studies train all runs with this trainer. Those of a piece are as many as :meth:`most_runs` allows.
        """
        if self._own_sets is None:
            return self, cells, counts
        of_runs, other = np.repeat(cells, counts), copy(self)
        other._use(*self._own_sets.of_runs(of_runs, seeds))
        return other, of_runs, np.ones_like(of_runs)

    @property
    def most_runs(self) -> int | None:
        """Most runs whose patterns are in memory together; None where cells have patterns."""
        return None if self._own_sets is None else self._own_sets.most_runs

    def train(self, part: Part) -> PartResult:
        """Train all runs of a part, except those reused from earlier results."""
        begin, trained = time.monotonic(), []
        for piece in self.plan.pieces(part):
            if self._pause and time.monotonic() - begin > _LONG_SECONDS:
                self._pause()
            if piece.open is None or piece.open.any():
                trained.append(self._train_piece(piece))
        nothing = _Trained(make_outcomes(self.plan.study, 0), 0, 0, self.networks.nothing())
        pieces, lane_steps, reused_steps, kept = zip(*(trained or [nothing]), strict=True)
        columns = pieces[0] if len(pieces) == 1 else Columns(*map(np.concatenate, zip(*pieces, strict=True)))
        networks = {name: [piece[name] for piece in kept] for name in nothing.networks}
        return PartResult(self.plan, part, columns, sum(lane_steps), sum(reused_steps), networks)

    def trainer(self, cell: Cell) -> Trainer:
        """Return the trainer of a cell; there is one for each recipe."""
        return self._trainers.of(make_recipe(self.plan.study, cell))

    def _make_trainer(self, recipe: Recipe) -> Trainer:
        study = self.plan.study
        check_custom_components(study)
        arguments: dict[str, Any] = {"decision_threshold": self._data.decision_thresholds(), "effort": self._effort}
        if recipe.holds_out:
            held_out = self._data.arrays("validation" if study.data.n_validations else "test")
            arguments |= {"held_out": held_out, "validate_every": study.values_of("validate_every")[0]}
        return Trainer(recipe, *self._patterns, study.record.loss_thresholds, **arguments)

    def check(self) -> None:
        """Raise the exception that ends the training, if it is to end."""
        if self._pause:
            self._pause()

    def settings(self, cells: Array) -> Array:
        """Return the settings of ``cells``, (cells,) of :data:`kernels.settings.SETTINGS`."""
        settings = cell_settings(self.plan, cells)
        if self._numbers is not None:
            settings["patterns"] = self._numbers
        return settings

    def weights(
        self,
        cells: Array,
        counts: Array,
        seeds: Array,
        out: Array | None = None,
        attempt: int = 0,
    ) -> Array:
        """Return the initial weights of runs, (runs, parameters): ``out``, or a new array.

        ``cells`` and ``counts``, (n,), are cells that share their shape, and the numbers of successive runs of each.
        ``seeds``, (runs,), has the seed of each run, and ``attempt`` is the number of their earlier attempts. A seed
        with the same start in several cells is drawn once.
        """
        first = self.plan.grid.cell(int(cells[0]))
        recipe = make_recipe(self.plan.study, first)
        n_parameters = recipe.architecture.n_parameters(first.hidden)
        if out is None:
            out = np.empty((len(seeds), n_parameters), recipe.dtype)
        drawn = seeds
        if attempt and self.plan.study.restarts.draw == "spawned":
            drawn, attempt = spawned(seeds, attempt), 0
        starts, which = self._starts(cells, attempt)
        if len(starts) == 1:
            self._draw(starts[0], drawn, recipe.architecture, first.hidden, out)
        else:
            which = np.repeat(which, counts)
            alike = [start.alike() for start in starts]
            for kind in dict.fromkeys(alike):
                own = np.array([each == kind for each in alike])
                runs = np.flatnonzero(own[which])
                of_kind = [start for start, is_own in zip(starts, own, strict=True) if is_own]
                index = (np.cumsum(own) - 1)[which[runs]]
                out[runs] = initialize.weights_by_start(
                    of_kind, index, drawn[runs], recipe.architecture, first.hidden, recipe.dtype
                )
        of_seeds, of_cells = self._given, _given_in_cells(self.plan, cells, counts)
        place_explicit(out, of_seeds, seeds - self.plan.study.seeds.base, recipe.architecture, first.hidden)
        place_explicit(out, of_cells, np.arange(len(seeds)), recipe.architecture, first.hidden)
        for places, *others in shared_places(recipe.architecture.shapes(first.hidden), groups_of(first["share"])):
            for other in others:
                out[:, other] = out[:, places]
        return out

    def _train_piece(self, piece: Part) -> _Trained:
        """Train the runs of a piece, except those reused from earlier results."""
        cells, counts = self.plan.cells(piece)
        seeds = self.plan.seeds(piece)
        if self._reuse is None:
            outcome, networks = self._train_runs(cells, counts, seeds)
            return _Trained(outcome.columns, outcome.lane_steps, 0, networks)
        columns = make_outcomes(self.plan.study, len(seeds))
        known = self._reuse.fill(cells, counts, seeds, columns)
        reused_steps = int(updates(columns)[known].sum(dtype=np.int64))
        lane_steps = reused_steps  # as if no lane had been idle
        if not known.all():
            counts = np.add.reduceat(~known, np.cumsum(counts) - counts, dtype=np.int64)
            outcome, _ = self._train_runs(cells[counts > 0], counts[counts > 0], seeds[~known])
            columns.put(~known, outcome.columns)
            lane_steps += outcome.lane_steps
        return _Trained(columns, lane_steps, reused_steps, {})

    def _train_runs(self, cells: Array, counts: Array, seeds: Array) -> tuple[Outcome, dict[str, Array]]:
        """Train runs of one shape, ``counts`` successive runs of each cell; return what is recorded of networks too."""
        most, n_runs = self.most_runs, len(seeds)
        if most is None:
            return self._train_together(cells, counts, seeds)
        found, of_runs = [], np.repeat(cells, counts)
        for some in (slice(first, first + most) for first in range(0, n_runs, most)):
            trainer, own, ones = self.of_runs(of_runs[some], np.ones_like(of_runs[some]), seeds[some])
            found.append(trainer._train_together(own, ones, seeds[some]))
        outcomes, networks = zip(*found, strict=True)
        columns = Columns(*map(np.concatenate, zip(*(each.columns for each in outcomes), strict=True)))
        joined = outcomes[0]._replace(columns=columns, lane_steps=sum(each.lane_steps for each in outcomes))
        return joined, {name: np.concatenate([each[name] for each in networks]) for name in networks[0]}

    def _train_together(self, cells: Array, counts: Array, seeds: Array) -> tuple[Outcome, dict[str, Array]]:
        """Train runs as :meth:`_train_runs`, all with the patterns of this trainer."""
        first = self.plan.grid.cell(int(cells[0]))
        trainer = self.trainer(first)
        settings = self.settings(cells)
        needs_networks = self.networks.needs_weights or bool(self.testers)
        arguments: Any = {"predictions": self.networks.needs_outputs, "final_weights": needs_networks}
        if self.plan.study.restarts.max_restarts:
            outcome, weights = self.train_attempts(cells, counts, seeds, **arguments)
        else:
            n_parameters = trainer.recipe.architecture.n_parameters(first.hidden)
            memory = self._memory_for_weights((len(seeds), n_parameters), trainer.recipe.dtype)
            weights = self.weights(cells, counts, seeds, out=memory)
            arguments |= {"hidden": first.hidden, "seeds": seeds, "pause": self._pause}
            outcome = trainer.train(settings, weights, counts, **arguments)
        runs = ShapeRuns(trainer.recipe, first, settings, counts)
        recorded = self.networks.record(runs, weights, outcome, self._pause)
        return self.measured(runs, outcome), recorded

    def train_attempts(self, cells: Array, counts: Array, seeds: Array, **arguments: Any) -> tuple[Outcome, Array]:
        """Train runs of one shape that may restart, as :func:`sweep.training.networks.attempts.train_attempts`.

        Further arguments are those of :meth:`kernels.train.Trainer.train`.
        """
        first = self.plan.grid.cell(int(cells[0]))
        trainer, of_runs = self.trainer(first), np.repeat(cells, counts)

        def train(attempt: Attempt) -> tuple[Outcome, Array]:
            own, own_cells = seeds[attempt.runs], of_runs[attempt.runs] if attempt.number else cells
            weights = self.weights(own_cells, attempt.counts, own, attempt=attempt.number)
            of_runs_only: dict[str, Any] = {"hidden": first.hidden, "seeds": own, "pause": self._pause}
            return trainer.train(attempt.settings, weights, attempt.counts, **of_runs_only, **arguments), weights

        return train_attempts(self.plan.study.restarts, self.settings(cells), counts, train)

    def measured(self, runs: ShapeRuns, outcome: Outcome) -> Outcome:
        """Return outcomes, with final weights, with the measures that training fills, if the study has any."""
        if not self._measures:
            return outcome
        columns = outcome.columns
        lost = columns.status == DIVERGED
        right = np.where(lost, 0, right_patterns(runs.recipe, columns))
        found = {"train_accuracy": right / self.plan.study.data.n_patterns}
        found |= self.tested(runs, outcome.final_weights, lost)
        if self.plan.study.data.n_validations:
            found |= self._at_best(runs, outcome)
        measures = np.column_stack([found[column.name] for column in self._measures])
        # Pieces of a part must have the same columns, whatever the kernels of each count.
        spent = {name: getattr(columns, name)[:, :0] for name in ("n_right", "best_steps", "best_held_out")}
        return outcome._replace(columns=columns._replace(measures=measures, **spent))

    def _at_best(self, runs: ShapeRuns, outcome: Outcome) -> dict[str, Array]:
        """Return the measures of the networks at the best validation, (runs,) by name."""
        steps, weights = outcome.columns.best_steps[:, 0], outcome.best_weights
        assert self.own_tester
        own = self.own_tester.measure(runs, weights, steps < 0)
        found = self.tested(runs, weights, steps < 0) | {"train_accuracy": own.accuracy}
        return {"steps_at_best": steps, "loss_at_best": own.loss} | {
            f"{name}_at_best": values for name, values in found.items()
        }

    def tested(self, runs: ShapeRuns, weights: Array, lost: NDArray[np.bool_]) -> dict[str, Array]:
        """Return how networks do with the patterns that do not train them, (runs,) by the name of the measure.

        ``weights`` are (runs, parameters), and ``lost`` says which networks have diverged.
        """
        found = dict[str, Array]()
        for of, tester in self.testers.items():
            loss, n_correct, accuracy = tester.measure(runs, weights, lost)
            found |= {f"{of}_loss": loss, f"n_{of}_correct": n_correct, f"{of}_accuracy": accuracy}
        return found

    def _starts(self, cells: Array, attempt: int) -> tuple[list[Start], Array]:
        """Return the distinct starts of cells that share their shape, and the index of each cell's start, (cells,)."""
        swept = [name for name in _START if name in self.plan.study.parameters]
        numbers = self.plan.grid.number(swept, cells)
        _, firsts, which = np.unique(numbers, return_index=True, return_inverse=True)
        first = make_start(self.plan.study, self.plan.grid.cell(int(cells[0])), attempt)
        values: list[dict[str, Any]] = [self.plan.grid.values(int(cells[k])) for k in firsts]
        return [first._replace(**{_FIELDS.get(name, name): each[name] for name in swept}) for each in values], which

    def _draw(self, start: Start, seeds: Array, architecture: Architecture, hidden: Hidden, out: Array) -> None:
        """Write the initial weights of runs into ``out``; each seed is drawn once if the runs span as few seeds."""
        dtype = str(out.dtype)
        if len(seeds) > 1 and int(np.ptp(seeds)) < len(seeds) - 1:
            each = np.arange(seeds.min(), seeds.max() + 1)
            of_seeds = initialize.initial_weights(start, each, architecture, hidden, dtype)
            np.take(of_seeds, seeds - seeds.min(), axis=0, out=out, mode="clip")
        else:
            initialize.initial_weights(start, seeds, architecture, hidden, dtype, out)

    def _memory_for_weights(self, shape: tuple[int, int], dtype: str) -> Array:
        """Return this thread's memory for weights, kept from part to part, since new pages are slow."""
        size = shape[0] * shape[1]
        numbers: Array | None = getattr(self._thread, "numbers", None)
        if numbers is None or numbers.size < size or numbers.dtype != dtype:
            numbers = self._thread.numbers = np.empty(size, dtype)
        return numbers[:size].reshape(shape)


def make_start(study: Study, cell: Cell, attempt: int = 0) -> Start:
    """Return the rule by which a cell draws the initial weights of an attempt."""
    options = {**cell, "by_numpy": draws_by_numpy(study), "attempt": attempt}
    options |= {field: cell[name] for name, field in _FIELDS.items()}
    return Start(**{name: options[name] for name in Start._fields})


def _given_in_all(study: Study) -> list[Explicit]:
    """Return the initial weights that a study sets for all cells; kernels place them over drawn ones."""
    given = []
    for name, numbers in study.explicit_weights.items():
        array, element = element_of(name) or (name, ())
        given.append(Explicit(array, element, np.array(numbers, np.float64)))
    return given


def _given_in_cells(plan: Plan, cells: Array, counts: Array) -> list[Explicit]:
    """Return the swept weights, with a value for each of the successive runs of some cells."""
    swept = [(name, element) for name in plan.study.parameters if (element := element_of(name))]
    return [Explicit(*element, np.repeat(plan.grid.column(name, cells), counts)) for name, element in swept]

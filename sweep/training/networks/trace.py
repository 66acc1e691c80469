"""Train one run again from its row: every loss, and the final weights."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from html import escape
from itertools import islice
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kernels.floating_point import default_floating_point
from kernels.recipe import NamedParameters
from sweep.columns import STATUSES
from sweep.errors import StoreError, StudyError
from sweep.schedule.plan import Plan
from sweep.schedule.recipes import ShapeRuns
from sweep.schemas.run_columns import measure_columns
from sweep.study.description import html_table
from sweep.study.load import load_study
from sweep.study.model import Study
from sweep.study.reading.value_forms import Scalar
from sweep.study.selection import check_seed
from sweep.system.formatting import count_text, list_text, short
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.outcome_columns import outcome_columns

if TYPE_CHECKING:
    from sweep.results.result import Result

Array = NDArray[Any]


# Number of first and of last evaluations, and of patterns, that a notebook shows.
_SHOWN_EVALUATIONS, _SHOWN_PATTERNS = 3, 16
# Columns of rows that are attributes of a trace.
_ENDS = ("status", "steps", "epochs", "initial_loss", "final_loss", "n_correct", "max_error")


@dataclass(frozen=True, repr=False)
class Trace:
    """One run, step by step.

    Attributes
    ----------
    study
        The study of the run.
    seed, cell
        Seed and cell of the run.
    parameters : dict
        The swept parameters of its cell.
    status, steps, epochs, initial_loss, final_loss, n_correct, max_error
        As in the runs table.
    restarts, total_steps
        Restarts of the run, and updates of all its attempts; everything else is of the last attempt.
    losses : (evaluations,)
        Loss at each evaluation: at the start, after each epoch, and at the last step. The last one belongs to
        ``weights``. In full batch, every update has an evaluation before it.
    evaluated_at : (evaluations,)
        Number of updates before each evaluation.
    inputs, targets, predictions : (patterns, inputs or outputs)
        Data, and predictions of the final network.
    weights : NamedParameters
        Arrays by name, also as attributes: ``w`` (inputs, hidden), ``v`` (hidden, outputs), and ``b`` (hidden,), ``c``
        (outputs,) and ``k`` (inputs, outputs) or None. With several hidden layers ``w1``, ``b1``, ``w2`` (units of the
        first layer, of the second), ..
    measures : dict
        Further columns of the runs table by name, such as ``test_loss``.
    threshold_steps : dict
        The step of the first evaluation at which the loss is below each loss threshold; -1 if it never is.
    row : dict
        Its columns of the runs table by name, as just trained.
    mismatches : dict
        For a stored run, the columns whose stored value differs, with that value.
    """

    study: Study
    seed: int
    cell: int
    parameters: dict[str, Scalar]
    status: str
    steps: int
    epochs: int
    initial_loss: float
    final_loss: float
    n_correct: int
    max_error: float
    restarts: int
    total_steps: int
    losses: NDArray[np.float64]
    evaluated_at: NDArray[np.int64]
    inputs: Array
    targets: Array
    predictions: Array
    weights: NamedParameters
    measures: dict[str, float]
    threshold_steps: dict[float, int]
    row: dict[str, Any]
    mismatches: dict[str, Any]

    def __repr__(self) -> str:
        """Return on one line how the run ended, with its first and last losses."""
        losses = [short(loss) if t is not None else ".." for t, loss in self._first_and_last()]
        return f"<Trace of {self._end}; losses {', '.join(losses)}>"

    def __str__(self) -> str:
        """Return the same as :meth:`text`."""
        return self.text()

    def _repr_html_(self) -> str:
        """Return the end, first and last losses, and predictions for a notebook."""
        losses = [
            (".." if t is None else f"{t:,}", short(loss) if t is not None else "")
            for t, loss in self._first_and_last()
        ]
        rows = zip(self.inputs, self.predictions, self.targets, strict=True)
        patterns = [[", ".join(map(short, each.tolist())) for each in row] for row in islice(rows, _SHOWN_PATTERNS)]
        more = (
            f"the first {_SHOWN_PATTERNS} of {len(self.inputs):,} patterns; "
            if len(self.inputs) > len(patterns)
            else ""
        )
        tables = html_table(["steps", "loss"], losses) + html_table(["inputs", "prediction", "target"], patterns)
        return f"<div><b>{escape(self._end)}</b>{tables}<small>{more}print(trace) writes all</small></div>"

    @property
    def _end(self) -> str:
        of = f"seed {self.seed} in cell {self.cell} of {self.study.name!r}"
        steps, outputs = count_text(self.steps, "step"), count_text(self.n_correct, "output")
        return f"{of}: {self.status} after {steps}, {outputs} correct"

    def _first_and_last(self) -> list[tuple[int | None, float]]:
        """Return steps and losses of the first and last evaluations; one pair without a step replaces the others."""
        pairs: list[tuple[int | None, float]] = list(zip(self.evaluated_at.tolist(), self.losses.tolist(), strict=True))
        if len(pairs) > 2 * _SHOWN_EVALUATIONS + 1:
            pairs[_SHOWN_EVALUATIONS:-_SHOWN_EVALUATIONS] = [(None, nan)]
        return pairs

    @default_floating_point
    def text(self) -> str:
        """Return the trace as text.

        It has the heading ``step loss`` and a line for each evaluation, then the final loss, status and steps,
        predictions with targets, and the weights.
        """
        before_end = zip(self.evaluated_at[:-1].tolist(), self.losses[:-1].tolist(), strict=True)
        lines = ["step loss", *(f"{t} {loss!r}" for t, loss in before_end)]
        epochs, met = f" epochs {self.epochs}" if self.epochs != self.steps else "", self.threshold_steps.items()
        lines += [
            f"final_loss {self.final_loss!r}",
            f"status {self.status} steps {self.steps}{epochs}",
            *([f"restarts {self.restarts} total_steps {self.total_steps}"] if self.study.restarts.max_restarts else ()),
            *(f"{name} {value!r}" for name, value in self.measures.items()),
            *(f"below {threshold!r} at step {t}" if t >= 0 else f"below {threshold!r} never" for threshold, t in met),
            "",
            "inputs -> prediction (target)",
        ]
        for x, y, target in zip(self.inputs, self.predictions, self.targets, strict=True):
            lines.append(f"{_array(x)} -> {_array(y)} ({_array(target)})")
        for name, values in self.weights.items():
            axes = "inputs, outputs" if next(iter(self.weights)) == name == "v" else _axes(name)
            joins_units = name[0] == "k" and len(values) > self.inputs.shape[1]
            axes = axes.replace("inputs", "inputs and earlier units") if joins_units else axes
            lines += ["", f"{name} ({axes})", _array(values)]
        return "\n".join(lines) + "\n"


def _axes(name: str) -> str:
    """Name the axes of a parameter array."""
    kind, number = name[0], int(name[1:] or 1)
    hidden, below = (f"hidden {number}" if name[1:] else "hidden"), "inputs" if number == 1 else f"hidden {number - 1}"
    axes = {"w": f"{below}, {hidden}", "b": hidden, "v": "hidden, outputs", "c": "outputs", "k": "inputs, outputs"}
    return f"inputs, {hidden}" if kind == "k" and name[1:] else axes[kind]


def _array(values: Array) -> str:
    """Return a whole array as text, as NumPy prints it by default."""
    return np.array2string(values, threshold=sys.maxsize)


def trace(source: Any, *args: Any, **kwargs: Any) -> Trace:
    """Train one run again and keep every loss: ``trace(study, seed)`` or ``trace(result, run)``.

    It uses the same kernel, so the numbers equal those of the sweep bit for bit.

    Parameters
    ----------
    source : Study, str, Path or Result
        A study with one cell, as :func:`sweep.run` accepts it, or a result.
    seed : int, optional
        For a study: one of its seeds, by default the first.
    run : int
        For a result: the number of the run, which is compared with its stored row.

    Returns
    -------
    Trace
        Losses, predictions and weights of the run; ``mismatches`` is empty if the stored row agrees.

    Raises
    ------
    StudyError
        If the study has several cells, or the seed is not one of its seeds.
    StoreError
        If the result has no such run, or ``run`` is missing.
    TypeError
        If ``source`` is of another type.
    """
    if isinstance(source, (str, Path)):
        source = load_study(source)
    if isinstance(source, Study):
        return _trace_study(source, *args, **kwargs)
    from sweep.results.result import Result  # which imports all of pandas

    if isinstance(source, Result):
        return _trace_run(source, *args, **kwargs)
    raise TypeError(f"source: must be a Study, its name or path, or a Result, got {type(source).__name__}")


def _trace_study(source: Study, seed: int | None = None) -> Trace:
    if source.n_cells > 1:
        swept = {name: values[0] for name, values in source.parameters.items() if len(values) > 1}
        names, example = list_text(list(swept)), " ".join(f"--set {key}={short(swept[key])}" for key in swept)
        raise StudyError(
            f"study: must have one cell (configuration) for a trace, got {source.n_cells:,}; choose one value of "
            f"{names}, such as {example}"
        )
    seed = source.seeds.base if seed is None else seed
    check_seed(source, seed)
    return _replay(Plan(source), 0, int(seed), {})


def _trace_run(source: Result, run: int | None = None) -> Trace:
    if run is None:
        raise StoreError(f"run: must be a number from 0 to {source.study.n_runs - 1} for this result, got None")
    plan = Plan(source.study)
    cell, offset = divmod(int(run), plan.n_seeds)
    return _replay(plan, cell, source.study.seeds.base + offset, source.row(run))


@default_floating_point
def _replay(plan: Plan, cell: int, seed: int, row: dict[str, Any]) -> Trace:
    """Train one run, and compare it with its row if there is one."""
    cells, seeds = np.array([cell]), np.array([seed])
    part_trainer, cells, one = PartTrainer(plan).of_runs(cells, np.ones(1, np.int64), seeds)
    trainer = part_trainer.trainer(plan.grid.cell(cell))
    settings = part_trainer.settings(cells)
    # First find the number of steps: losses of max_steps steps may take far too much memory.
    hidden = plan.grid.cell(cell).hidden
    first, initial = part_trainer.train_attempts(cells, one, seeds)
    ends = first.columns
    settings["max_steps"] = ends.steps
    outcome = trainer.train(settings, initial, hidden=hidden, seeds=seeds, final_weights=True, losses=True)
    columns = outcome.columns._replace(status=ends.status, threshold_steps=ends.threshold_steps, attempts=ends.attempts)
    outcome = outcome._replace(columns=columns)
    runs = ShapeRuns(trainer.recipe, plan.grid.cell(cell), settings, one)
    recorded = part_trainer.networks.record(runs, initial, outcome)
    outcome = part_trainer.measured(runs, outcome)
    found = {each.column.name: each.of(outcome.columns)[0].tolist() for each in outcome_columns(plan.study)}
    found["status"] = STATUSES[found["status"]]
    restarts, total_steps = outcome.columns.attempts[0].tolist()
    n_windows = plan.grid.n_windows(cells)[0].item()
    found["epochs"] = found["steps"] // n_windows
    evaluated_at = np.append(np.arange(0, found["steps"], n_windows), found["steps"])
    own = {"cell": cell, "seed": seed, **plan.grid.values(cell), **found}
    own |= {name: column[0].tolist() for name, column in recorded.items()}
    patterns = plan.study.patterns_of(cell, seed)
    return Trace(
        study=plan.study,
        parameters=plan.grid.values(cell),
        seed=seed,
        cell=cell,
        **{name: found[name] for name in _ENDS},
        restarts=restarts,
        total_steps=total_steps,
        losses=outcome.losses[0, : len(evaluated_at)],
        evaluated_at=evaluated_at,
        inputs=np.array(patterns.inputs),
        targets=np.array(patterns.targets),
        predictions=outcome.predictions[0].reshape(len(patterns.targets), -1),
        weights=trainer.recipe.architecture.split(outcome.final_weights[0], hidden),
        measures={column.name: found[column.name] for column in measure_columns(plan.study)},
        threshold_steps=dict(
            zip(plan.study.record.loss_thresholds, outcome.columns.threshold_steps[0].tolist(), strict=True)
        ),
        row=own,
        mismatches={name: stored for name, stored in row.items() if name in own and not _same_bits(stored, own[name])},
    )


def _same_bits(stored: Any, found: Any) -> bool:
    """Compare values as in the digest, where -0.0 differs from 0.0; all NaN are equal."""
    if isinstance(stored, list) and isinstance(found, list):
        return len(stored) == len(found) and all(map(_same_bits, stored, found))
    if isinstance(stored, float) and isinstance(found, float):
        return repr(stored) == repr(found)  # the shortest text that identifies a float, with its sign
    return bool(stored == found)

"""The weights of any runs, by training them again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.floating_point import default_floating_point
from sweep.errors import StoreError, SweepError, shown
from sweep.results.networks import by_name, rows_of_cell
from sweep.results.result import Result
from sweep.schedule.plan import Plan
from sweep.study.load import load_study
from sweep.study.model import Study
from sweep.study.selection import check_cell, check_seed
from sweep.system.plain_values import plain
from sweep.training.networks.part_trainer import PartTrainer

Array = NDArray[Any]

# Runs that are trained together; no result depends on it.
_AT_ONCE = 4096


@default_floating_point
def trained_weights(
    source: Study | str | Path | Result, cell: int = 0, seeds: Any = None, which: str = "final"
) -> dict[str, Array]:
    """Train runs of a cell and return their weights, which need not be recorded.

    Results of millions of runs would take far more space with weights. This trains only the runs in question, with the
    bits of the sweep.

    Parameters
    ----------
    source
        A study, its name or path, or a result.
    cell
        Number of the cell, as in ``result.cells``. A row of :meth:`sweep.Result.best` that pools folds or splits is
        several cells: ``result.cells.merge(best[["hidden"]])`` has their numbers.
    seeds : (runs,), optional
        Seeds, in any order; all seeds of the study by default.
    which
        ``"final"`` or ``"initial"`` weights.

    Returns
    -------
    dict
        Arrays by name with a row for each seed, as from :meth:`sweep.Result.weights`.

    Raises
    ------
    SweepError
        If there is no such cell, a seed is not one of the study, or ``which`` is another text.
    StoreError
        If a row of the result differs from the run that is trained.
    TypeError
        If ``source`` is of another type.

    Examples
    --------
    >>> import sweep
    >>> weights = sweep.trained_weights("hinton-xor", seeds=[3, 0])
    >>> weights["w"].shape, weights["c"].shape
    ((2, 2, 2), (2, 1))
    """
    study = load_study(source) if isinstance(source, (str, Path)) else getattr(source, "study", source)
    if not isinstance(study, Study):
        raise TypeError(f"source: must be a Study, its name or path, or a Result, got {type(source).__name__}")
    if which not in ("final", "initial"):
        raise SweepError(f"which: must be 'final' or 'initial', got {shown(which)}")
    check_cell(study, cell)
    chosen = _checked(study, seeds)
    plan = source.stored.plan if isinstance(source, Result) else Plan(study)
    trainer = PartTrainer(plan)
    at_once = min(_AT_ONCE, trainer.most_runs or _AT_ONCE)
    weights = [
        _train(trainer, source, int(cell), chosen[first : first + at_once], which)
        for first in range(0, len(chosen), at_once)
    ]
    return by_name(plan, int(cell), np.concatenate(weights))


def _checked(study: Study, seeds: Any) -> NDArray[np.int64]:
    """Return the seeds; SweepError if some is not one of the study."""
    if seeds is None:
        return study.seeds.base + np.arange(study.seeds.count)
    listed = plain(seeds)
    listed = listed if isinstance(listed, list) else [listed]
    for seed in listed:
        check_seed(study, seed, "seeds")
    if not listed:
        raise SweepError("seeds: must be one or more, got none")
    return np.array(listed, np.int64)


def _train(worker: PartTrainer, source: Any, cell: int, seeds: Array, which: str) -> Array:
    """Return the weights of some runs, (runs, parameters), after a comparison with their rows."""
    trainer, cells, counts = worker.of_runs(np.array([cell]), np.array([len(seeds)]), seeds)
    outcome, initial = trainer.train_attempts(cells, counts, seeds, final_weights=True)
    if isinstance(source, Result) and source.keeps_runs:
        _compare(source, cell, "steps", seeds, outcome.columns.steps)
        _compare(source, cell, "final_loss", seeds, outcome.columns.final_loss)
    return outcome.final_weights if which == "final" else initial


def _compare(result: Result, cell: int, name: str, seeds: Array, found: Array) -> None:
    """Raise StoreError if a column of trained runs differs from that of their rows, of those that have one."""
    for table in rows_of_cell(result.stored, cell, name):
        stored = dict(zip(table["seed"].to_pylist(), table[name].to_pylist(), strict=True))
        for seed, value in zip(seeds.tolist(), found.tolist(), strict=True):
            if seed in stored and stored[seed] != value:
                raise StoreError(
                    f"seed {seed} of cell {cell} has {name} {value} if it is trained again, but {stored[seed]} in its "
                    "row; 'sweep verify DIR' checks the result"
                )

"""Confusion matrices of trained networks, from their recorded weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kernels.floating_point import default_floating_point
from kernels.vocabulary import OVER_OUTPUTS
from sweep.errors import SweepError, shown
from sweep.results.networks import rows_of_cell
from sweep.results.result import Result
from sweep.study.data.data_table import Data, Patterns
from sweep.study.selection import check_cell
from sweep.system.formatting import list_text
from sweep.training.networks.predict import outputs_for


@default_floating_point
def confusion(result: Result, cell: int = 0, which: str = "final", of: str = "test") -> NDArray[np.int64]:
    """Return the confusion matrices of the networks of a cell: numbers of patterns by true and by predicted class.

    Classes are those of accuracies: with one output its two sides of the decision threshold, low ones first; with
    several the largest one, which needs softmax or one-hot targets.

    Parameters
    ----------
    result, cell, which
        As of :func:`sweep.predict`.
    of
        The patterns: ``"train"``, ``"validation"`` or ``"test"``.

    Returns
    -------
    (runs, true classes, predicted classes)
        In ascending order of seeds; 0 for final networks that diverged, and without a best validation.

    Raises
    ------
    SweepError
        If the study has no such patterns, or no classes.
    TypeError, StoreError, StudyError
        As of :func:`sweep.predict`.

    Examples
    --------
    >>> import sweep
    >>> changes = {"hidden": 4, "learning_rate": 0.1, "seeds.count": 3, "record.weights": "final"}
    >>> study = sweep.load_study("xor", changes)
    >>> sweep.confusion(sweep.run(study), of="train").sum(axis=(1, 2))
    array([4, 4, 4])
    """
    if not isinstance(result, Result):
        raise TypeError(f"result: must be a Result, as open_result returns it, got {type(result).__name__}")
    study = result.study
    kinds = ["train", *study.data.held_out]
    if of not in kinds:
        raise SweepError(f"of: must be {list_text(list(map(repr, kinds)), 'or')} in this study, got {shown(of)}")
    check_cell(study, cell)
    own, number = study.grid.cell(int(cell)), int(study.set_numbers(np.array([cell]))[0])
    if study.data.n_targets > 1 and own["output"] not in OVER_OUTPUTS and not study.data.is_one_hot:
        raise SweepError("confusion needs classes: one output, softmax, or one-hot targets")
    if study.data.drawn and of not in study.data.table:
        raise SweepError(f"confusion needs patterns that all runs share, but each run draws its own {of} patterns")

    def chosen(data: Data) -> Patterns:
        return data if of == "train" else data.held_out[of]

    scores = outputs_for(result, cell, which, lambda data: chosen(data).inputs)
    targets = np.array(chosen(study.data.sets[number]).targets)
    if study.data.n_targets == 1:  # scores of the low side and of the high side
        middle = study.data.used_decision_thresholds[number]
        scores = (scores - scores.dtype.type(middle)) * np.array([-1, 1], scores.dtype)
        targets = (targets - middle) * np.array([-1, 1])
    true, rows = targets.argmax(axis=1), np.arange(len(targets))
    own_score = scores[:, rows, true]
    scores[:, rows, true] = -np.inf
    predicted = np.where(own_score > scores.max(axis=2), true, scores.argmax(axis=2))
    counts = np.zeros((len(scores), scores.shape[2], scores.shape[2]), np.int64)
    np.add.at(counts, (np.arange(len(scores))[:, np.newaxis], true, predicted), 1)
    if which != "initial":
        counts[_lost(result, cell, which)] = 0
    return counts


def _lost(result: Result, cell: int, which: str) -> NDArray[np.bool_]:
    """Return which runs of a cell have no such network, (runs,), in ascending order of seeds."""
    column, lost = {"final": ("status", "diverged"), "best": ("steps_at_best", -1)}[which]
    found: dict[int, bool] = {}
    for table in rows_of_cell(result.stored, cell, column):
        rows = zip(table["seed"].to_pylist(), table[column].to_pylist(), strict=True)
        found |= {seed: value == lost for seed, value in rows}
    return np.array([found[seed] for seed in sorted(found)])

"""Rules for the steps at which the loss of a run is first below each loss threshold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from kernels.loop.runs import CONVERGED, DIVERGED, Columns
from sweep.training.part_result import updates
from sweep.verification.rules import Broken, Terms


def broken_by_thresholds(columns: Columns, terms: Terms, thresholds: NDArray[Any]) -> Iterator[Broken]:
    """Yield the rules for the steps to loss thresholds, and the rows that break them.

    Parameters
    ----------
    columns
        The outcome of each row.
    terms
        Terms of the rows.
    thresholds : (thresholds,) of float64
        Loss thresholds, rounded to the dtype, the largest first.

    Yields
    ------
    Broken
        A mask of the rows that break a rule, and the rule as a sentence.
    """
    for k, threshold in enumerate(thresholds):
        at, last = columns.threshold_steps[:, k], updates(columns)
        met, diverged = at >= 0, columns.status == DIVERGED
        before = columns.threshold_steps[:, max(k - 1, 0)]
        ordered: Broken = (
            met & ((before < 0) | (before > at)),
            "a loss reaches a larger threshold no later than a smaller one",
        )
        yield (at < -1) | (at > last), "a loss reaches a threshold between step 0 and the last step, or never (-1)"
        if columns.attempts.shape[1]:  # an earlier attempt may have reached it, of which nothing else is known
            yield ordered
            continue
        yield (
            met & (at != last) & (at % terms.n_windows != 0),
            "loss thresholds are evaluated after whole epochs and at the last step",
        )
        yield (
            (columns.initial_loss < threshold) != (at == 0),
            "steps is 0 exactly if initial_loss is below the threshold",
        )
        below = columns.final_loss < threshold
        yield below & ~diverged & ~met, "a final_loss below a threshold has reached it"
        yield (at == last) & ~below & ~diverged, "final_loss is below a threshold reached at the last step"
        yield (
            (at == last) & diverged & (threshold <= terms.divergence_threshold),
            "a diverged loss is not below a threshold",
        )
        would_end = (terms.criterion == "loss") & (threshold <= terms.threshold) & (at >= terms.from_step)
        yield met & would_end & (at != last), "a run ends once its loss is below convergence.threshold"
        yield (
            met & would_end & (columns.status != CONVERGED),
            "a run whose loss is below convergence.threshold has converged",
        )
        yield ordered

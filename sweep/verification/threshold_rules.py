"""Rules for the steps at which the loss of a run is first below each recorded target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from kernels.loop.runs import CONVERGED, DIVERGED, Columns
from sweep.store.part_result import updates
from sweep.verification.rules import Broken, Terms


def broken_by_thresholds(columns: Columns, terms: Terms, targets: NDArray[Any]) -> Iterator[Broken]:
    """Yield the rules for the steps to targets, and the rows that break them.

    Parameters
    ----------
    columns
        The outcome of each row.
    terms
        Terms of the rows.
    targets : (targets,) of float64
        Targets of the loss, rounded to the dtype, the largest first.

    Yields
    ------
    Broken
        A mask of the rows that break a rule, and the rule as a sentence.
    """
    for k, target in enumerate(targets):
        at, last = columns.threshold_steps[:, k], updates(columns)
        met, diverged = at >= 0, columns.status == DIVERGED
        before = columns.threshold_steps[:, max(k - 1, 0)]
        ordered: Broken = met & ((before < 0) | (before > at)), "a larger target is met no later than a smaller one"
        yield (at < -1) | (at > last), "a target is met from step 0 to the last of the run, or never, which is -1"
        if columns.attempts.shape[1]:  # an earlier attempt may have met it, of which no more is known
            yield ordered
            continue
        yield (
            met & (at != last) & (at % terms.n_windows != 0),
            "targets are evaluated after whole epochs and at the end",
        )
        yield (columns.initial_loss < target) != (at == 0), "a target is met at step 0 just if the first loss is below"
        below = columns.final_loss < target
        yield below & ~diverged & ~met, "a target that the last loss is below is met"
        yield (at == last) & ~below & ~diverged, "a target that is met at the last step has the last loss below it"
        yield (
            (at == last) & diverged & (target <= terms.divergence_threshold),
            "a loss that has diverged is below no target",
        )
        would_end = (terms.criterion == "loss") & (target <= terms.threshold) & (at >= terms.from_step)
        yield met & would_end & (at != last), "a run ends where its loss is below a target that is not above 'below'"
        yield met & would_end & (columns.status != CONVERGED), "a run whose loss is so far below 'below' has converged"
        yield ordered

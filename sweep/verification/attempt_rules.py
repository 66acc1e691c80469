"""Rules for runs that restart: the number of attempts, and the updates of all of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kernels.loop.runs import Columns
from sweep.columns import STATUSES
from sweep.study.options.other_sections import Restarts
from sweep.verification.rules import Broken, Mask, Terms


def was_cut(columns: Columns, restarts: Restarts) -> Mask | bool:
    """Return for each row whether its last attempt ended at the step after which another one would start."""
    if not restarts.max_restarts or restarts.after_steps is None:
        return False
    is_cut: Mask = (columns.attempts[:, 0] < restarts.max_restarts) & (columns.steps == restarts.after_steps)
    return is_cut


def broken_by_attempts(columns: Columns, terms: Terms, restarts: Restarts) -> Iterator[Broken]:
    """Yield the rules for restarts and for updates of all attempts, and the rows that break them.

    Parameters
    ----------
    columns
        The outcome of each row.
    terms
        Terms of the rows.
    restarts
        The table of the study.

    Yields
    ------
    Broken
        A mask of the rows that break a rule, and the rule as a sentence.
    """
    if not restarts.max_restarts:
        return
    number, total = columns.attempts.T
    before = total - columns.steps
    yield (number < 0) | (number > restarts.max_restarts), f"a run has 0 to {restarts.max_restarts} restarts"
    yield (before < 0) | ((number == 0) & (before > 0)), "total_steps adds up the steps of all attempts"
    if restarts.after_steps is not None:
        yield (
            before > number.astype(np.int64) * restarts.after_steps,
            f"an attempt before a restart takes at most {restarts.after_steps} steps",
        )
    failed = np.isin(columns.status, [STATUSES.index(status) for status in restarts.on])
    left = (number < restarts.max_restarts) & (total < terms.limit)
    yield failed & left, "a failed run restarts while it has restarts and steps left"

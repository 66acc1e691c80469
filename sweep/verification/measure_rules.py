"""Rules for measures of final networks with test patterns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kernels.loop.runs import DIVERGED, Columns
from sweep.study.model import Study
from sweep.verification.rules import Broken, Terms


def broken_by_tests(columns: Columns, terms: Terms, study: Study) -> Iterator[Broken]:
    """Yield the rules for test_loss and n_test_correct, and the rows that break them.

    Parameters
    ----------
    columns
        The outcome of each row.
    terms
        Terms of the rows.
    study
        Decides whether there are test patterns, and how many.

    Yields
    ------
    Broken
        A mask of the rows that break a rule, and the rule as a sentence.
    """
    if not study.data.n_tests:
        return
    loss, n_correct = columns.measures.T
    dtype, most = np.dtype(study.network.dtype), study.data.n_tests * terms.n_evaluated
    yield ~(loss >= 0) | np.signbit(loss), "test_loss is at least 0, and not -0"
    with np.errstate(over="ignore"):
        yield loss.astype(dtype) != loss, f"test_loss is a {dtype.name} number"
    yield (
        (n_correct < 0) | (n_correct > most),
        f"n_test_correct is from 0 to {most.max(initial=0)}",
    )
    lost = (columns.status == DIVERGED) & ~((loss == np.inf) & (n_correct == 0))
    yield lost, "a diverged run has test_loss inf and n_test_correct 0"

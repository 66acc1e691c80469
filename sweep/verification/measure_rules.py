"""Rules for measures of final networks with patterns that they were not trained on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kernels.loop.runs import DIVERGED, Columns
from sweep.study.model import Study
from sweep.verification.rules import Broken, Terms


def broken_by_tests(columns: Columns, terms: Terms, study: Study) -> Iterator[Broken]:
    """Yield the rules for the loss and the correct outputs with the test patterns, and the rows that break them.

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
    yield ~(loss >= 0) | np.signbit(loss), "losses with the test patterns are at least 0, and not -0"
    with np.errstate(over="ignore"):
        yield loss.astype(dtype) != loss, f"losses are numbers of {dtype.name}"
    yield (
        (n_correct < 0) | (n_correct > most),
        f"from 0 to {most.max(initial=0)} outputs can be right with the test patterns",
    )
    lost = (columns.status == DIVERGED) & ~((loss == np.inf) & (n_correct == 0))
    yield lost, "a run that has diverged has no finite loss with the test patterns, nor right outputs"

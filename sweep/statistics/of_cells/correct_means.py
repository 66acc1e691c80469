"""The mean number of correct outputs of runs, with an interval that allows for failures that were not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.statistics.statistic import Definition, Statistic

if TYPE_CHECKING:
    from sweep.measures.measure import Measure
    from sweep.statistics.estimates import Estimate
    from sweep.statistics.runs import Runs


DEFINITION = Definition(
    "MEASURE_mean",
    "mean number of correct outputs",
    "Of n_correct and n_test_correct: mean over all runs; diverged runs have none.",
    formula="(sum over i of correct outputs of run i) / n",
    interval="Student's, widened for kinds of runs that were not seen",
)


def _estimate(runs: Runs) -> Estimate:
    import numpy as np

    from sweep.statistics.estimates import MeanCorrect, Pooled

    everywhere = np.ones(len(runs.values), np.bool_)
    mean = MeanCorrect(runs.clusters(everywhere, runs.values), runs.most)
    return Pooled(runs, mean, runs.mean(runs.values) if runs.weights is not None else None)


def of_measure(measure: Measure) -> tuple[Statistic, ...]:
    """Return the statistic of a number of outputs; none of other measures."""
    if not measure.counts_outputs:
        return ()
    mean = Statistic(
        f"{measure.name}_mean",
        f"mean number of {measure.label}",
        measure.unit,
        f"mean of {measure.label} of all runs",
        DEFINITION,
        _estimate,
        kind="outputs",
        synonym=measure.name,
        head=f"mean of {measure.label}",
        more_is_better=True,
        measure=measure.name,
        low="lower end of its 95 % interval",
        high="upper end of its 95 % interval",
        compared="mean",
    )
    return (mean,)


PLACE = 70

"""The mean of measures with a least and a greatest value: numbers of correct outputs, and shares of patterns.

Its interval allows for failures that were not seen.
"""

from __future__ import annotations

from sweep.measures.measure import Measure
from sweep.statistics.statistic import Definition, Estimate, Runs, Statistic

DEFINITION = Definition(
    "MEASURE_mean",
    "mean of a number of outputs, or of a share of patterns",
    "Mean over all runs of n_correct, n_test_correct or an accuracy; at their end, diverged runs have 0.",
    formula="(sum over i of the value of run i) / n",
    interval="Student's, widened for runs that were not seen: from guessing to all correct",
)


def _estimate(runs: Runs) -> Estimate:
    import numpy as np

    from sweep.statistics.estimates import MeanCorrect, Pooled

    everywhere = np.ones(len(runs.values), np.bool_)
    mean = MeanCorrect(runs.clusters(everywhere, runs.values), *runs.correct)
    return Pooled(runs, mean, runs.mean(runs.values) if runs.weights is not None else None)


def of_measure(measure: Measure) -> tuple[Statistic, ...]:
    """Return the statistic of a number of outputs or a share of patterns; none of other measures."""
    if not measure.has_mean:
        return ()
    mean = Statistic(
        f"{measure.name}_mean",
        f"mean {measure.label}, %" if measure.is_share else f"mean number of {measure.label}",
        measure.unit,
        f"mean of {measure.label} of all runs",
        DEFINITION,
        _estimate,
        kind="rate" if measure.is_share else "outputs",
        synonym=measure.name,
        head=f"mean {measure.label}, %" if measure.is_share else f"mean of {measure.label}",
        more_is_better=True,
        measure=measure.name,
        compared="mean",
    )
    return (mean,)


PLACE = 70

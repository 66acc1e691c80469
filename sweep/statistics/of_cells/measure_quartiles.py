"""Quartiles of a measure of runs, such as the final loss, and the share of runs in which it is finite.

Losses have no mean: runs that were not seen may be so far off that no interval of it holds.
"""

from __future__ import annotations

from functools import partial

from sweep.measures.measure import Measure
from sweep.statistics.statistic import Definition, Estimate, Runs, Statistic

_LABELS = {25: "lower quartile of the", 50: "median", 75: "upper quartile of the"}
# How many runs have diverged where a quartile is infinite, and where diverged runs have the lowest values.
_MISSING = "more than {} of all runs diverged or have a value above 1e100"
_MOST = {25: ("three quarters", "a quarter"), 50: ("half", "half"), 75: ("a quarter", "three quarters")}

DEFINITION = Definition(
    "MEASURE_qQ",
    "quantile of a measure",
    "Value that Q % of all runs do not exceed; diverged runs have the worst value. Final losses have it in cells "
    "without a criterion.",
    formula="order statistic ceil(Q/100 * n)",
    interval="between two order statistics",
)


def _quartile(percent: int, lowest: float, runs: Runs) -> Estimate:
    from sweep.statistics.estimates import Quantile

    return Quantile(runs, runs.values, (percent, 100), lowest)


def _finite_rate(runs: Runs) -> Estimate:
    import numpy as np

    from sweep.statistics.estimates import Rate

    return Rate(runs, np.isfinite(runs.values))


def of_measure(measure: Measure) -> tuple[Statistic, ...]:
    """Return the statistics of a measure; none of one that has a mean."""
    if measure.has_mean or measure.kind == "name":
        return ()
    quartiles = (
        Statistic(
            f"{measure.name}_q{percent}",
            f"{label} {measure.label}",
            measure.unit,
            f"{measure.label} that {percent} % of all runs do not exceed; infinite if that run diverged",
            DEFINITION,
            partial(_quartile, percent, measure.least),
            kind="value",
            synonym=measure.name if percent == 50 else "",
            head={25: "quartiles", 50: f"median {measure.label}"}.get(percent, ""),
            shown_to=f"{measure.name}_q75" if percent == 25 else "",
            more_is_better=measure.more_is_better,
            measure=measure.name,
            ends=("; the smallest possible value if unknown", "; inf if unknown"),
            missing=_MISSING.format(_MOST[percent][measure.more_is_better]),
            compared="median" if percent == 50 else None,
        )
        for percent, label in _LABELS.items()
    )
    return (*quartiles, FINITE_RATE)


FINITE_RATE = Statistic(
    "finite_rate",
    "runs with a finite value, %",
    "fraction",
    "fraction of all runs whose final loss is finite",
    Definition(
        "finite_rate",
        "share of finite losses",
        "Share of all runs whose final loss is finite, in cells without a criterion.",
        formula="(number of runs with a finite final loss) / n",
        interval="Wilson's",
    ),
    _finite_rate,
    kind="rate",
    head="finite, %",
    more_is_better=True,
    interval="95 % Wilson interval",
)
PLACE = 60

"""Quantiles of the steps to converge, over all runs: those that do not converge count as longer than all others."""

from __future__ import annotations

from functools import partial

from sweep.statistics.statistic import Definition, Estimate, Runs, Statistic

# Percent of runs of each quantile, and what fewer than these are called.
_PARTS = {25: "a quarter", 50: "half", 75: "three quarters"}

DEFINITION = Definition(
    "steps_qQ",
    "quantile of steps over all runs",
    "Steps within which Q % of all runs converged (median_steps: 50 %); missing if fewer ever did.",
    formula="the smallest t such that at least Q % of all n runs converged by step t",
    interval="between two order statistics, by the binomial distribution; an end is missing where no run bounds it",
)


def _estimate(percent: int, runs: Runs) -> Estimate:
    from sweep.statistics.estimates import Quantile

    return Quantile(runs, runs.steps_to_converge, (percent, 100))


def _quantile(percent: int) -> Statistic:
    is_median = percent == 50
    return Statistic(
        f"steps_q{percent}",
        "median steps to converge" if is_median else f"steps by which {percent} % of all runs converged",
        "updates",
        f"updates by which {percent} % of all runs converged; null if never",
        DEFINITION,
        partial(_estimate, percent),
        integer=True,
        synonym="median_steps" if is_median else "",
        head="median steps" if is_median else "",
        ends=("; null if never",) * 2,
        band=("steps_q25", "steps_q75", "bands from 25 % to 75 % of all runs") if is_median else None,
        missing=f"fewer than {_PARTS[percent]} of all runs converged",
        compared="median steps" if is_median else None,
    )


PLACE = 20
STATISTICS = tuple(map(_quantile, _PARTS))
MEDIAN = next(each for each in STATISTICS if each.compared)

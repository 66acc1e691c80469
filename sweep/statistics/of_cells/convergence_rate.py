"""The convergence rate: the share of runs that converged, with Wilson's interval."""

from __future__ import annotations

from sweep.statistics.statistic import Definition, Estimate, Runs, Statistic


def _estimate(runs: Runs) -> Estimate:
    from sweep.statistics.estimates import Rate

    return Rate(runs, runs.converged)


PLACE = 10
STATISTICS = (
    Statistic(
        "convergence_rate",
        "runs converged, %",
        "fraction",
        "n_converged / n_runs",
        Definition(
            "convergence_rate",
            "convergence rate",
            "Share of all runs that met the criterion.",
            formula="s / n",
            interval="Wilson's; over several cells with the effective number of independent runs",
            reference="Wilson, J. Amer. Statist. Assoc. 22 (1927) 209",
        ),
        _estimate,
        kind="rate",
        synonym="rate",
        head="rate, %",
        more_is_better=True,
        interval="95 % Wilson interval",
        compared="rate",
    ),
)

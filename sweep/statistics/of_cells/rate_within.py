"""Shares of runs that converged within a part of the steps that they may take."""

from __future__ import annotations

from functools import partial

from sweep.statistics.statistic import Definition, Estimate, Runs, Statistic


def _within(part: int, runs: Runs) -> Estimate:
    from sweep.statistics.estimates import Rate

    return Rate(runs, runs.converged & (runs.steps * part <= runs.most_steps))


PLACE = 15
STATISTICS = tuple(
    Statistic(
        f"rate_within_{name}",
        f"runs converged within a {name} of the steps, %",
        "fraction",
        f"fraction of all runs that converged within a {name} of the updates that they may take",
        Definition(
            f"rate_within_{name}",
            f"share converged within a {name} of the steps",
            f"Share of all runs that met the criterion within a {name} of the steps that they may take. If it is "
            "near the convergence rate, more steps would hardly help.",
            formula=f"(number of converged runs with t_i <= L / {part}) / n",
            interval="Wilson's; over several cells with the effective number of independent runs",
            reference="Wilson, J. Amer. Statist. Assoc. 22 (1927) 209",
        ),
        partial(_within, part),
        kind="rate",
        more_is_better=True,
        interval="95 % Wilson interval",
        computed="from counts",
    )
    for name, part in (("tenth", 10), ("half", 2))
)

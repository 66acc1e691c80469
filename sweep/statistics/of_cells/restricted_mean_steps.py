"""The restricted mean survival time (RMST): the mean of steps to converge, the limit for runs that do not."""

from __future__ import annotations

from sweep.statistics.statistic import Definition, Estimate, Runs, Statistic


def _estimate(runs: Runs) -> Estimate:
    import numpy as np

    from sweep.statistics.estimates import Pooled, RestrictedMean

    saved = runs.clusters(runs.converged, runs.most_steps - runs.steps)
    mean = RestrictedMean(saved, runs.by_cluster(runs.most_steps))
    equal = runs.mean(np.where(runs.converged, runs.steps, runs.most_steps)) if runs.weights is not None else None
    return Pooled(runs, mean, equal)


PLACE = 30
STATISTICS = (
    Statistic(
        "restricted_mean_steps",
        "restricted mean steps to converge (RMST)",
        "updates",
        "restricted mean survival time (RMST): mean over all runs of the updates to converge, or of the limit",
        Definition(
            "restricted_mean_steps",
            "restricted mean survival time (RMST)",
            "Mean steps to converge over all runs; a run that does not converge counts with the step limit.",
            formula="(sum over i of (t_i if run i converged, else L)) / n",
            interval="Wilson's of the rate combined with Student's of the steps saved",
            reference="Royston and Parmar, BMC Med. Res. Methodol. 13 (2013) 152",
        ),
        _estimate,
        synonym="mean_steps",
        error="its standard error; null for one run",
    ),
)

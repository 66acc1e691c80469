"""The expected running time (ERT): steps of all runs per run that converged."""

from __future__ import annotations

from sweep.statistics.statistic import Definition, Estimate, Runs, Statistic


def _estimate(runs: Runs) -> Estimate:
    import numpy as np

    from sweep.statistics.estimates import ExpectedSteps, Pooled

    expected, equal = ExpectedSteps(runs.clusters(runs.converged, runs.steps, runs.steps)), None
    if runs.weights is not None:
        took, rate = runs.mean(runs.steps), runs.mean(runs.converged.astype(np.float64))
        equal = np.divide(took, rate, out=np.full(len(took), np.inf), where=rate > 0)
    return Pooled(runs, expected, equal)


PLACE = 40
STATISTICS = (
    Statistic(
        "expected_steps",
        "expected steps to converge (ERT)",
        "updates",
        "expected running time (ERT): updates of all runs / n_converged",
        Definition(
            "expected_steps",
            "expected running time (ERT)",
            "Updates of all runs per converged run: what a success costs if failures are repeated; infinite if no"
            " run converged.",
            formula="(sum over i of t_i) / s",
            interval="Wilson's of the odds of failure combined with Student's of both means, with one more "
            "failure added to the spread; only a lower end without a success",
            reference="Hansen et al., COCO, Optim. Methods Softw. 36 (2021) 114",
        ),
        _estimate,
        head="expected steps",
        ends=("", "; inf if none converged"),
        missing="no run converged",
        compared="ratio",
    ),
)

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
            "expected steps to converge (expected running time, ERT)",
            "Steps of all runs, divided by the number of converged runs: what one success costs if failed runs are "
            "repeated with other seeds. Infinite if no run converged.",
            formula="(sum over i of t_i) / s",
            interval="combines intervals of the odds of failure (Wilson's) and of the mean steps of converged and of "
            "failed runs (Student's), as if one more run had failed; if no run converged, there is only a lower end",
            reference="Hansen et al., COCO, Optim. Methods Softw. 36 (2021) 114",
        ),
        _estimate,
        head="expected steps",
        ends=("", "; inf if none converged"),
        missing="no run converged",
        compared="ratio",
    ),
)

"""The expected running time (ERT): steps of all runs per run that converged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.statistics.statistic import Statistic

if TYPE_CHECKING:
    from sweep.statistics.estimates import Estimate
    from sweep.statistics.runs import Runs


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
        _estimate,
        head="expected steps",
        low="lower end of its 95 % interval",
        high="upper end of its 95 % interval; inf if none converged",
        missing="no run converged",
        compared="ratio",
    ),
)

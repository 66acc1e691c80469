"""When to stop a run and start another one, and how many steps a success then takes."""

from __future__ import annotations

from sweep.statistics.statistic import Definition, Estimate, Runs, Statistic


def _best_limit(runs: Runs) -> Estimate:
    from sweep.statistics.restarts import RestartSteps

    return RestartSteps(runs)


def _restarted(runs: Runs) -> Estimate:
    from sweep.statistics.restarts import RestartedSteps

    return RestartedSteps(runs)


PLACE = 50
STATISTICS = (
    Statistic(
        "restart_steps",
        "steps before the best restart",
        "updates",
        "best number of updates after which to restart a run; null if none converged",
        Definition(
            "restart_steps",
            "best restart limit",
            "Steps after which a run should give up and restart, so that a success costs the fewest steps.",
            formula="the c that minimizes (sum over i of min(t_i, c)) / (number of runs converged by c)",
        ),
        _best_limit,
        integer=True,
        interval="",
        missing="no run converged",
    ),
    Statistic(
        "restarted_steps",
        "expected steps with the best restart",
        "updates",
        "expected updates per converged run with these restarts, estimated on other runs",
        Definition(
            "restarted_steps",
            "expected steps with restarts",
            "Expected steps to converge (ERT) if runs restart at the best limit. Each half of the runs uses the limit "
            "that is best for the other half, since a limit looks too good in the runs that choose it.",
            formula="(sum over i of min(t_i, c)) / (number of runs converged by c), c from the other half",
            interval="spans those of the expected steps with these limits and with the limit that is best in all runs, "
            "with exact intervals of the odds; with 100 converged runs or more",
        ),
        _restarted,
        ends=("; null with fewer than 100 converged runs",) * 2,
        missing="no run converged",
    ),
)

"""Cases as studies, for ``sweep.run``."""

from __future__ import annotations

from typing import Any

from sweep.bench.case import MOMENTUM, Case


def study_tables(case: Case, n_networks: int) -> dict[str, Any]:
    """Return the study whose runs are networks 0 to ``n_networks`` - 1 of ``case``, as tables of the study file.

    Options with default values are left out, so that earlier versions can read studies that they can train.
    """
    default = Case(case.hidden)
    network = {name: getattr(case, name) for name in ("activation", "output", "bias", "dtype", "scaling", "gain")}
    training = {name: getattr(case, name) for name in ("optimizer", "batch")}
    network, training = (
        {name: value for name, value in options.items() if value != getattr(default, name)}
        for options in (network, training)
    )
    if case.optimizer == "momentum":
        training["momentum"] = MOMENTUM
    if case.loss != default.loss:
        training |= {"loss": case.loss, "reduction": case.reduction}
    elif case.reduction != default.reduction:
        training["loss"] = "mse"
    return {
        "data": {"inputs": case.inputs.tolist(), "targets": case.targets.tolist()},
        "network": {"hidden": case.hidden if isinstance(case.hidden, int) else case.size, **network},
        "training": {"learning_rate": case.learning_rate, "max_steps": case.steps, **training},
        "convergence": {"criterion": "none"},
        "seeds": {"count": n_networks},
    }

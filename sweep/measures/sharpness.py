"""The largest eigenvalue of the Hessian of the loss at the trained parameters."""

from __future__ import annotations

from typing import Any

from sweep.measures.measure import Array, Measure, Networks


def _sharpness(networks: Networks) -> Array:
    """Return the largest eigenvalue, (runs,)."""
    import numpy as np

    from sweep.measures.curvature.hessian import sharpness

    found, usable = np.full(len(networks.final), np.inf), np.flatnonzero(~networks.diverged)
    if networks.curved is None:
        raise ValueError("no gradients given for the sharpness")
    trained, at, shared = networks.curved
    of_usable = networks.final[usable], trained[usable], shared
    found[usable] = sharpness(lambda runs, weights: at(usable[runs], weights), *of_usable)
    return found


# 1,000 parameters take about 5 s and 2 (10^3)^2 numbers in memory.
_MOST_PARAMETERS = 1000


def _fault(study: Any) -> str | None:
    """Return why a study cannot record it: its networks are too large."""
    n = study.most_parameters
    return f"needs networks of at most {_MOST_PARAMETERS} parameters, got {n}" if n > _MOST_PARAMETERS else None


MEASURE = Measure(
    "sharpness",
    150,
    "sharpness",
    "loss / weight^2",
    "largest eigenvalue of the Hessian of the loss over all patterns with respect to the trained parameters, "
    "without weight decay; weights that stay equal are one parameter; inf if diverged",
    is_signed=True,
    at_best="sharpness_at_best",
    needs_curvature=True,
    compute=_sharpness,
    fault=_fault,
)

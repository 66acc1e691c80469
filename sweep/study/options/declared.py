"""All options by table, without settings, which follow from the components that take them."""

from __future__ import annotations

from sweep.study.options import convergence, initial_weights, network, training

DECLARED = {
    "network": network.OPTIONS,
    "initial_weights": initial_weights.OPTIONS,
    "training": training.OPTIONS,
    "convergence": convergence.OPTIONS,
}

# What each table holds, for users.
MEANINGS = {
    "network": "The architecture of the networks.",
    "initial_weights": "The initial weights of the networks.",
    "training": "How the networks are trained.",
    "convergence": "When a run has converged, and when it has diverged.",
}

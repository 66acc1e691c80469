"""xor-sweep itself, through its public function, initial weights included."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from sweep.bench.case import Array, Case
from sweep.bench.peers import Peer
from sweep.study import Study


def study(case: Case, n_networks: int) -> Study:
    """Return the study whose runs are networks 0 to ``n_networks`` - 1 of ``case``."""
    sections: dict[str, Any] = {
        "data": {"task": "xor"},
        "network": {"hidden": case.hidden, "activation": case.activation, "dtype": case.dtype},
        "training": {"learning_rate": case.learning_rate, "max_steps": case.steps},
        "convergence": {"criterion": "none"},
        "seeds": {"count": n_networks},
    }
    return Study(**sections)


class XorSweep(Peer):
    """``sweep.run`` of a study with one cell, in memory."""

    title: ClassVar[str] = "xor-sweep"
    same_bits: ClassVar[bool] = True
    given_weights: ClassVar[bool] = False

    def train(self, weights: Array) -> Array:
        """Train as many networks, from weights drawn here."""
        import sweep

        result = sweep.run(study(self.case, len(weights)), threads=self.threads)
        return np.asarray(result.runs(["final_loss"])["final_loss"])

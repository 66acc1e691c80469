"""scikit-learn: one MLPRegressor after the other."""

from __future__ import annotations

import warnings
from copy import deepcopy
from typing import ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from sweep.bench.case import Array, Case
from sweep.bench.peers import Peer


class Sklearn(Peer):
    """``fit`` with plain gradient descent and a warm start from the initial weights."""

    title: ClassVar[str] = "scikit-learn, MLPRegressor"

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        self._x, self._y = case.inputs, case.targets[:, 0]
        n_patterns = len(self._x)
        model = MLPRegressor(
            hidden_layer_sizes=(case.hidden,),
            activation=case.activation,
            solver="sgd",
            alpha=0,
            batch_size=n_patterns,
            learning_rate_init=2 * n_patterns * case.learning_rate,  # its loss is half the mean of squared errors
            momentum=0,
            nesterovs_momentum=False,
            shuffle=False,
            max_iter=case.steps,
            n_iter_no_change=case.steps,  # never stops early
            tol=0,
            warm_start=True,
        )
        self._model = model.partial_fit(self._x, self._y)  # makes the arrays that weights go into

    def train(self, weights: Array) -> Array:
        """Train networks one by one."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", ConvergenceWarning)
            return np.array([self._train_one(row) for row in weights[:, np.newaxis].copy()])

    def _train_one(self, weights: Array) -> float:
        (w, b), (v, c) = self.case.split(weights)
        model = deepcopy(self._model)
        model.coefs_, model.intercepts_ = [w[0], v[0]], [b[0], c[0]]
        try:
            model.fit(self._x, self._y)
        except ValueError as error:
            if "non-finite" not in str(error):  # a network that diverged is trained all the same
                raise
        return float(np.square(model.predict(self._x) - self._y).sum())

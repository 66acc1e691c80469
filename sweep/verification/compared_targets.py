"""The targets that outputs are compared with, as far as the rules for rows need them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.data.patterns import make_patterns
from sweep.study.model import Study

Array = NDArray[Any]


class Targets(NamedTuple):
    """The targets that outputs are compared with.

    Attributes
    ----------
    n_patterns, n_targets
        Patterns, and targets of each.
    margin : (sets,), or of each row
        If the largest error is smaller, every output is correct; 0 for classes, where no single error decides that.
    dtype
        Dtype of the networks.
    """

    n_patterns: int
    n_targets: int
    margin: Array
    dtype: type[Any]

    def of(self, sets: Array, n_evaluated: Array) -> Targets:
        """Return the targets of rows, from the pattern set of each and the number of outputs that count."""
        return self._replace(margin=self.margin[sets] * (n_evaluated == self.n_targets))


def make_targets(study: Study) -> Targets:
    """Return the targets of all networks of a study."""
    dtype = np.dtype(study.network.dtype)
    inputs, targets = (np.array([getattr(data, name) for data in study.data.sets]) for name in ("inputs", "targets"))
    patterns = make_patterns(inputs, targets, dtype.name, np.atleast_1d(study.data.decision_thresholds()))
    with np.errstate(over="ignore"):
        margin = np.abs(patterns.targets - patterns.decision_threshold[:, np.newaxis, np.newaxis]).min(axis=(1, 2))
    return Targets(study.data.n_patterns, study.data.n_targets, margin, dtype.type)

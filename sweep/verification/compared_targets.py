"""What outputs are compared with, as far as rules for rows need to know."""

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
    n_outputs
        Those that can be right.
    margin : (sets,), or of each row
        If the largest error is smaller, every output is right; 0 for classes, of which no single error tells.
    dtype
        Dtype of the networks.
    """

    n_outputs: int
    margin: Array
    dtype: type[Any]


def make_targets(study: Study) -> Targets:
    """Return the targets of all networks of a study."""
    dtype = np.dtype(study.network.dtype)
    inputs, targets = (np.array([getattr(data, name) for data in study.data.sets]) for name in ("inputs", "targets"))
    patterns = make_patterns(inputs, targets, dtype.name, np.atleast_1d(study.data.middles()))
    with np.errstate(over="ignore"):
        margin = np.abs(patterns.targets - patterns.middle[:, np.newaxis, np.newaxis]).min(axis=(1, 2))
    return Targets(study.n_outputs, margin * (study.n_judged == study.data.n_targets), dtype.type)

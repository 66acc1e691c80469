"""Initial weights that a study sets or sweeps one by one; kernels place them over drawn ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.start.explicit import Explicit
from sweep.schedule.plan import Plan
from sweep.study.model import Study
from sweep.study.options.explicit_weights import element_of

Array = NDArray[Any]


def given_in_all(study: Study) -> list[Explicit]:
    """Return the weights that a study sets for all cells."""
    given = []
    for name, numbers in study.explicit_weights.items():
        array, element = element_of(name) or (name, ())
        given.append(Explicit(array, element, np.array(numbers, np.float64)))
    return given


def given_in_cells(plan: Plan, cells: Array, counts: Array) -> list[Explicit]:
    """Return the swept weights, with a value for each of the successive runs of some cells."""
    swept = [(name, element) for name in plan.study.parameters if (element := element_of(name))]
    return [Explicit(*element, np.repeat(plan.grid.column(name, cells), counts)) for name, element in swept]

"""The settings of cells: the numbers of a training that differ from run to run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels import vocabulary

# Settings of a cell: those of the vocabulary, which become rows of lanes where a component of the recipe uses them, the
# first step at which the criterion counts, the limit of steps, the number of its set of patterns, and the steps of
# the learning rates' schedule: the limit where that is 0.
SETTINGS = np.dtype(
    [
        *((name, "f8") for name in vocabulary.SETTINGS),
        *((name, "i8") for name in vocabulary.INTEGERS),
    ],
    align=True,
)


def make_settings(n_cells: int, /, **values: Any) -> NDArray[Any]:
    """Make the settings of cells, (n_cells,) of :data:`SETTINGS`, with a field for each setting of custom components.

    ``values`` are by name a number or an array, (cells,). Other settings have their default, or 0.
    """
    custom = [(name, "f8") for name in values if name not in (SETTINGS.names or ())]  # of custom components
    kind = np.dtype([*SETTINGS.descr, *custom]) if custom else SETTINGS
    settings = np.zeros(n_cells, kind)
    for name in kind.names or ():
        setting = vocabulary.SETTINGS.get(name)
        settings[name] = values.get(name, setting.default if setting else 0)
    return settings

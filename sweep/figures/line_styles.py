"""Colors and markers of lines by the value of a parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sweep.figures.channels import is_number
from sweep.study.reading.value_forms import Scalar

# Colors that are distinct for any color vision (Okabe and Ito), except those too light for lines. Markers distinguish
# lines in print.
NAMED_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#000000", "#E69F00")
_MARKERS = "osD^vPX"
# Numbers are colored by rank, with the part of viridis that is visible on black and on white.
_DARKEST, _LIGHTEST = 0.2, 0.88


def line_styles(values: Sequence[Scalar]) -> dict[Scalar, dict[str, Any]]:
    """Return a style for each value: numbers from dark to light, names by color and marker."""
    import matplotlib as mpl

    if is_number(values[0]):
        shades = mpl.colormaps["viridis"](np.linspace(_DARKEST, _LIGHTEST, len(values)))
        return {value: {"color": tuple(shades[k]), "marker": "o"} for k, value in enumerate(sorted(values))}
    styles = {}
    for k, value in enumerate(values):
        turn, place = divmod(k, len(NAMED_COLORS))
        marker = _MARKERS[(place + 3 * turn) % len(_MARKERS)]
        styles[value] = {"color": NAMED_COLORS[place], "marker": marker, "linestyle": ("-", "--")[turn]}
    return styles

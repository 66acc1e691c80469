"""The scale of each initial parameter: a number, or by name a number that follows from the fans of its layer."""

from __future__ import annotations

import math

from kernels.start.names import NAMED_SCALES

# A number, or one of NAMED_SCALES.
Scale = float | str

# The deviation of standard normal numbers that are at most 2 from 0: sqrt(1 - 4 * pdf(2) / (2 * cdf(2) - 1)).
TRUNCATED_DEVIATION = 0.8796256610342398

# The square of the distribution's scale over its variance.
_SPREADS = {"normal": 1.0, "truncated_normal": 1.0, "uniform": 3.0}


def scale_of(scale: Scale, distribution: str, fan_in: int, fan_out: int) -> float:
    """Return the scale of the weights or biases of a layer as a number.

    That is the deviation of normal numbers, before those beyond twice of it are rejected, or half the width of uniform
    numbers. A number is returned unchanged. With a name they have its deviation, whatever their distribution, which
    must not be ``"constant"``.
    """
    if not isinstance(scale, str):
        return float(scale)
    named = NAMED_SCALES[scale]
    fan = fan_in + fan_out if named.with_fan_out else fan_in
    deviation = math.sqrt((_SPREADS[distribution] * named.gain) / fan)
    return deviation / TRUNCATED_DEVIATION if distribution == "truncated_normal" else deviation


def bias_scale(scale: Scale) -> Scale:
    """Return the default scale of biases: that of the weights, or 0 where that is a name only for weights."""
    return 0.0 if isinstance(scale, str) and not NAMED_SCALES[scale].of_biases else scale

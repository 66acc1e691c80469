"""Distributions, named scales and random streams of initial weights; streams have the bits of NumPy's generators."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any, NamedTuple

# With a scale s: normal numbers of deviation s, only those at most 2 s from 0, uniform numbers on [-s, s),
# and s itself.
DISTRIBUTIONS = ("normal", "uniform", "truncated_normal", "constant")

# Hidden layers of a network, which may be drawn in any order.
MAX_LAYERS = 8

# Stands for all parameters of a network, in the order of :func:`kernels.shapes.parameter_shapes`.
ALL = "parameters"

# numpy.random.RandomState, and numpy.random.default_rng.
GENERATORS = ("mt19937", "pcg64")


# An array of parameters; w and b are those of all hidden layers, w2 and b2 those of one of several. k2 are skip
# connections to one of several, k those to all layers.
ARRAY = re.compile(f"[wb][1-{MAX_LAYERS}]?|k[2-{MAX_LAYERS}]?|[vc]")


def by_array(value: Any) -> tuple[Any, dict[str, Any]]:
    """Split the value of an option of initial weights: that of most arrays, and those of single arrays by name.

    >>> by_array("1.0 w=he b2=0.1"), by_array(0.5), by_array("0 b=[4,-4]")
    ((1.0, {'w': 'he', 'b2': 0.1}), (0.5, {}), (0.0, {'b': (4.0, -4.0)}))
    """
    if not isinstance(value, str):
        return value, {}
    return _split(value)


@lru_cache
def _split(value: str) -> tuple[Any, dict[str, Any]]:
    first, *others = value.split()
    pairs = (other.split("=") for other in others)
    return _number_or_name(first), {name: _number_or_name(text) for name, text in pairs}


def _number_or_name(text: str) -> float | str | tuple[float, ...]:
    if text[0] == "[":  # numbers of each unit
        return tuple(map(float, text[1:-1].split(",")))
    try:
        return float(text)
    except ValueError:
        return text


def value_for(value: Any, array: str) -> Any:
    """Return the value of an option for one array of a network if the option names the array, otherwise None.

    With one hidden layer, whose arrays are w and b, w1 and b1 name those too.
    """
    own = by_array(value)[1]
    numbered = f"{array}1" if array in ("w", "b") else array
    return own.get(numbered, own.get(array[0]))


def distributions_in(value: str) -> set[str]:
    """Return the distributions in a value of that option, of most arrays and of single ones."""
    first, own = by_array(value)
    return {first, *own.values()}


class NamedScale(NamedTuple):
    """A deviation of a layer's weights that follows from its fans: the root of ``gain`` divided by one fan or both."""

    gain: float  # numerator of the variance
    with_fan_out: bool  # whether the denominator is fan-in plus fan-out, instead of fan-in alone
    source: str
    also: tuple[str, ...]  # names that other programs use
    of_biases: bool = False  # whether biases have it by default too, instead of 0

    @property
    def formula(self) -> str:
        """The deviation as a text for users."""
        fan = "(fan-in + fan-out)" if self.with_fan_out else "fan-in"
        return f"sqrt({f'{self.gain:g}' if self.gain >= 1 else f'1/{1 / self.gain:g}'} / {fan})"


NAMED_SCALES = {
    "glorot": NamedScale(2.0, True, "Glorot and Bengio, 2010", ("xavier",)),
    "he": NamedScale(2.0, False, "He, Zhang, Ren and Sun, 2015", ("kaiming",)),
    "lecun": NamedScale(1.0, False, "LeCun, Bottou, Orr and Mueller, 1998", ()),
    "torch": NamedScale(1 / 3, False, "the default of torch.nn.Linear, with distribution 'uniform'", (), True),
}

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

"""Distributions, named scales and random streams of initial weights; streams have the bits of NumPy's generators."""

from __future__ import annotations

from typing import NamedTuple

# With a scale s: normal numbers of deviation s, only those at most 2 s from 0, uniform numbers on [-s, s),
# and s itself.
DISTRIBUTIONS = ("normal", "uniform", "truncated_normal", "constant")

# Hidden layers of a network, which may be drawn in any order.
MAX_LAYERS = 8

# Stands for all parameters of a network, in the order of :func:`kernels.shapes.parameter_shapes`.
ALL = "parameters"

# numpy.random.RandomState, and numpy.random.default_rng.
GENERATORS = ("mt19937", "pcg64")


class NamedScale(NamedTuple):
    """A deviation of a layer's weights that follows from its fans: the root of ``gain`` divided by one fan or both."""

    gain: float  # numerator of the variance
    with_fan_out: bool  # whether the denominator is fan-in plus fan-out, instead of fan-in alone
    source: str
    also: tuple[str, ...]  # names that other programs use

    @property
    def formula(self) -> str:
        """The deviation as a text for users."""
        return f"sqrt({self.gain:g} / {'(fan-in + fan-out)' if self.with_fan_out else 'fan-in'})"


NAMED_SCALES = {
    "glorot": NamedScale(2.0, True, "Glorot and Bengio, 2010", ("xavier",)),
    "he": NamedScale(2.0, False, "He, Zhang, Ren and Sun, 2015", ("kaiming",)),
    "lecun": NamedScale(1.0, False, "LeCun, Bottou, Orr and Mueller, 1998", ()),
}

"""The rectified linear unit: z above 0, else 0, with the derivative 0 at 0."""

from collections.abc import Callable

from kernels.components.declarations import Activation
from kernels.lanes.arithmetic import Lanes, select


def value(z: Lanes) -> Lanes:
    return select(z < 0.0, 0.0, z)  # written this way, NaN stays NaN


def chain(gradient: Lanes, a: Lanes) -> Lanes:
    return select(a > 0.0, gradient, 0.0)


def integer_value(dtype: str) -> Callable[[Lanes], Lanes]:
    """Return a maximum of integers: with AVX-512 one instruction, which leaves the adders to sums.

    It loses a NaN, so it is for kernels that find a NaN elsewhere; see :func:`kernels.data.patterns.sums_watched`.
    """
    from kernels.lanes.operations import bits, from_bits

    sign = 2**63 if dtype == "float64" else 2**31

    def value_by_integers(z: Lanes) -> Lanes:
        return from_bits(select(bits(z) < sign, bits(z), 0))

    return value_by_integers


COMPONENT = Activation(
    value,
    chain=chain,
    integer_value=integer_value,
    source="Nair and Hinton 2010",
    also=("rectifier", "rectified_linear"),
)

"""Half the squared error, whose derivative is the error."""

from kernels.simd.functions import Lanes
from kernels.words.losses.squared import term
from kernels.words.records import Loss


def slope(y: Lanes, target: Lanes) -> Lanes:
    return y - target


WORD = Loss(term, slope, factor=0.5, squares=0.5)

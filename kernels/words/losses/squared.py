"""The squared error."""

from kernels.simd.functions import Lanes
from kernels.words.records import Loss


def term(u: Lanes, y: Lanes, target: Lanes) -> Lanes:
    error = y - target
    return error * error


def slope(y: Lanes, target: Lanes) -> Lanes:
    return 2.0 * (y - target)


WORD = Loss(term, slope, squares=1.0, names={"sse": "sum", "mse": "mean"})

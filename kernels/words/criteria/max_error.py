"""Every output is nearer to its target than the threshold."""

from kernels.simd.functions import Lanes, Mask, absolute
from kernels.words.records import Criterion


def of_output(y: Lanes, target: Lanes | float, below: Lanes) -> Mask:
    return absolute(y - target) < below


WORD = Criterion(None, of_output, "every output is nearer to its target than the threshold")

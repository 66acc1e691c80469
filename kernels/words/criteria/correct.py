"""Every output is on the side of its target."""

from kernels.simd.functions import Lanes, Mask, select
from kernels.words.records import Criterion


def of_output(y: Lanes, target: Lanes | float, middle: Lanes | float, below: Lanes) -> Mask:
    return select(target > middle, y > middle, y < middle)


WORD = Criterion(None, of_output, "every output is on the side of the middle of the targets where its target is")

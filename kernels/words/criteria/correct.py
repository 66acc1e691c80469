"""Every output is on the side of its target."""

from kernels.simd.functions import Lanes, Mask
from kernels.words.records import Criterion


def of_output(y: Lanes, target: float, middle: float, below: Lanes) -> Mask:
    return y > middle if target > middle else y < middle


WORD = Criterion(None, of_output, "every output is on the side of the middle of the targets where its target is")

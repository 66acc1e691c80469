"""The loss is below the threshold."""

from kernels.simd.functions import Lanes, Mask
from kernels.words.records import Criterion


def of_loss(loss: Lanes, below: Lanes) -> Mask:
    return loss < below


WORD = Criterion(of_loss, None, "the loss is below the threshold")

"""The loss is below the threshold."""

from kernels.components.declarations import Criterion
from kernels.lanes.arithmetic import Lanes, Mask


def of_loss(loss: Lanes, threshold: Lanes) -> Mask:
    return loss < threshold


COMPONENT = Criterion(of_loss, None, "the loss is below the threshold")

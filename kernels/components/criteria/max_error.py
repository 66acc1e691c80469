"""Every output is nearer to its target than the threshold."""

from kernels.components.declarations import Criterion
from kernels.lanes.arithmetic import Lanes, Mask, absolute


def of_output(y: Lanes, target: Lanes | float, threshold: Lanes) -> Mask:
    return absolute(y - target) < threshold


COMPONENT = Criterion(None, of_output, "every output is nearer to its target than the threshold")

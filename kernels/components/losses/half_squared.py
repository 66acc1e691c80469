"""Half the squared error, whose derivative is the error."""

from kernels.components.declarations import Loss
from kernels.components.losses.squared import term
from kernels.lanes.arithmetic import Lanes


def slope(y: Lanes, target: Lanes) -> Lanes:
    return y - target


COMPONENT = Loss(term, slope, factor=0.5, source="optax.l2_loss")

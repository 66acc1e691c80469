"""The squared error."""

from kernels.components.declarations import Loss
from kernels.lanes.arithmetic import Lanes


def term(u: Lanes, y: Lanes, target: Lanes) -> Lanes:
    error = y - target
    return error * error


def slope(y: Lanes, target: Lanes) -> Lanes:
    return 2.0 * (y - target)


COMPONENT = Loss(term, slope, names={"sse": "sum", "mse": "mean"}, source="torch.nn.MSELoss")

"""The running loss of the last epoch is below the threshold."""

from kernels.components.criteria.loss import of_loss
from kernels.components.declarations import Criterion

COMPONENT = Criterion(
    of_loss,
    None,
    "the running loss of the last epoch is below the threshold: the loss in which each pattern counts with the "
    "parameters before the update that it was part of",
    of_running=True,
)

"""The share of patterns that are wrong is below the threshold."""

from kernels.components.declarations import Criterion
from kernels.lanes.arithmetic import Lanes, Mask


def of_wrong(share: Lanes, threshold: Lanes) -> Mask:
    return share < threshold


COMPONENT = Criterion(
    None,
    None,
    "the share of patterns that are wrong, 1 minus the accuracy, is below the threshold; the default threshold asks "
    "for all patterns, up to 10,000",
    of_wrong=of_wrong,
    also=("accuracy", "zero_one_loss", "misclassification"),
)

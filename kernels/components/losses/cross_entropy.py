"""Cross-entropy of the probabilities of mutually exclusive classes."""

from kernels.components.declarations import Loss
from kernels.components.losses.bce import slope
from kernels.lanes.arithmetic import Lanes


def term(minus_log: Lanes, y: Lanes, target: Lanes) -> Lanes:
    """Target times -log y, which softmax computes from the sums."""
    return target * minus_log


COMPONENT = Loss(
    term,
    slope,
    output="softmax",
    takes_target=lambda target: 0 <= target <= 1,
    takes_row=lambda row: len(row) > 1 and abs(sum(row) - 1) <= 1e-9,
    targets="two or more targets from 0 to 1 that add up to 1 in each pattern",
    source="torch.nn.CrossEntropyLoss with probabilities",
    also=("categorical_crossentropy", "softmax_cross_entropy", "nll", "nll_loss"),
)

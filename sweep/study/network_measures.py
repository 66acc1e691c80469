"""Measures of trained networks and of their losses that a study may record in addition to those of every study."""

from __future__ import annotations

from typing import NamedTuple

from kernels.vocabulary import TAIL


class NetworkMeasure(NamedTuple):
    """A measure of a trained network.

    Attributes
    ----------
    type, unit, doc
        Type of its column, unit and meaning. Floats are quantities, by which answers compare and rank cells.
    label
        Its name in sentences and figures, if that differs from its key.
    more_is_better
        Whether cells are ranked from the highest value, and diverged runs have the lowest.
    signed
        Whether it may be negative.
    """

    type: str
    unit: str
    doc: str
    label: str = ""
    more_is_better: bool = False
    signed: bool = False


NETWORK_MEASURES = {
    "learned_function": NetworkMeasure(
        "int64",
        "",
        "bit mask of the outputs above the decision threshold, with softmax of the largest ones: bit n * outputs + o "
        "is output o of pattern n, and test patterns follow those to train on; -1 if diverged",
    ),
    "margin": NetworkMeasure(
        "float64",
        "output",
        "smallest distance of an output from the decision threshold, negative if it is not on the side of its target; "
        "with softmax, of the output of the class from the largest other output; -inf if diverged",
        more_is_better=True,
        signed=True,
    ),
    "mean_error": NetworkMeasure(
        "float64", "output", "mean absolute difference of outputs and targets; inf if diverged"
    ),
    "weight_norm": NetworkMeasure("float64", "weight", "Euclidean norm of all final parameters; inf if diverged"),
    "weight_distance": NetworkMeasure(
        "float64", "weight", "Euclidean norm of the changes of all parameters; inf if diverged"
    ),
    "sharpness": NetworkMeasure(
        "float64",
        "loss / weight^2",
        "largest eigenvalue of the Hessian of the loss over all patterns with respect to the trained parameters, "
        "without weight decay; inf if diverged",
        signed=True,
    ),
    "loss_sum": NetworkMeasure(
        "float64",
        "loss",
        "sum of the losses of all evaluations, in their order; inf if one is not finite",
        "sum of losses",
    ),
    "inverse_loss_sum": NetworkMeasure(
        "float64",
        "1/loss",
        "sum of 1 / loss over all evaluations; losses that are not finite add 0, a loss of 0 makes it inf",
        "sum of inverse losses",
        more_is_better=True,
    ),
    "tail_loss": NetworkMeasure(
        "float64",
        "loss",
        f"mean loss of the last {TAIL} evaluations, or of all if there are fewer; inf if one is not finite",
        "mean of the last losses",
    ),
}

# Measures by which answers compare cells, with their labels.
QUANTITIES = {
    name: measure.label or name.replace("_", " ")
    for name, measure in NETWORK_MEASURES.items()
    if measure.type == "float64"
}

# Most outputs of a network in the bit mask of learned_function.
MOST_BITS = 62
# Most parameters of a network whose sharpness is computed: 1,000 take about 5 s and 2 (10^3)^2 numbers in memory.
MOST_CURVED = 1000

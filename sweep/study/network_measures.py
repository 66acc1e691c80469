"""Measures of trained networks and of their losses that a study may record, besides those that every study has."""

from __future__ import annotations

from typing import NamedTuple

from kernels.vocabulary import TAIL


class NetworkMeasure(NamedTuple):
    """A measure of a trained network.

    Attributes
    ----------
    type, unit, doc
        The type of its column, unit and meaning. Floats are quantities, which answers compare and rank by.
    options
        What it is called in sentences and figures, if not by its name.
    more_is_better
        Whether cells are ranked from the highest value, and runs that diverged have the lowest.
    signed
        Whether it may be negative.
    """

    type: str
    unit: str
    doc: str
    options: str = ""
    more_is_better: bool = False
    signed: bool = False


NETWORK_MEASURES = {
    "learned_function": NetworkMeasure(
        "int64",
        "",
        "bit mask of the outputs above the middle, bit n * outputs + o of pattern n, trained patterns first, then test "
        "patterns; with softmax of the largest ones; -1 if diverged",
    ),
    "margin": NetworkMeasure(
        "float64",
        "output",
        "smallest distance of an output from the middle on the side of its target, negative on the other side; with "
        "softmax of the class's output from the largest other one; -inf if diverged",
        more_is_better=True,
        signed=True,
    ),
    "mean_error": NetworkMeasure("float64", "output", "mean distance of outputs from targets; inf if diverged"),
    "weight_norm": NetworkMeasure(
        "float64", "weight", "root of the sum of squares of all final parameters; inf if diverged"
    ),
    "weight_distance": NetworkMeasure(
        "float64", "weight", "root of the sum of squares of the changes of all parameters; inf if diverged"
    ),
    "sharpness": NetworkMeasure(
        "float64",
        "loss / weight^2",
        "largest eigenvalue of the Hessian of the loss over all patterns, without weight decay, by the parameters that "
        "are trained; inf if diverged",
        signed=True,
    ),
    "loss_sum": NetworkMeasure(
        "float64",
        "loss",
        "sum of the losses of all evaluations, added up in their order; inf if one is not finite",
        "sum of losses",
    ),
    "inverse_loss_sum": NetworkMeasure(
        "float64",
        "1/loss",
        "sum of 1 / loss over all evaluations; not finite losses add 0, a loss of 0 makes it inf",
        "sum of inverse losses",
        more_is_better=True,
    ),
    "tail_loss": NetworkMeasure(
        "float64",
        "loss",
        f"mean of the losses of the last {TAIL} evaluations, or of all; inf if one is not finite",
        "mean of the last losses",
    ),
}

# Those that answers take as values: what each is called.
QUANTITIES = {
    name: measure.options or name.replace("_", " ")
    for name, measure in NETWORK_MEASURES.items()
    if measure.type == "float64"
}

# Bits of a positive number in the column of functions.
MOST_BITS = 62
# Parameters of a network whose sharpness is computed: of 1,000 it takes some 5 s, and 2 (10^3)^2 numbers in memory.
MOST_CURVED = 1000

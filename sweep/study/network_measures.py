"""Measures of trained networks that a study may record, besides those that every study has."""

from __future__ import annotations

from typing import NamedTuple


class NetworkMeasure(NamedTuple):
    """A measure of a trained network: the type of its column, unit and meaning."""

    type: str
    unit: str
    doc: str


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
    ),
}

# Bits of a positive number in the column of functions.
MOST_BITS = 62
# Parameters of a network whose sharpness is computed: of 1,000 it takes some 5 s, and 2 (10^3)^2 numbers in memory.
MOST_CURVED = 1000

"""Measures of trained networks and of their losses that a study may record, besides those that every study has."""

from __future__ import annotations

from typing import NamedTuple

from kernels.vocabulary import TAIL


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
    "loss_sum": NetworkMeasure(
        "float64", "loss", "sum of the losses of all judgings, added up in their order; inf if one is not finite"
    ),
    "inverse_loss_sum": NetworkMeasure(
        "float64",
        "1/loss",
        "sum of 1 / loss over all judgings; not finite losses add 0, a loss of 0 makes it inf",
    ),
    "tail_loss": NetworkMeasure(
        "float64", "loss", f"mean of the losses of the last {TAIL} judgings, or of all; inf if one is not finite"
    ),
}

# Bits of a positive number in the column of functions.
MOST_BITS = 62

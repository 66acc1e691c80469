"""Functions for custom components. They take and return lanes: one number for each network trained side by side.

A component may also use its arguments, numbers, ``+ - * /``, comparisons, and ``& | ~`` between comparisons. See
:func:`sweep.activation`, :func:`sweep.loss`, :func:`sweep.optimizer` and :func:`sweep.learning_rate_schedule`.
"""

from kernels.elementary.lane_functions import elu, exp, log, normal, normal_cdf, sigmoid, sin, sin_cos, softplus, tanh
from kernels.lanes.arithmetic import absolute, constant, select, sqrt

__all__ = [
    "absolute",
    "constant",
    "elu",
    "exp",
    "log",
    "normal",
    "normal_cdf",
    "select",
    "sigmoid",
    "sin",
    "sin_cos",
    "softplus",
    "sqrt",
    "tanh",
]

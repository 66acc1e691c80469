"""An independent oracle: the numerical contract spelt out in plain Python and NumPy.

Nothing here comes from `kernels` or `sweep`. Arrays carry the networks on their last axis, of length R, and NumPy only
ever works elementwise along it (strict IEEE, nothing fused or reordered); patterns n, inputs i, hidden units h and
outputs o are Python loops, and every sum is `add_in_order`: no dot, einsum or sum, which fuse or regroup.

`words` has activations and losses, `step` one forward and backward pass, `windows` which patterns a step takes,
`settings` what training is given, `optimizers` an update, `judging` when a run ends, `training` the loop around them,
and `starts` initial weights.
"""

from tests.oracle.judging import STATUSES
from tests.oracle.settings import Settings, Words
from tests.oracle.starts import draw, initial_parameters, initial_weights
from tests.oracle.step import Network, forward, gradient, parameter_shapes
from tests.oracle.training import Result, train
from tests.oracle.windows import permutation
from tests.oracle.words import Functions

__all__ = [
    "STATUSES",
    "Functions",
    "Network",
    "Result",
    "Settings",
    "Words",
    "draw",
    "forward",
    "gradient",
    "initial_parameters",
    "initial_weights",
    "parameter_shapes",
    "permutation",
    "train",
]

"""An independent oracle: the numerical contract in plain Python and NumPy, with every sum written as a loop.

Only names and defaults of options come from `kernels`, and nothing from `sweep`. The last axis of arrays is that of the
networks, of length R; NumPy only works elementwise along it (strict IEEE, nothing fused or reordered). Patterns n,
inputs i, hidden units h and outputs o are Python loops, and every sum is `add_in_order`: no dot, einsum or sum, which
fuse or regroup.

- `components`: activations and losses.
- `step`: one forward and one backward pass.
- `windows`: the patterns of each step of an epoch.
- `options`: the arguments of a training.
- `optimizers`: updates of parameters.
- `evaluation`: when a run ends.
- `training`: the loop around all of these.
- `starts`: initial weights.
"""

from tests.oracle.components import Functions
from tests.oracle.evaluation import STATUSES
from tests.oracle.starts import draw, initial_parameters, initial_weights
from tests.oracle.step import Network, forward, gradient, parameter_shapes
from tests.oracle.training import Result, train
from tests.oracle.windows import permutation

__all__ = [
    "STATUSES",
    "Functions",
    "Network",
    "Result",
    "draw",
    "forward",
    "gradient",
    "initial_parameters",
    "initial_weights",
    "parameter_shapes",
    "permutation",
    "train",
]

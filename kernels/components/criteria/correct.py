"""Every output is right."""

from kernels.components.declarations import Criterion

COMPONENT = Criterion(
    None, None, "every output is on the side of its target, or with softmax the largest is", of_right=True
)

"""No run converges or stalls."""

from kernels.components.declarations import Criterion

COMPONENT = Criterion(None, None, "no run converges or stalls")

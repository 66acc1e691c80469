"""No run converges or stalls."""

from kernels.words.records import Criterion

WORD = Criterion(None, None, "no run converges or stalls")

"""Numba kernels that train many small networks in step: numerics_version only.

Nothing here reads files, knows about studies or imports :mod:`sweep`.
"""

import os

# Before anything imports Numba: with Intel's vector mathematics logarithms would have other last bits than NumPy's.
os.environ["NUMBA_DISABLE_INTEL_SVML"] = "1"

# Another distribution has a package of this name too; sweep checks that it imported this one
# (sweep/system/kernels_package.py).
PROJECT = "xor-sweep"

# Version of the numbers: raised with every change that gives a run's results other bits. Results of
# different versions do not mix.
NUMERICS = 2

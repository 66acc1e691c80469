"""Numba kernels that train many small networks in step: numerics only.

Nothing here reads files, knows about studies or imports :mod:`sweep`.
"""

# Another distribution has a package of this name too; sweep checks that it imported this one (sweep/ours.py).
PROJECT = "xor-sweep"

# Raised with every change of what bits a run's results have; results of different
# numbers do not mix.
NUMERICS = 2

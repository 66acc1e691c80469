"""Numba kernels that train many small networks in step: numerics only.

Nothing here reads files, knows about studies or imports :mod:`sweep`.
"""

# Other distributions bear the import name "kernels" too; sweep checks that this is it.
PROJECT = "xor-sweep"

# Raised with every change of what bits a run's results have; results of different
# numbers do not mix.
NUMERICS = 2

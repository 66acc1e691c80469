"""Numba kernels that train many small networks side by side: numerics only.

No module here reads users' files, knows about studies or imports :mod:`sweep`.
"""

# Another distribution has a package of this name too; sweep checks that it imported this one
# (sweep/system/kernels_package.py).
PROJECT = "xor-sweep"

# Version of the numerics: raised by every change that gives a run's results other bits. Results of
# different versions do not mix.
NUMERICS = 4

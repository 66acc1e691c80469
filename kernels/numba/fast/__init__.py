"""Compiling kernels over private parts of Numba, where they are those that ``relied_on`` knows."""

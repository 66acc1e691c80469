"""Compiling kernels over what Numba documents: any version, the same bits, slower to compile."""

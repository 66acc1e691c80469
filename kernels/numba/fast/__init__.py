"""Compiling kernels over private parts of one version of Numba, which ``tests/kernels/test_numba.py`` names.

The door needs of it the pipelines of the decorators and the cache of machine code.
"""

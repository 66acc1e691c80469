"""Vectors in Numba: decorators, lanes, elementary functions, and machine code on disk."""

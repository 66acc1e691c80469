"""How Numba speaks vectors: decorators, lanes, elementary functions, and machine code on disk."""

"""The door to Numba: decorators of kernels and their parts, machine code on disk, and what is being compiled.

``fast`` compiles over private parts of Numba; nothing outside this folder knows of it.
"""

"""Compile the kernels of a study, in this process and in others."""

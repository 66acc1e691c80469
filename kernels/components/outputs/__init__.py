"""Functions over all outputs of a pattern, a module for each."""

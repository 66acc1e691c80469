"""Convergence statistics from counts of runs and from rows: tallies, intervals, tests, comparisons."""

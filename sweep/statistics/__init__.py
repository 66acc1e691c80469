"""Convergence statistics, from counts of runs alone: tallies, intervals, and what follows from them."""

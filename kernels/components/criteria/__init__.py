"""Convergence criteria, a module for each."""

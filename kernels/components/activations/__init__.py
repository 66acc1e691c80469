"""Activations of units, a module for each."""

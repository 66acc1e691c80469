"""Losses, a module for each."""

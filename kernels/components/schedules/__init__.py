"""Schedules of the learning rates, a module for each."""

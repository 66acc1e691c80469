"""Stopping rules, a module for each."""

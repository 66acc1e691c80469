"""Executors turn parts into commits: on threads of this machine, or on others."""
